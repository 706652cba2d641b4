"""Places on this machine that hold the content of registered versions."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import SmaltError
from smalt.service.data import DataAccess
from smalt.service.data.files.write_protection import is_write_protected
from smalt.service.records import assets, workspaces
from smalt.service.records.assets import AssetVersion
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace

URIS = {"data": "dataUri", "models": "modelUri"}
"""The property with the content of each kind of asset that has one."""


class VersionContent(NamedTuple):
    """The content of a version, and the workspace in which that is registered."""

    workspace: Workspace
    version: AssetVersion
    place: Path


class VersionContents:
    """Finds the content of every version of the home; looks again when versions or datastores changed.

    A version of one workspace may lie in a folder of another, or in one that several datastores lead to.
    """

    def __init__(self, db: Database, data: DataAccess) -> None:
        self._db = db
        self._data = data
        self.move_lock = asyncio.Lock()
        """Held while versions are moved: two jobs may write over the same one."""
        self._known: tuple[tuple[Any, ...], dict[str, list[VersionContent]]] | None = None
        self._moves = 0

    def note_moved(self) -> None:
        """Note that versions were moved."""
        self._moves += 1

    async def find_overlapping(self, reals: Sequence[str]) -> list[VersionContent]:
        """Return the content of each version that is at, in or around one of `reals`, which are real paths."""
        known = await self._load_places()
        return [
            content
            for place, contents in known.items() if any(_do_overlap(place, real) for real in reals)
            for content in contents
        ]  # fmt: skip

    async def find_unprotected(self) -> list[VersionContent]:
        """Return the content of each version that is on this machine and writable by its owner."""
        known = await self._load_places()
        places = await asyncio.to_thread(lambda: [place for place in known if _is_writable(place)])
        return [content for place in places for content in known[place]]

    async def _load_places(self) -> dict[str, list[VersionContent]]:
        state = (self._moves, *assets.get_contents_state(self._db))
        known = self._known
        if known is None or known[0] != state:
            versions = [
                (version, workspace)
                for workspace in workspaces.list_workspaces(self._db)
                for version in assets.list_versions_of_kinds(self._db, workspace.id, tuple(URIS))
            ]
            known = self._known = (state, await asyncio.to_thread(self._find_places, versions))
        return known[1]

    def _find_places(self, versions: Iterable[tuple[AssetVersion, Workspace]]) -> dict[str, list[VersionContent]]:
        found: dict[str, list[VersionContent]] = defaultdict(list)
        for version, workspace in versions:
            try:
                place = self._data.locate(str(version.properties.get(URIS[version.kind]) or ""), workspace).path
            except SmaltError:
                continue
            if place is not None:
                found[str(place)].append(VersionContent(workspace, version, place))
        return found


def _is_writable(place: str) -> bool:
    return os.path.exists(place) and not is_write_protected(place)


def _do_overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
