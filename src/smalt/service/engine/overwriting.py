"""Registered versions keep their content when a job writes over the place where it is: they get a copy of their own."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from smalt.entities.references import Reference, parse_uri
from smalt.exceptions import Conflict, SmaltError
from smalt.service.data import DEFAULT, Location
from smalt.service.data.copying import Log
from smalt.service.data.rights import allow_writing, copy_aside, is_forbidden, nearest
from smalt.service.engine.contents import URIS
from smalt.service.engine.rooms import Rooms
from smalt.service.records import assets, jobs
from smalt.service.records.assets import Version
from smalt.service.records.workspaces import Workspace

VERSIONS = "Versions"
"""The folder of the default datastore for content that was copied aside."""
_NEVER_WRITTEN = ("LocalUpload/", f"{VERSIONS}/")
"""The folders of the default datastore where smalt itself keeps the content of versions, and no output goes."""


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
    async with rooms.contents.turn(workspace):
        for version, content in await _find_endangered(rooms, workspace, places):
            await _copy_aside(rooms, workspace, version, content)
            say(f"{version.name}:{version.version} is registered at {content}, where this job writes: "
                "a copy of its content was made for it")  # fmt: skip
    for place in places:
        if is_forbidden(place) and nearest(place).startswith(f"{rooms.root}/"):  # by a job that was canceled then
            await asyncio.to_thread(allow_writing, nearest(place))


def why_not_written(rooms: Rooms, workspace: Workspace, location: Location) -> str | None:
    """Return the sentence for an output that would go to where smalt itself keeps the content of versions."""
    if location.path is None:
        return None
    store, real = rooms.data.datastores.folder(workspace.folder, DEFAULT), f"{os.path.realpath(location.path)}/"
    for folder in _NEVER_WRITTEN:
        if real.startswith(f"{os.path.realpath(store / folder)}/"):
            return (
                f"{location.uri} cannot be written: {folder} of datastore {DEFAULT} holds the content of registered "
                "versions, which never changes; give the output another path"
            )
    return None


async def keep_before_write(rooms: Rooms, workspace: Workspace, place: Path, say: Log) -> None:
    """Give the versions whose content a request is about to change a place of their own; refuse where they have it."""
    kept = os.path.realpath(rooms.data.datastores.folder(workspace.folder, DEFAULT) / VERSIONS)
    if f"{os.path.realpath(place)}/".startswith(f"{kept}/"):
        raise Conflict(
            f"{VERSIONS}/ of datastore {DEFAULT} holds the content of registered versions, which never changes; "
            "write to another path"
        )
    if is_forbidden(place) or await _find_endangered(rooms, workspace, [place]):
        await keep_versions(rooms, workspace, [place], say)


async def _copy_aside(rooms: Rooms, workspace: Workspace, version: Version, content: Path) -> None:
    copy = f"{VERSIONS}/{version.kind}/{version.name}/{version.version}/{content.name}"
    target = rooms.data.datastores.folder(workspace.folder, DEFAULT) / copy
    await asyncio.to_thread(copy_aside, content, target)
    await asyncio.to_thread(allow_writing, content)  # before the records say so: a crash comes back here
    properties = {**version.properties, URIS[version.kind]: f"azureml://datastores/{DEFAULT}/paths/{copy}"}
    with rooms.db.transaction():
        assets.move(rooms.db, version, properties)
        asset = f"{version.kind}/{version.name}/versions/{version.version}"
        jobs.move_place(rooms.db, workspace.id, asset, str(content), str(target))
    rooms.contents.forget(workspace)


async def _find_endangered(rooms: Rooms, workspace: Workspace, places: list[Path]) -> list[tuple[Version, Path]]:
    """Return the versions that are written over with one of `places`, and can be copied aside."""
    folder = os.path.realpath(rooms.data.datastores.folder(workspace.folder, DEFAULT) / VERSIONS)
    found = await rooms.contents.overlapping(workspace, [os.path.realpath(place) for place in places])
    return [
        (version, content)
        for version, content in found
        if content.exists() and not f"{folder}/".startswith(f"{content}/")  # a whole datastore has no place aside
        and not f"{content}/".startswith(f"{folder}/")
    ]  # fmt: skip
