"""Takes the right to write from outputs of jobs that become registered versions."""

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

from smalt.exceptions import Conflict, SmaltError
from smalt.service.data import Location
from smalt.service.data.files.write_protection import allow_writing, forbid_writing, is_write_protected
from smalt.service.data.uris.uri_forms import JobOutput, parse_uri
from smalt.service.engine.context import EngineContext
from smalt.service.engine.outputs.job_outputs import OutputOverwritten
from smalt.service.engine.versions.contents import URIS
from smalt.service.engine.versions.overwrites import copy_aside_before_request, copy_versions_aside
from smalt.service.records import job_data, jobs, lineage
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import Reuse
from smalt.wire.encoding import artifact_paths

log = logging.getLogger("smalt.engine")

_STORE = "workspaceartifactstore"
_GUARDED = ("artifacts", "default")
"""Outputs that a job writes by requests, which give a version that is there a place of its own first."""
_ARTIFACTS = re.compile(re.escape(artifact_paths.PREFIX) + r"([^/]+)/.")


async def protect_output(context: EngineContext, reuse: Reuse, workspace: Workspace, uri: str) -> None:
    """Forbid writing to the output of a job that is over and about to become a version of an asset.

    A folder of the user's own stays as it is. Raises Conflict if a later job wrote over it, or may still write there.
    The caller stores the version without an await after this, so that no job begins to write there in between.
    """
    try:
        location = context.data.resolve(uri, workspace)
    except OutputOverwritten:
        raise
    except SmaltError:
        return
    _refuse_unfinished(context, workspace, location, uri)
    place = location.path
    if place is None or not os.path.lexists(place):
        return
    if not _is_finished_output(context, workspace, location):
        await context.intact.record_stamp(str(place))
        _refuse_unfinished(context, workspace, location, uri)
        return
    if is_writable := not is_write_protected(place):
        writers = [job.id for job in _find_writers(context, workspace, location)]
        # Another mode is another time of change, so what they wrote is looked at before.
        await reuse.settlement.settle_steps(writers)
        await asyncio.to_thread(forbid_writing, place)
    await context.intact.record_stamp(str(place))
    try:
        _refuse_unfinished(
            context, workspace, location, uri
        )  # a job may have begun meanwhile, and found no version here
    except Conflict:
        context.intact.forget_place(str(place))
        if is_writable:
            await asyncio.to_thread(allow_writing, place)
        raise


def _refuse_unfinished(context: EngineContext, workspace: Workspace, location: Location, uri: str) -> None:
    """Raise Conflict if a job may still write to what is to become a version."""
    place = os.path.realpath(location.path) if location.path is not None else location.place
    writer = lineage.find_active_writer(context.db, place.rstrip("/")) or _find_preparing_writer(context, place)
    asked = parse_uri(uri)
    if writer is None and isinstance(asked, JobOutput) and asked.output not in _GUARDED:
        job = jobs.find_by_name(context.db, workspace.id, asked.job)
        writer = job.name if job is not None and not job.is_over else None
    if writer is not None:
        raise Conflict(
            f"{uri} cannot be registered yet: job '{writer}' is not over and writes there, and a registered version "
            "never changes; wait for its end, or cancel it"
        )


def _find_preparing_writer(context: EngineContext, place: str) -> str | None:
    """Return the name of a job in preparation that has looked already for versions where it will write."""
    for job, places in context.about_to_write.values():
        if any(f"{place}/".startswith(f"{one}/") or f"{one}/".startswith(f"{place}/") for one in places):
            return job
    return None


class VersionProtection:
    """Takes the right to write from registered outputs, beside the loop and once the registration is committed."""

    def __init__(self, context: EngineContext, reuse: Reuse) -> None:
        self._context = context
        self._reuse = reuse
        self._still_written: dict[int, list[tuple[Workspace, str]]] = {}
        """By running job: the versions that it registered of what it may still write."""
        context.tracking.guard.before_write = partial(_copy_aside_before_artifact, context)
        context.tracking.guard.on_registered = self._take_registered
        self._tasks: set[asyncio.Future[None]] = set()

    def forget_uncommitted(self) -> None:
        """Drop the registrations of a turn that was not committed."""
        self._context.unprotected.clear()

    def start_registered(self) -> None:
        """Start to protect what has been registered."""
        registered, self._context.unprotected = self._context.unprotected, []
        for workspace, uri in registered:
            self._start_task(self._protect_version(workspace, uri))

    def note_job_end(self, job: Job) -> None:
        """Note that a job is over: it no longer writes to what it registered while it ran."""
        self._context.about_to_write.pop(job.id, None)
        self._context.unprotected += self._still_written.pop(job.id, ())

    def start_unprotected(self) -> None:
        """Start to protect the versions that an earlier server registered and did not protect before it was killed."""
        self._start_task(self._protect_unprotected())

    async def close(self) -> None:
        """Leave the rest to the next server."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start_task(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._note_task_end)

    def _note_task_end(self, task: asyncio.Future[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("a registered version could not be made read-only: %s", error, exc_info=error)

    async def _take_registered(self, workspace: Workspace, uri: str) -> None:
        """Protect what became a version through MLflow: now, or when the job that writes there is over."""
        with contextlib.suppress(SmaltError):
            location = self._context.data.resolve(uri, workspace)
            if _is_finished_output(self._context, workspace, location):
                await self._protect_version(workspace, uri)
            for job in _find_writers(self._context, workspace, location):
                if not job.is_over:
                    self._still_written.setdefault(job.id, []).append((workspace, uri))

    async def _protect_version(self, workspace: Workspace, uri: str) -> None:
        """Protect a version unless it was copied aside meanwhile; copy it aside if a job is about to write there."""
        with contextlib.suppress(SmaltError):
            place = self._context.data.locate(uri, workspace).path
            if place is None or not os.path.lexists(place):
                return
            if lineage.find_active_writer(self._context.db, str(place)) or _find_preparing_writer(
                self._context, str(place)
            ):
                await copy_versions_aside(
                    self._context, workspace, [place], log.info
                )  # what is written there from now on is another's
                return
            if is_write_protected(place):
                await self._context.intact.record_stamp(str(place))
                return
            writers = _find_writers(self._context, workspace, self._context.data.resolve(uri, workspace))
            await self._reuse.settlement.settle_steps([job.id for job in writers])
            async with self._context.contents.move_lock:
                found = await self._context.contents.find_overlapping([str(place)])
                if any(content.place == place for content in found):
                    await asyncio.to_thread(forbid_writing, place)
                    await self._context.intact.record_stamp(str(place))

    async def _protect_unprotected(self) -> None:
        for workspace, version, _ in await self._context.contents.find_unprotected():
            uri = str(version.properties.get(URIS[version.kind]))
            with contextlib.suppress(SmaltError):
                if _is_finished_output(self._context, workspace, self._context.data.resolve(uri, workspace)):
                    await self._protect_version(workspace, uri)


async def _copy_aside_before_artifact(context: EngineContext, workspace: Workspace, path: str) -> None:
    """Copy aside the versions whose content an artifact at `path` changes."""
    place = context.data.datastores.get_path(workspace.folder, _STORE, path)
    await copy_aside_before_request(context, workspace, place, log.info)


def _is_finished_output(context: EngineContext, workspace: Workspace, location: Location) -> bool:
    """Return True if a job wrote it and no unfinished job has an output there."""
    relative = (location.relative or "").strip("/")
    is_artifact = location.datastore == _STORE and _ARTIFACTS.match(relative) is not None
    writers = _find_writers(context, workspace, location)
    return (is_artifact or bool(writers)) and all(job.is_over for job in writers)


def _find_writers(context: EngineContext, workspace: Workspace, location: Location) -> list[Job]:
    """Return the jobs of all workspaces that have an output there or around it."""
    relative = (location.relative or "").strip("/")
    if location.datastore == _STORE and (found := _ARTIFACTS.match(relative)):
        job = jobs.find_by_name(context.db, workspace.id, found[1])
        return [] if job is None else [job]
    parts = relative.split("/")
    start = f"azureml://datastores/{location.datastore}/paths/"
    above = [start + "/".join(parts[:end]) for end in range(1, len(parts) + 1)]
    places = list(_list_places(location))
    return job_data.find_writers(context.db, workspace.id, [*above, *(f"{uri}/" for uri in above)], places)


def _list_places(location: Location) -> Iterator[str]:
    """Yield the place and the folders above it: another datastore may lead to one of these."""
    if location.path is None:
        return
    for path in {os.path.realpath(location.path), os.path.normpath(location.path)}:
        yield from (path, *(str(above) for above in Path(path).parents))
