"""Where the contents of versions are, as it was looked up and is remembered."""

from __future__ import annotations

import asyncio
from pathlib import Path

from smalt.machine.home import Home
from smalt.service.data import DataAccess
from smalt.service.engine.versions.contents import VersionContents
from smalt.service.records import assets, workspaces
from smalt.service.records.database import Database

from .conftest import Known


def test_a_version_that_is_moved_while_places_are_looked_up_is_found_where_it_is(home: Home, known: Known) -> None:
    """The next question is not answered from the look-up that began before the move."""
    db = Database(home.path("smalt.db"))
    workspace = workspaces.ensure_workspace(db, "sub", "rg", "ws", "me")
    before, after = (str(home.path(name)) for name in ("before", "after"))
    for place in (before, after):
        Path(place).mkdir()
    assets.put_version(db, workspace.id, "data", "d", "1", {"dataUri": f"file://{before}"}, "me")
    contents = VersionContents(db, DataAccess(home, known.settings, known.output, known.asset))

    async def scenario() -> None:
        looked_up = asyncio.create_task(contents.find_overlapping([before]))
        await asyncio.sleep(0)  # it has read the records, and waits for its thread
        version = assets.get_version(db, workspace.id, "data", "d", "1")
        assert version is not None
        assets.move_version(db, version, {"dataUri": f"file://{after}"})
        contents.note_moved()
        await looked_up
        assert await contents.find_overlapping([before]) == []
        assert [str(found.place) for found in await contents.find_overlapping([after])] == [after]

    asyncio.run(scenario())
    db.close()
