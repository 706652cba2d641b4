"""Registered versions keep their content when a job writes over the place where it is: they get a copy of their own."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.entities.references import Reference, parse_uri
from smalt.exceptions import SmaltError
from smalt.service.data import DEFAULT, Location
from smalt.service.data.copying import Log
from smalt.service.data.rights import allow_writing, copy_aside, is_forbidden, nearest
from smalt.service.engine.rooms import Rooms
from smalt.service.records import assets, jobs
from smalt.service.records.assets import Version
from smalt.service.records.workspaces import Workspace

VERSIONS = "Versions"
"""The folder of the default datastore for content that was copied aside."""
_NEVER_WRITTEN = ("LocalUpload/", f"{VERSIONS}/")
"""The folders of the default datastore where smalt itself keeps the content of versions, and no output goes."""
_URIS = {"data": "dataUri", "models": "modelUri"}


class Kept(NamedTuple):
    version: Version
    content: Path
    copy: str
    """In the default datastore."""


def is_never_written(location: Location) -> bool:
    """Whether it lies where no output of a job may go."""
    return location.datastore == DEFAULT and f"{location.relative}/".startswith(_NEVER_WRITTEN)


def is_moved(rooms: Rooms, workspace: Workspace, uri: str, place: str) -> bool:
    """Whether the content of the version `uri`, which was at `place`, has been copied aside since then."""
    if not isinstance(parse_uri(uri), Reference):
        return False
    try:
        now = rooms.data.locate(uri, workspace)
    except SmaltError:
        return False
    return now.place != place and is_never_written(now) and (now.relative or "").startswith(f"{VERSIONS}/")


def holds_something(place: Path) -> bool:
    """Whether a job that writes at `place` may write over, or into, what others left there."""
    try:
        with os.scandir(place) as entries:
            return next(entries, None) is not None or is_forbidden(place)
    except NotADirectoryError:
        return True
    except OSError:
        return is_forbidden(place)


async def keep_versions(rooms: Rooms, workspace: Workspace, places: list[Path], say: Log) -> None:
    """Copy the content of each version of the workspace that lies at, in or around one of `places`.

    The places can be written afterwards.
    """
    for kept in list(_endangered(rooms, workspace, places)):
        version = kept.version
        folder = rooms.data.datastores.folder(workspace.folder, DEFAULT)
        await asyncio.to_thread(copy_aside, kept.content, folder / kept.copy)
        await asyncio.to_thread(allow_writing, kept.content)  # before the records say so: a crash comes back here
        properties = {**version.properties, _URIS[version.kind]: f"azureml://datastores/{DEFAULT}/paths/{kept.copy}"}
        with rooms.db.transaction():
            assets.move(rooms.db, version, properties)
            jobs.move_place(rooms.db, workspace.id, _asset(version), str(kept.content), str(folder / kept.copy))
        say(f"{version.name}:{version.version} is registered at {kept.content}, where this job writes: "
            "a copy of its content was made for it")  # fmt: skip
    for place in places:
        if is_forbidden(place) and nearest(place).startswith(f"{rooms.home.root}/"):  # by a job that was canceled then
            await asyncio.to_thread(allow_writing, nearest(place))


def _asset(version: Version) -> str:
    return f"{version.kind}/{version.name}/versions/{version.version}"


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
            copy = f"{VERSIONS}/{version.kind}/{version.name}/{version.version}/{content.name}"
            yield Kept(version, content, copy)
