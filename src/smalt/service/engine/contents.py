"""Where the content of the versions of a workspace is on this machine."""

from __future__ import annotations

import asyncio
import os
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.data import Data
from smalt.service.data.rights import is_forbidden
from smalt.service.records import assets
from smalt.service.records.assets import Version
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace

URIS = {"data": "dataUri", "models": "modelUri"}
"""The property with the content of each kind of asset that has one."""


class Contents:
    """Looks up where a version is once, and again when what is registered, or a datastore, changed."""

    def __init__(self, db: Database, data: Data) -> None:
        self._db = db
        self._data = data
        self._turns: dict[int, asyncio.Lock] = {}
        self._known: dict[int, tuple[tuple[Any, ...], dict[str, list[Version]]]] = {}

    def turn(self, workspace: Workspace) -> asyncio.Lock:
        """Return what is held while versions of the workspace are moved: two jobs may write over the same one."""
        return self._turns.setdefault(workspace.id, asyncio.Lock())

    def forget(self, workspace: Workspace) -> None:
        """Note that versions were moved."""
        self._known.pop(workspace.id, None)

    async def overlapping(self, workspace: Workspace, reals: Sequence[str]) -> list[tuple[Version, Path]]:
        """Return each version whose content is at, in or around one of `reals`, which are real paths, and its place."""
        known = await self._look_up(workspace)
        found = [place for place in known if any(_overlap(place, real) for real in reals)]
        return [(version, Path(place)) for place in found for version in known[place]]

    async def unprotected(self, workspace: Workspace) -> list[tuple[Version, Path]]:
        """Return each version whose content is on this machine and may be written by its owner, and its place."""
        known = await self._look_up(workspace)
        places = await asyncio.to_thread(lambda: [place for place in known if _may_be_written(place)])
        return [(version, Path(place)) for place in places for version in known[place]]

    async def _look_up(self, workspace: Workspace) -> dict[str, list[Version]]:
        state = assets.state_of_contents(self._db, workspace.id)
        known = self._known.get(workspace.id)
        if known is None or known[0] != state:
            versions = assets.with_content(self._db, workspace.id, tuple(URIS))
            known = (state, await asyncio.to_thread(self._locate, versions, workspace))
            self._known[workspace.id] = known
        return known[1]

    def _locate(self, versions: Iterable[Version], workspace: Workspace) -> dict[str, list[Version]]:
        found: dict[str, list[Version]] = defaultdict(list)
        for version in versions:
            try:
                place = self._data.locate(str(version.properties.get(URIS[version.kind]) or ""), workspace).path
            except SmaltError:
                continue
            if place is not None:
                found[str(place)].append(version)
        return found


def _may_be_written(place: str) -> bool:
    return os.path.exists(place) and not is_forbidden(place)


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")
