"""Keeps the content of registered versions when a job writes over it: it is copied aside first."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from smalt.entities.syntax.references import Reference, parse_uri
from smalt.exceptions import Conflict, SmaltError
from smalt.service.data import DEFAULT, Location
from smalt.service.data.datastores.managed_folders import DATASTORES, HOME, UPLOADS, VERSIONS, find_managed
from smalt.service.data.files.copying import Log
from smalt.service.data.files.write_protection import allow_writing, copy_aside, find_existing, is_write_protected
from smalt.service.engine.context import EngineContext
from smalt.service.engine.versions.contents import URIS, VersionContent
from smalt.service.records import assets, job_data
from smalt.service.records.workspaces import Workspace


def is_never_written(location: Location) -> bool:
    """Return True if no output of a job may go there."""
    return location.datastore == DEFAULT and f"{location.relative}/".startswith((f"{UPLOADS}/", f"{VERSIONS}/"))


def is_moved(context: EngineContext, workspace: Workspace, uri: str, place: str) -> bool:
    """Return True if the content of the version `uri`, which was at `place`, has been copied aside since then."""
    if not isinstance(parse_uri(uri), Reference):
        return False
    try:
        now = context.data.locate(uri, workspace)
    except SmaltError:
        return False
    return now.place != place and is_never_written(now) and (now.relative or "").startswith(f"{VERSIONS}/")


def is_occupied(place: Path) -> bool:
    """Return True if a job that writes at `place` may write over, or into, what others left there."""
    try:
        with os.scandir(place) as entries:
            return next(entries, None) is not None or is_write_protected(place)
    except NotADirectoryError:
        return True
    except OSError:
        return is_write_protected(place)


async def copy_versions_aside(context: EngineContext, workspace: Workspace, places: list[Path], say: Log) -> None:
    """Copy aside the content of each version, of any workspace, at, in or around one of `places`.

    A job or a request of `workspace` may write to the places afterwards.
    """
    async with context.contents.move_lock:
        for content in await _find_endangered(context, places):
            await _copy_aside(context, content)
            version, other = content.version, content.workspace
            of = "" if other.id == workspace.id else f" of workspace {other.name}"
            say(f"{version.name}:{version.version}{of} is registered at {content.place}, where this job writes: "
                "a copy of its content was made for it")  # fmt: skip
    for place in places:
        context.intact.forget_place(str(place))
        if is_write_protected(place) and find_existing(place).startswith(
            f"{context.root}/"
        ):  # by a job that was canceled then
            await asyncio.to_thread(allow_writing, find_existing(place))


def find_write_problem(context: EngineContext, location: Location) -> str | None:
    """Return a sentence if the output would go to, or around, a place where smalt keeps the content of versions.

    The place counts, not the datastore or workspace by which the URI leads there.
    """
    if location.path is None:
        return None
    found = find_managed(context.root, os.path.realpath(location.path))
    if found is None:
        return None
    if found.place == HOME:
        return f"{location.uri} cannot be written: it holds smalt's own home; give the output another path"
    if found.place == DATASTORES:
        return (
            f"{location.uri} cannot be written: it holds whole datastores of smalt's home; give the output another path"
        )
    if found.is_inside:
        return (
            f"{location.uri} cannot be written: {found.place}/ of datastore {DEFAULT} holds the content of "
            "registered versions, which never changes; give the output another path"
        )
    return (
        f"{location.uri} cannot be written: datastore {DEFAULT} as a whole holds the content of registered versions, "
        "which never changes; give the output a folder of its own in it"
    )


async def copy_aside_before_request(context: EngineContext, workspace: Workspace, place: Path, say: Log) -> None:
    """Copy aside the versions whose content a request is about to change; raise Conflict for a copy itself."""
    if _is_copy_aside(context, place):
        raise Conflict(
            f"{VERSIONS}/ of datastore {DEFAULT} holds the content of registered versions, which never changes; "
            "write to another path"
        )
    if is_write_protected(place) or await _find_endangered(context, [place]):
        await copy_versions_aside(context, workspace, [place], say)
    context.intact.forget_place(str(place))


def _is_copy_aside(context: EngineContext, place: Path) -> bool:
    """Return True if the place is one to which contents are copied aside."""
    found = find_managed(context.root, os.path.realpath(place))
    return found is not None and found.place == VERSIONS


async def _copy_aside(context: EngineContext, content: VersionContent) -> None:
    workspace, version, place = content
    copy = f"{VERSIONS}/{version.kind}/{version.name}/{version.version}/{place.name}"
    target = context.data.datastores.get_folder(workspace.folder, DEFAULT) / copy
    await asyncio.to_thread(copy_aside, place, target)
    await asyncio.to_thread(allow_writing, place)  # before the records say so: a crash comes back here
    properties = {**version.properties, URIS[version.kind]: f"azureml://datastores/{DEFAULT}/paths/{copy}"}
    with context.db.transaction():
        assets.move_version(context.db, version, properties)
        asset = f"{version.kind}/{version.name}/versions/{version.version}"
        job_data.move_place(context.db, workspace.id, asset, str(place), str(target))
    context.contents.note_moved()
    context.intact.forget_place(str(place))
    await context.intact.record_stamp(str(target))


async def _find_endangered(context: EngineContext, places: list[Path]) -> list[VersionContent]:
    """Return the contents of versions that are written over with one of `places` and can be copied aside."""
    found = await context.contents.find_overlapping([os.path.realpath(place) for place in places])
    return [content for content in found if content.place.exists() and not _is_immovable(context, content)]


def _is_immovable(context: EngineContext, content: VersionContent) -> bool:
    """Return True if the content is aside already, or holds the folder to which it would be copied."""
    if _is_copy_aside(context, content.place):
        return True
    folder = os.path.realpath(context.data.datastores.get_folder(content.workspace.folder, DEFAULT) / VERSIONS)
    return f"{folder}/".startswith(f"{content.place}/")
