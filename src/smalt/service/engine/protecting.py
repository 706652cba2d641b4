"""What jobs made and left where it lies is protected when it is registered afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
from collections.abc import Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.data import Location
from smalt.service.data.rights import forbid_writing, is_forbidden
from smalt.service.engine.contents import URIS
from smalt.service.engine.made import WrittenOver
from smalt.service.engine.overwriting import keep_before_write
from smalt.service.engine.rooms import Rooms
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import Reuse

log = logging.getLogger("smalt.engine")

_STORE = "workspaceartifactstore"
_ARTIFACTS = re.compile(r"ExperimentRun/dcid\.([^/]+)/.")


async def protect_made(rooms: Rooms, reuse: Reuse, workspace: Workspace, uri: str) -> None:
    """Forbid writing to the output of a job that is over, which is about to become a version of an asset.

    A folder of the user's own stays as it is, and so does what a job that runs may still write. Refused where a later
    job wrote over it.
    """
    try:
        location = rooms.data.resolve(uri, workspace)
    except WrittenOver:
        raise
    except SmaltError:
        return
    place = location.path
    if place is None or not os.path.lexists(place) or is_forbidden(place) or not _is_made(rooms, workspace, location):
        return
    writers = [job.id for job in _writers(rooms, workspace, location)]
    await reuse.settle_steps(writers)  # another mode is another time of change: what they wrote is looked at before
    await asyncio.to_thread(forbid_writing, place)


class Protecting:
    """Takes the right to write from what became a version, beside the loop and once that is committed."""

    def __init__(self, rooms: Rooms, reuse: Reuse) -> None:
        self._rooms = rooms
        self._reuse = reuse
        self._unfinished: dict[int, list[tuple[Workspace, str]]] = {}
        """By running job: the versions that it registered of what it may still write."""
        rooms.tracking.guard.before_write = partial(_keep_before_write, rooms)
        rooms.tracking.guard.registered = self._take_registered
        self._tasks: set[asyncio.Future[None]] = set()

    def forget(self) -> None:
        """Drop what a turn registered that was not committed."""
        self._rooms.unprotected.clear()

    def begin(self) -> None:
        """Protect what has been registered."""
        registered, self._rooms.unprotected = self._rooms.unprotected, []
        for workspace, uri in registered:
            self._keep(self._protect(workspace, uri))

    def end(self, job: Job) -> None:
        """Note that a job is over: what it registered while it ran is not written any more."""
        self._rooms.unprotected += self._unfinished.pop(job.id, ())

    def begin_again(self) -> None:
        """Protect what jobs made that an earlier server registered, and could not protect before it was killed."""
        self._keep(self._protect_left())

    async def close(self) -> None:
        """Leave what is not done to the next server."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)

    def _end(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a registered version could not be made read-only: %s", error, exc_info=error)

    async def _take_registered(self, workspace: Workspace, uri: str) -> None:
        """Protect what became a version through MLflow: at once, or when the job that writes there is over."""
        with contextlib.suppress(SmaltError):
            location = self._rooms.data.resolve(uri, workspace)
            if _is_made(self._rooms, workspace, location):
                await self._protect(workspace, uri)
            for job in _writers(self._rooms, workspace, location):
                if not job.is_over:
                    self._unfinished.setdefault(job.id, []).append((workspace, uri))

    async def _protect(self, workspace: Workspace, uri: str) -> None:
        """Protect a place unless the version was copied aside meanwhile, and a job is about to write there."""
        with contextlib.suppress(SmaltError):
            place = self._rooms.data.locate(uri, workspace).path
            if place is None or not os.path.lexists(place) or is_forbidden(place):
                return
            writers = _writers(self._rooms, workspace, self._rooms.data.resolve(uri, workspace))
            await self._reuse.settle_steps([job.id for job in writers])
            async with self._rooms.contents.turn:
                found = await self._rooms.contents.overlapping([str(place)])
                if any(content.place == place for content in found):
                    await asyncio.to_thread(forbid_writing, place)

    async def _protect_left(self) -> None:
        for workspace, version, _ in await self._rooms.contents.unprotected():
            uri = str(version.properties.get(URIS[version.kind]))
            with contextlib.suppress(SmaltError):
                if _is_made(self._rooms, workspace, self._rooms.data.resolve(uri, workspace)):
                    await self._protect(workspace, uri)


async def _keep_before_write(rooms: Rooms, workspace: Workspace, path: str) -> None:
    """Give the versions a place of their own whose content an artifact at `path` changes."""
    place = rooms.data.datastores.path(workspace.folder, _STORE, path)
    await keep_before_write(rooms, workspace, place, log.info)


def _is_made(rooms: Rooms, workspace: Workspace, location: Location) -> bool:
    """Whether a job wrote it, and none that is not over."""
    relative = (location.relative or "").strip("/")
    is_artifact = location.datastore == _STORE and _ARTIFACTS.match(relative) is not None
    writers = _writers(rooms, workspace, location)
    return (is_artifact or bool(writers)) and all(job.is_over for job in writers)


def _writers(rooms: Rooms, workspace: Workspace, location: Location) -> list[Job]:
    """Return the jobs, of whatever workspace, that have an output there, or around it."""
    relative = (location.relative or "").strip("/")
    if location.datastore == _STORE and (found := _ARTIFACTS.match(relative)):
        job = jobs.by_name(rooms.db, workspace.id, found[1])
        return [] if job is None else [job]
    parts = relative.split("/")
    start = f"azureml://datastores/{location.datastore}/paths/"
    above = [start + "/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    places = list(_places(location))
    return jobs.writers(rooms.db, workspace.id, [*above, *(f"{uri}/" for uri in above)], places)


def _places(location: Location) -> Iterator[str]:
    """Yield the place and the folders above it: what is called otherwise, by another datastore for one, is the same."""
    if location.path is None:
        return
    for path in {os.path.realpath(location.path), os.path.normpath(location.path)}:
        yield from (path, *(str(above) for above in Path(path).parents))
