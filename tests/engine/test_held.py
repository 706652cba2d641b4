"""The look at what versions hold ends, and misses nothing that is registered while it goes on."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from smalt.service.data import Location
from smalt.service.engine.deletion.place_references import Overlaps, PlaceReferences
from smalt.service.records import assets, workspaces
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from tests.helpers import LONGEST


class Registering:
    """Resolves paths, and has another version registered whenever it is asked beside the loop."""

    def __init__(self, db: Database, workspace: Workspace) -> None:
        self._db, self._workspace = db, workspace
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self.count = 0

    def resolve(self, uri: str, workspace: Workspace) -> Location:
        if threading.get_ident() != self._thread:
            asyncio.run_coroutine_threadsafe(self.register(), self._loop).result()
        return Location(uri, Path(uri))

    async def register(self) -> None:
        self.count += 1
        properties = {"dataUri": f"/data/{self.count}"}
        assets.put_version(self._db, self._workspace.id, "data", "d", str(self.count), properties, "me")


async def test_a_home_that_registers_without_end(tmp_path: Path) -> None:
    """Every version that is there when the look ends was looked at."""
    db = Database(tmp_path / "smalt.db")
    workspace = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    data: Any = Registering(db, workspace)
    await data.register()
    held = PlaceReferences(db, data, str(tmp_path), str(tmp_path))
    places = [f"/data/{number}" for number in range(1, 1000)]
    found = await asyncio.wait_for(held.find_in_assets(Overlaps(places)), LONGEST)
    assert set(found) == {f"/data/{number}" for number in range(1, data.count + 1)}
    db.close()


@pytest.mark.parametrize(
    ("other", "found"),
    [("/a/b", {"/a/b", "/a/b/c"}), ("/a/b/c/d", {"/a/b", "/a/b/c"}), ("/a", {"/a/b", "/a/b/c", "/a/bc"}), ("/x", set()),
     ("/a/bc/x", {"/a/bc"}), ("/", {"/a/b", "/a/b/c", "/a/bc"})],
)  # fmt: skip
def test_overlapping_places(other: str, found: set[str]) -> None:
    """At it, in it and around it; a name that begins alike is another."""
    assert Overlaps(["/a/b", "/a/b/c", "/a/bc"]).find_overlapping([other]) == found
