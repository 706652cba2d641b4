"""Removes jobs and workspaces with their files, except what others refer to.

The transaction that removes the job's rows records what goes. All of it gets another name before a new job of that name
is accepted, so that the new job never meets it, and is removed after that, beside the loop. The next server of the home
finishes what a crash cut short: the renaming before it answers any request.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import json
import logging
import os
import re
from collections.abc import Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from smalt.exceptions import Conflict
from smalt.service.data import remove_tree
from smalt.service.data.files.durable_files import sync_folders, write_durably
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion.place_references import Overlaps, list_folders_above
from smalt.service.engine.deletion.workspace_checks import refuse_shared, refuse_unfinished
from smalt.service.records import deletions, job_data, job_removal, jobs, lineage, workspaces
from smalt.service.records.deletions import Deletion
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import retention

log = logging.getLogger("smalt.engine")

_NOTES = "deleted"
_KEPT = "kept"
"""In the folder of notes: by the name of a deleted job, or of a step of one, the jobs of it whose artifacts stay."""
_OF_ATTEMPTS = "jobs"
_BEFORE_ANY_JOB = frozenset({"system_logs"})
"""Folders that may lie in a job's artifacts before the job is recorded."""


class Deletions:
    """Deletes jobs and workspaces; only the records are changed on the loop, all else beside it."""

    def __init__(self, context: EngineContext) -> None:
        self._context = context
        self._tasks: set[asyncio.Task[None]] = set()

    def resume_deletions(self) -> None:
        """Finish the deletions that a crash cut short."""
        for deletion in deletions.list_unfinished(self._context.db):
            workspace = workspaces.get_workspace(self._context.db, deletion.workspace_id)
            if not deletion.is_aside:
                try:
                    _move_aside(self._context, workspace, deletion)
                except Exception as error:
                    self._keep_names(deletion, error)
                    continue
                deletions.mark_aside(self._context.db, deletion)
            self._start_task(self._remove_files(workspace, deletion))
        for workspace in workspaces.list_deleted_with_rows(self._context.db):
            deletions.remove_workspace_rows(self._context.db, workspace)
        for workspace in workspaces.list_deleted(self._context.db):
            if _get_folder(self._context, workspace).exists():
                self._start_task(self._remove_workspace(workspace))

    async def delete_job(self, workspace: Workspace, job: Job, principal: str) -> None:
        """Delete a finished top job and all jobs below it, with their files. Goes on if the caller leaves."""
        looked = await _find_scope(self._context, workspace, job)
        now = jobs.find_by_name(self._context.db, workspace.id, job.name)
        if now is None or now.id != job.id:  # it was deleted meanwhile
            return
        deletion = _remove_rows(self._context, workspace, job, principal, looked)
        self._context.leaving.update(_list_names(deletion))
        await asyncio.shield(self._start_task(self._finish_deletion(workspace, deletion)))

    async def delete_workspace(self, workspace: Workspace) -> None:
        """Delete a workspace, all of whose jobs are over, with all its files. Goes on if the caller leaves."""
        refuse_unfinished(self._context, workspace)
        await refuse_shared(self._context, workspace)
        refuse_unfinished(self._context, workspace)
        deletions.remove_workspace_rows(self._context.db, workspace)
        await asyncio.shield(self._start_task(self._remove_workspace(workspace)))

    async def close(self) -> None:
        """Wait for the files that are being removed."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _start_task(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _finish_deletion(self, workspace: Workspace, deletion: Deletion) -> None:
        try:
            await asyncio.to_thread(_move_aside, self._context, workspace, deletion)
            deletions.mark_aside(self._context.db, deletion)
        except Exception as error:
            self._keep_names(deletion, error)
            return
        self._context.leaving.difference_update(_list_names(deletion))
        await self._remove_files(workspace, deletion)

    def _keep_names(self, deletion: Deletion, error: Exception) -> None:
        """Refuse new jobs of names whose files could not be moved aside; the next server tries again."""
        self._context.leaving.update(_list_names(deletion))
        log.error("job %s is deleted, but its files are in the way until a restart: %s", deletion.names[0], error)

    async def _remove_files(self, workspace: Workspace, deletion: Deletion) -> None:
        """Remove what was moved aside. If that fails, the next server does it."""
        try:
            await asyncio.to_thread(_remove_aside, _get_folder(self._context, workspace), deletion)
            deletions.remove_deletion(self._context.db, deletion)
        except Exception as error:
            log.error("job %s is deleted, but not all of its files are removed: %s", deletion.names[0], error)

    async def _remove_workspace(self, workspace: Workspace) -> None:
        """Remove the files of a deleted workspace. If that fails, the next server does it."""
        try:
            await asyncio.to_thread(remove_tree, _get_folder(self._context, workspace))
        except Exception as error:
            log.error("workspace %s is deleted, but not all of its files are removed: %s", workspace.name, error)


def _list_names(deletion: Deletion) -> set[tuple[int, str]]:
    return {(deletion.workspace_id, name) for name in deletion.names}


class _DeletionScope(NamedTuple):
    """The folders that may go with a job, and what else refers to them, as was found beside the loop."""

    places: dict[str, str]
    """By folder below the workspace's own: the real path."""
    attempts: set[str]
    """The folders in which attempts of the job worked."""
    held: set[str]
    """The places that versions, and outputs of other jobs, overlap."""
    by_job: dict[int, set[str]]
    """By id of an unfinished job: those that overlap what it names."""


async def _find_scope(context: EngineContext, workspace: Workspace, job: Job) -> _DeletionScope:
    tree = jobs.list_tree(context.db, job.root_id)
    top, ids = _get_folder(context, workspace), frozenset(one.id for one in tree)
    attempts = set(await asyncio.to_thread(_list_attempt_folders, top, [one.name for one in tree]))
    goes = _find_own_folders(context, tree) | attempts
    places = await asyncio.to_thread(lambda: {folder: os.path.realpath(top / folder) for folder in goes})
    folders = {f"{context.root}/workspaces/{workspace.folder}/{folder}": folder for folder in goes}
    folders.update({real: folder for folder, real in places.items()})
    overlaps = await asyncio.to_thread(Overlaps, folders)
    outputs = await asyncio.to_thread(_find_outputs_of_others, context, ids, overlaps)
    by_job = await context.held.find_in_jobs(
        overlaps, (one for one in jobs.list_unfinished(context.db) if one.id not in ids)
    )
    held = outputs | (await context.held.find_in_assets(overlaps)).keys()
    return _DeletionScope(
        places,
        attempts,
        {folders[place] for place in held},
        {id: {folders[place] for place in found} for id, found in by_job.items()},
    )


def _find_own_folders(context: EngineContext, tree: Sequence[Job]) -> set[str]:
    return (
        retention.list_own_folders(context.db, tree) | retention.list_released_folders(context.db, tree)
    ) - retention.list_folders_in_use(context.db, tree)


def _find_outputs_of_others(context: EngineContext, ids: frozenset[int], overlaps: Overlaps) -> set[str]:
    """Return the places where other jobs of any workspace wrote: a given path may lie in another workspace."""
    with context.db.open_reader() as db:
        return overlaps.find_overlapping(
            place for job_id, place in job_data.list_written_places(db) if job_id not in ids
        )


def _remove_rows(
    context: EngineContext, workspace: Workspace, job: Job, principal: str, looked: _DeletionScope
) -> Deletion:
    """Remove the rows of a job and all jobs below it, and record which folders go."""
    tree = jobs.list_tree(context.db, job.root_id)
    goes = (_find_own_folders(context, tree) | looked.attempts) & looked.places.keys() - looked.held
    _refuse_readers(context, workspace, job, tree, goes, looked.by_job)
    kept = [one.name for one in tree if retention.get_artifacts_folder(one) not in goes]
    with context.db.transaction():
        context.tracking.runs.record_removal(workspace, tree)
        deletion = deletions.add_deletion(context.db, tree, sorted(goes), kept, principal)
        _keep_writes(context, tree, {looked.places[folder] for folder in goes})
        job_removal.remove_tree(context.db, job)
    return deletion


def _keep_writes(context: EngineContext, tree: Sequence[Job], goes: set[str]) -> None:
    """Keep the places to which the jobs wrote and that stay: earlier outputs there remain known as overwritten."""
    for one in tree:
        for output, place in lineage.list_writes(context.db, one.id):
            if goes.isdisjoint(list_folders_above(place)):
                lineage.keep_write(context.db, one, output, place)


def refuse_deleted_name(context: EngineContext, workspace: Workspace, name: str) -> None:
    """Raise Conflict if others still refer to the artifacts of a deleted job of that name.

    Artifacts without a note are the new job's own, of a plan that a crash cut short.
    """
    if (workspace.id, name) in context.leaving:
        raise Conflict(
            f"job '{name}' is being deleted, and its files are still in the way; submit the new one when they are gone"
        )
    note = f"{context.home.root}/workspaces/{workspace.folder}/{_NOTES}/{_KEPT}/{name}.json"  # as text: for each step
    if os.path.exists(note) and _has_artifacts(context, workspace, name):
        raise Conflict(
            f"job '{name}' was deleted, and other jobs or registered versions still have its artifacts; "
            "choose another name"
        )


def refuse_deleted_names(context: EngineContext, workspace: Workspace, name: str) -> None:
    """Raise Conflict for a job that is submitted, and for the steps that the deleted job of its name had."""
    refuse_deleted_name(context, workspace, name)
    try:
        steps = json.loads(_get_note_path(_get_folder(context, workspace), name).read_bytes())
    except FileNotFoundError:
        return
    for step in steps:
        refuse_deleted_name(context, workspace, step)


def _has_artifacts(context: EngineContext, workspace: Workspace, name: str) -> bool:
    try:
        return bool(set(os.listdir(context.artifacts(workspace, name))) - _BEFORE_ANY_JOB)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _write_kept_names(context: EngineContext, workspace: Workspace, deletion: Deletion) -> None:
    """Note the jobs whose artifacts stay, so that a new job of the name is refused when it is submitted."""
    top, own = _get_folder(context, workspace), deletion.names[0]
    names = [name for name in deletion.kept if _has_artifacts(context, workspace, name)]
    _get_note_path(top, own).unlink(missing_ok=True)
    for name, kept in {**{name: [name] for name in names}, **({own: names} if names else {})}.items():
        note = _get_note_path(top, name)
        note.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # of a server that was killed
            note.with_suffix(".tmp").unlink()
        write_durably(note.with_suffix(".tmp"), note, [json.dumps(kept).encode()])


def _get_note_path(top: Path, name: str) -> Path:
    return Path(f"{top}/{_NOTES}/{_KEPT}/{name}.json")


def find_free_folder(context: EngineContext, workspace: Workspace, name: str) -> str:
    """Return the name of the folder for the outputs of a new job: the job's, or with a number if that is taken."""
    above = f"{context.data.datastores.get_folder(workspace.folder, 'workspaceblobstore')}/azureml"
    place, number = name, 1
    while os.path.lexists(f"{above}/{place}"):
        number += 1
        place = f"{name}.{number}"
    return place


def _refuse_readers(
    context: EngineContext,
    workspace: Workspace,
    job: Job,
    tree: Sequence[Job],
    goes: set[str],
    by_job: Mapping[int, set[str]],
) -> None:
    """Raise Conflict if an unfinished job of any workspace may be about to read the job's outputs.

    Jobs submitted after `by_job` had been looked up are known by the names in their text.
    """
    own, names = {one.id for one in tree}, {one.name for one in tree}
    for other in jobs.list_unfinished(context.db):
        if other.id in own:
            continue
        is_named = other.workspace_id == workspace.id and names & retention.find_job_names(
            jobs.read_body(context.db, other.id)
        )
        if is_named or goes & by_job.get(other.id, set()):
            raise Conflict(
                f"job '{other.name}' is {other.status} and reads what job '{job.name}' made; "
                "wait for its end, or cancel it"
            )


def _get_folder(context: EngineContext, workspace: Workspace) -> Path:
    return context.home.path("workspaces", workspace.folder)


def _move_aside(context: EngineContext, workspace: Workspace, deletion: Deletion) -> None:
    """Rename the folders that go, within the folder that holds each, durably; after a crash this goes on.

    A folder that its job made read-only, or that lies on a file system of its own, can be moved nowhere else.
    """
    _write_kept_names(context, workspace, deletion)
    top = _get_folder(context, workspace)
    changed = set()
    for folder in deletion.folders:
        above, name = os.path.split(top / folder)
        aside = f"{_make_prefix(deletion)}{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        try:
            os.rename(f"{above}/{name}", f"{above}/{aside}")
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno != errno.EBUSY:  # that is mounted there, is somebody else's, and stays
                raise
        changed.add(above)
    sync_folders(changed)


def _remove_aside(top: Path, deletion: Deletion) -> None:
    """Remove what was moved aside, which takes long."""
    for above in {_OF_ATTEMPTS, *(os.path.dirname(folder) for folder in deletion.folders)}:
        for left in (top / above).glob(f"{_make_prefix(deletion)}*"):
            remove_tree(left)


def _make_prefix(deletion: Deletion) -> str:
    """Return the prefix of the names that `_move_aside` gives; no job's name has a dot."""
    return f"deleted.{deletion.job_id}."


def _list_attempt_folders(top: Path, names: Sequence[str]) -> list[str]:
    """Return the folders in which the attempts worked: NAME, NAME.2 and so on."""
    having = set(names)
    found = os.listdir(top / _OF_ATTEMPTS) if (top / _OF_ATTEMPTS).is_dir() else []
    return [f"{_OF_ATTEMPTS}/{each}" for each in found if re.sub(r"\.\d+$", "", each) in having]
