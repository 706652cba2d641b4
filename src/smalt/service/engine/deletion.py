"""Deleting a job: what goes with it, what stays as others have it, and what a crash in between leaves to be done.

A note of what goes is durable before the job's rows are removed, and is carried out after that: at once, or by the next
server of the home before it answers anyone. What goes gets another name first, so that a new job of that name never
meets it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from smalt.exceptions import Conflict
from smalt.service.data import remove_tree
from smalt.service.data.durable import write_whole
from smalt.service.engine.rooms import Rooms
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.reuse import keeping

_NOTES = "deleted"
_GRAVES = "graves"
_KEPT = "kept"
"""In the folder of notes: by the name of a deleted job, or of a step of one, the jobs of it whose artifacts stay."""
_OF_ATTEMPTS = "jobs"
_BEFORE_ANY_JOB = frozenset({"system_logs"})
"""What may lie in a job's artifacts before the job is recorded."""


def delete(rooms: Rooms, workspace: Workspace, job: Job) -> Path:
    """Forget a finished top job and all below it; return the note of the folders that are to be removed."""
    tree = jobs.tree(rooms.db, job.root_id)
    _refuse_readers(rooms, job, tree)
    top = _top(rooms, workspace)
    goes = keeping.own(rooms.db, tree) | keeping.left(rooms.db, tree)
    goes -= keeping.in_use(rooms.db, tree, workspace)
    note = top / _NOTES / f"{job.name}.json"
    content = json.dumps({"job": job.id, "folders": sorted([*goes, *_folders_of_attempts(top, tree)])})
    with contextlib.suppress(FileNotFoundError):
        note.unlink()
    write_whole(note.with_suffix(".tmp"), note, [content.encode()])
    _note_kept(rooms, workspace, top, job, [one.name for one in tree if keeping.artifacts_of(one) not in goes])
    rooms.tracking.runs.removed(workspace, tree)
    try:
        jobs.remove(rooms.db, job)
    except BaseException:
        note.unlink(missing_ok=True)
        raise
    _set_aside(top, note)
    return note


def finish(note: Path) -> None:
    """Remove what a note tells of, which was set aside before; takes long."""
    remove_tree(note.parent / _GRAVES / note.stem)
    note.unlink(missing_ok=True)


def finish_all(rooms: Rooms) -> list[Path]:
    """Set aside what deletions that a crash cut short have left; return the notes that are to be finished."""
    found = []
    for note in sorted(rooms.home.path("workspaces").glob(f"*/{_NOTES}/*.json")):
        if rooms.db.value("SELECT 1 FROM jobs WHERE id=?", (json.loads(note.read_text())["job"],)):
            note.unlink()  # the job was not deleted
        else:
            _set_aside(note.parent.parent, note)
            found.append(note)
    return found


def refuse_kept_name(rooms: Rooms, workspace: Workspace, name: str) -> None:
    """Raise where the artifacts of a deleted job of that name are others' by now: a new one would write into them.

    Artifacts without a note are this job's own, of a plan that a crash cut short.
    """
    if _kept(_top(rooms, workspace), name).exists() and _has_artifacts(rooms, workspace, name):
        raise Conflict(
            f"job '{name}' was deleted, and other jobs or registered versions still have its artifacts; "
            "choose another name"
        )


def refuse_kept_names(rooms: Rooms, workspace: Workspace, name: str) -> None:
    """Raise the same for a job that is submitted, and for the steps that the deleted job of its name had."""
    refuse_kept_name(rooms, workspace, name)
    try:
        steps = json.loads(_kept(_top(rooms, workspace), name).read_bytes())
    except FileNotFoundError:
        return
    for step in steps:
        refuse_kept_name(rooms, workspace, step)


def _has_artifacts(rooms: Rooms, workspace: Workspace, name: str) -> bool:
    try:
        return bool(set(os.listdir(rooms.artifacts(workspace, name))) - _BEFORE_ANY_JOB)
    except (FileNotFoundError, NotADirectoryError):
        return False


def _note_kept(rooms: Rooms, workspace: Workspace, top: Path, job: Job, names: list[str]) -> None:
    """Note the jobs whose artifacts stay, so that a new job of the name is refused when it is submitted."""
    names = [name for name in names if _has_artifacts(rooms, workspace, name)]
    _kept(top, job.name).unlink(missing_ok=True)
    for name, kept in {**{name: [name] for name in names}, **({job.name: names} if names else {})}.items():
        note = _kept(top, name)
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note.with_suffix(".tmp"), note, [json.dumps(kept).encode()])


def _kept(top: Path, name: str) -> Path:
    return top / _NOTES / _KEPT / f"{name}.json"


def free_place(rooms: Rooms, workspace: Workspace, name: str) -> str:
    """Return the name of the folder for the outputs of a new job: its own, or with a number where that is taken."""
    above = f"{rooms.data.datastores.folder(workspace.folder, 'workspaceblobstore')}/azureml"
    place, number = name, 1
    while os.path.lexists(f"{above}/{place}"):
        number += 1
        place = f"{name}.{number}"
    return place


def _refuse_readers(rooms: Rooms, job: Job, tree: Sequence[Job]) -> None:
    """An unfinished job may be about to read what this one made."""
    own, names = {one.id for one in tree}, {one.name for one in tree}
    for other in jobs.unfinished(rooms.db):
        if other.id in own or other.workspace_id != job.workspace_id:
            continue
        if names & keeping.named_in(jobs.body(rooms.db, other.id)):
            raise Conflict(
                f"job '{other.name}' is {other.status} and reads what job '{job.name}' made; "
                "wait for its end, or cancel it"
            )


def _top(rooms: Rooms, workspace: Workspace) -> Path:
    return rooms.home.path("workspaces", workspace.folder)


def _folders_of_attempts(top: Path, tree: Iterable[Job]) -> list[str]:
    """Where the attempts worked: NAME, NAME.2 and so on."""
    names = {one.name for one in tree}
    found = os.listdir(top / _OF_ATTEMPTS) if (top / _OF_ATTEMPTS).is_dir() else []
    return [f"{_OF_ATTEMPTS}/{each}" for each in found if re.sub(r"\.\d+$", "", each) in names]


def _set_aside(top: Path, note: Path) -> None:
    """Give what a note tells of another name."""
    grave = note.parent / _GRAVES / note.stem
    grave.mkdir(parents=True, exist_ok=True)
    for number, folder in enumerate(json.loads(note.read_text())["folders"]):
        place = top / folder
        try:
            os.rename(place, grave / str(number))
        except FileNotFoundError:
            continue
        except OSError:  # on another file system, or a mount, or half done before the crash
            remove_tree(place)
