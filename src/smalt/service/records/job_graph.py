"""The tree of a job as a graph, and the history of its states."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_MOST_LOOKED_AT = 100
"""Earlier pipelines in which a step is looked for."""


class StateChange(NamedTuple):
    """A state that a job entered, and when."""

    job_id: int
    status: str
    at: float


class ChangedJobs(NamedTuple):
    """Jobs with new events."""

    last: int
    """The id of the last event."""
    ids: list[int]


def list_dependencies(db: Database, root_id: int) -> list[tuple[int, int]]:
    """Return (job, job that waits for it) of all jobs of a tree."""
    rows = db.rows(
        "SELECT n.needs_id, n.job_id FROM jobs j JOIN job_needs n ON n.needs_id=j.id WHERE j.root_id=?"
        " ORDER BY n.needs_id, n.job_id",
        (root_id,),
    )
    return [(needed, job) for needed, job in rows]


def find_edge_steps(db: Database, id: int) -> tuple[str | None, str | None]:
    """Return the steps that run before, and after, all others of a pipeline."""
    names = "json_extract(body, '$.settings.on_init'), json_extract(body, '$.settings.on_finalize')"
    first, last = db.rows(f"SELECT {names} FROM job_bodies WHERE job_id=?", (id,))[0]
    return first, last


def count_attempts(db: Database, root_id: int) -> dict[int, int]:
    """Return job → its attempts, of the jobs of a tree that have some."""
    rows = db.rows(
        "SELECT a.job_id, count(*) FROM jobs j JOIN job_attempts a ON a.job_id=j.id WHERE j.root_id=?"
        " GROUP BY a.job_id",
        (root_id,),
    )
    return dict(rows)


def count_attempts_of(db: Database, ids: Sequence[int]) -> dict[int, int]:
    """Return job → its attempts, of those among these jobs that have some."""
    rows = db.rows(
        "SELECT job_id, count(*) FROM job_attempts WHERE job_id IN (SELECT value FROM json_each(?)) GROUP BY job_id",
        (json.dumps(ids),),
    )
    return dict(rows)


def list_state_changes(db: Database, root_id: int) -> list[StateChange]:
    """Return the states that the jobs of a tree entered, in order."""
    rows = db.rows(
        "SELECT job_id, data, at FROM events WHERE root_id=? AND kind='status' AND job_id IS NOT NULL ORDER BY id",
        (root_id,),
    )
    return [StateChange(*row) for row in rows]


def list_attempts(db: Database, job_id: int) -> list[dict[str, Any]]:
    """Return the attempts of a job, as they are shown."""
    names = (
        *("number", "compute", "host", "pid", "start", "end", "exit_code", "signal", "reason"),
        *("cpu_seconds", "peak_memory_bytes", "first_line_seconds", "start_mode"),
        *("imported_before", "saved_seconds", "cold_reason"),
    )
    rows = db.rows(
        "SELECT number, compute, host, pid, started_at, ended_at, exit_code, signal, reason,"
        " cpu_seconds, peak_memory, first_line_seconds, start_mode, imported_before, saved_seconds, cold_reason"
        " FROM job_attempts WHERE job_id=? ORDER BY number",
        (job_id,),
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def find_last_event(db: Database) -> int:
    return int(db.value("SELECT coalesce(max(id), 0) FROM events"))


def find_changed_jobs(db: Database, workspace_id: int, after: int, root_id: int | None, limit: int) -> ChangedJobs:
    """Return the jobs of a tree with events after `after`; without a root, the top jobs with events in their trees."""
    if root_id is not None:
        rows = db.rows(
            "SELECT id, job_id FROM events WHERE root_id=? AND id>? ORDER BY id LIMIT ?", (root_id, after, limit)
        )
    else:
        rows = db.rows(
            "SELECT id, root_id FROM events WHERE id>? AND workspace_id=? ORDER BY id LIMIT ?",
            (after, workspace_id, limit),
        )
    ids = dict.fromkeys(id for _, id in rows if id is not None)
    return ChangedJobs(rows[-1][0] if rows else after, list(ids))


def find_previous_name(db: Database, job: Job) -> str | None:
    """Return the name of the newest earlier job of the same experiment and type; of a step, of that step's."""
    place = (job.workspace_id, job.experiment)
    if job.parent_id is None:
        found = db.value(
            "SELECT name FROM jobs WHERE workspace_id=? AND experiment=? AND parent_id IS NULL AND type=? AND id<?"
            " ORDER BY id DESC LIMIT 1",
            (*place, job.type, job.id),
        )
    else:
        found = db.value(
            "SELECT j.name FROM (SELECT id FROM jobs WHERE workspace_id=? AND experiment=? AND parent_id IS NULL"
            " AND id<? ORDER BY id DESC LIMIT ?) r JOIN jobs j ON j.root_id=r.id WHERE j.node=? AND j.type=?"
            " AND j.parent_id IS NOT NULL ORDER BY r.id DESC, j.id LIMIT 1",
            (*place, job.root_id, _MOST_LOOKED_AT, job.node, job.type),
        )
    return None if found is None else str(found)
