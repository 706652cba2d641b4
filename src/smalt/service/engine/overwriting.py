"""Registered versions keep their content when a job writes over the place where it is: they get a copy of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.exceptions import SmaltError
from smalt.service.data import DEFAULT
from smalt.service.data.copying import Log, copy_aside
from smalt.service.engine.rooms import Rooms
from smalt.service.records import assets
from smalt.service.records.assets import Version
from smalt.service.records.workspaces import Workspace

_URIS = {"data": "dataUri", "models": "modelUri"}


class Kept(NamedTuple):
    version: Version
    content: Path
    copy: str
    """In the default datastore."""


def holds_something(place: Path) -> bool:
    """Whether a job that writes at `place` may write over what others left there."""
    try:
        with os.scandir(place) as entries:
            return next(entries, None) is not None
    except NotADirectoryError:
        return True
    except OSError:
        return False


async def keep_versions(rooms: Rooms, workspace: Workspace, places: list[Path], say: Log) -> None:
    """Copy the content of each version of the workspace that lies at, in or around one of `places`."""
    for kept in list(_endangered(rooms, workspace, places)):
        version = kept.version
        folder = rooms.data.datastores.folder(workspace.folder, DEFAULT)
        await asyncio.to_thread(copy_aside, kept.content, folder / kept.copy)
        properties = {**version.properties, _URIS[version.kind]: f"azureml://datastores/{DEFAULT}/paths/{kept.copy}"}
        assets.move(rooms.db, version, properties)
        say(f"{version.name}:{version.version} is registered at {kept.content}, where this job writes: "
            "a copy of its content was made for it")  # fmt: skip


def _endangered(rooms: Rooms, workspace: Workspace, places: list[Path]) -> Iterator[Kept]:
    reals = [f"{os.path.realpath(place)}/" for place in places]
    for version in assets.with_content(rooms.db, workspace.id, tuple(_URIS)):
        uri = str(version.properties.get(_URIS[version.kind]) or "")
        try:
            content = rooms.data.locate(uri, workspace).path
        except SmaltError:
            continue
        if content is None or not content.exists():
            continue
        whole = f"{content}/"
        if any(whole.startswith(real) or real.startswith(whole) for real in reals):
            copy = f"Versions/{version.kind}/{version.name}/{version.version}/{content.name}"
            yield Kept(version, content, copy)
