"""Jobs with a run in the tracking store, and what the store has yet to be told of them."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from smalt.service.records.composite_state import RUN_METRICS
from smalt.service.records.database import Database
from smalt.service.records.jobs import COLUMNS, Job

_JOB = ", ".join(f"j.{column.strip()}" for column in COLUMNS.split(","))
_OPEN = "t.status NOT IN ('Completed', 'Failed', 'Canceled')"


@dataclass(slots=True)
class RunFacts:
    """The facts that fill in a job's run, besides the job's row."""

    inputs: dict[str, Any]
    tags: dict[str, Any]
    properties: dict[str, Any]
    description: str | None
    command: str | None
    code: str | None
    data: dict[str, tuple[str, str | None, str | None]]
    """input → type, uri, asset"""
    places: dict[str, str] = field(default_factory=dict)
    """input → where it was when the job started"""
    metrics: dict[str, float] = field(default_factory=dict)
    """The metrics that smalt itself writes to the run."""


def find_jobs(db: Database, workspace_id: int, names: Collection[str]) -> list[Job]:
    """Return the jobs of these names that exist."""
    rows = db.rows(
        f"SELECT {_JOB} FROM jobs j WHERE j.workspace_id=? AND j.name IN (SELECT value FROM json_each(?))",
        (workspace_id, json.dumps(list(names))),
    )
    return [Job(*row) for row in rows]


def list_jobs(db: Database, ids: Iterable[int]) -> list[Job]:
    """Return the jobs of these ids that exist, in the order of their ids."""
    rows = db.rows(
        f"SELECT {_JOB} FROM jobs j WHERE j.id IN (SELECT value FROM json_each(?)) ORDER BY j.id", _as_json(ids)
    )
    return [Job(*row) for row in rows]


def add_ancestors(db: Database, jobs: Iterable[Job]) -> list[Job]:
    """Return the jobs and all above them, parents first."""
    found = {job.id: job for job in jobs}
    while missing := {job.parent_id for job in found.values() if job.parent_id is not None} - found.keys():
        found.update((job.id, job) for job in list_jobs(db, missing))
    return [found[id] for id in sorted(found)]


def list_written(db: Database, ids: Iterable[int]) -> dict[int, str]:
    """Return {job id: status as last written} of the jobs that have a run; the status is empty if more than it has
    changed.
    """
    rows = db.rows(
        "SELECT job_id, status FROM tracked_runs WHERE job_id IN (SELECT value FROM json_each(?))", _as_json(ids)
    )
    return dict(rows)


def list_open(db: Database) -> set[int]:
    """Return the ids of the jobs with a run whose end is not written."""
    return {id for (id,) in db.rows(f"SELECT t.job_id FROM tracked_runs t WHERE {_OPEN}")}


def list_missed_ends(db: Database) -> list[Job]:
    """Return the jobs that are over though their runs do not say so."""
    rows = db.rows(
        f"SELECT {_JOB} FROM tracked_runs t JOIN jobs j ON j.id=t.job_id"
        f" WHERE {_OPEN} AND j.ended_at IS NOT NULL ORDER BY j.id"
    )
    return [Job(*row) for row in rows]


def list_without_run(db: Database, workspace_id: int, after: int, experiment: str | None, limit: int) -> list[Job]:
    """Return the first jobs with a higher id than `after` that have no run."""
    more, values = (" AND j.experiment=?", [experiment]) if experiment else ("", [])
    rows = db.rows(
        f"SELECT {_JOB} FROM jobs j WHERE j.id>? AND j.workspace_id=?{more}"
        " AND NOT EXISTS (SELECT 1 FROM tracked_runs t WHERE t.job_id=j.id) ORDER BY j.id LIMIT ?",
        (after, workspace_id, *values, limit),
    )
    return [Job(*row) for row in rows]


def list_changed(db: Database, workspace_id: int) -> list[Job]:
    """Return the jobs whose runs are not over and show another status than theirs."""
    rows = db.rows(
        f"SELECT {_JOB} FROM tracked_runs t JOIN jobs j ON j.id=t.job_id"
        f" WHERE t.workspace_id=? AND {_OPEN} AND t.status!=j.status ORDER BY j.id",
        (workspace_id,),
    )
    return [Job(*row) for row in rows]


def put_runs(db: Database, jobs: Iterable[Job]) -> None:
    """Record that the runs of these jobs exist and show their statuses; jobs removed meanwhile are skipped."""
    now = time.time()
    with db.transaction():
        db.execute_many(
            "INSERT INTO tracked_runs (job_id, workspace_id, status, created_by, created_at)"
            " SELECT ?1, ?2, ?3, ?4, ?5 WHERE EXISTS (SELECT 1 FROM jobs WHERE id=?1)"
            " ON CONFLICT (job_id) DO UPDATE SET status=excluded.status",
            [(job.id, job.workspace_id, job.status, job.created_by, now) for job in jobs],
        )


def put_unwritten(db: Database, job: Job) -> None:
    """Record that the job is to have a run, of which nothing is written yet."""
    db.execute(
        "INSERT OR IGNORE INTO tracked_runs (job_id, workspace_id, status, created_by, created_at) VALUES (?,?,'',?,?)",
        (job.id, job.workspace_id, job.created_by, time.time()),
    )


def clear_status(db: Database, id: int) -> None:
    """Record that the run no longer shows what the job is, and must be written whole."""
    db.execute("UPDATE tracked_runs SET status='' WHERE job_id=?", (id,))


def list_names(db: Database, ids: Iterable[int]) -> dict[int, str]:
    return dict(db.rows("SELECT id, name FROM jobs WHERE id IN (SELECT value FROM json_each(?))", _as_json(ids)))


def read_facts(db: Database, ids: Collection[int]) -> dict[int, RunFacts]:
    """Return the facts from the bodies and the data of these jobs."""
    bodies = db.rows(
        "SELECT job_id, json_extract(body, '$.inputs', '$.tags', '$.properties', '$.description', '$.command',"
        " '$.codeId') FROM job_bodies WHERE job_id IN (SELECT value FROM json_each(?))",
        _as_json(ids),
    )
    found = {id: _make_facts(*json.loads(body)) for id, body in bodies}
    read = db.rows(
        "SELECT job_id, name, type, uri, asset, place FROM job_data"
        " WHERE direction='input' AND job_id IN (SELECT value FROM json_each(?))",
        _as_json(ids),
    )
    states = db.rows(
        "SELECT id, state FROM jobs WHERE state IS NOT NULL AND id IN (SELECT value FROM json_each(?))", _as_json(ids)
    )
    for id, state in states:
        found[id].metrics = json.loads(state).get(RUN_METRICS) or {}
    for id, name, type, uri, asset, place in read:
        found[id].data[name] = (type, uri, asset)
        if place:
            found[id].places[name] = place
    return found


def _make_facts(inputs: Any, tags: Any, properties: Any, description: Any, command: Any, code: Any) -> RunFacts:
    return RunFacts(_as_mapping(inputs), _as_mapping(tags), _as_mapping(properties), description, command, code, {})


def _as_mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _as_json(ids: Iterable[int]) -> tuple[str]:
    return (json.dumps(list(ids)),)


def put_gone(db: Database, workspace_id: int, names: Sequence[str]) -> None:
    """Record the names of deleted jobs whose runs are still there."""
    rows = [(workspace_id, name, time.time()) for name in names]
    db.execute_many("INSERT OR IGNORE INTO tracked_gone (workspace_id, name, created_at) VALUES (?,?,?)", rows)


def list_gone(db: Database, workspace_id: int) -> list[str]:
    return [name for (name,) in db.rows("SELECT name FROM tracked_gone WHERE workspace_id=?", (workspace_id,))]


def list_workspaces_with_gone(db: Database) -> set[int]:
    """Return the ids of the workspaces that have runs of deleted jobs."""
    return {id for (id,) in db.rows("SELECT DISTINCT workspace_id FROM tracked_gone")}


def remove_gone(db: Database, workspace_id: int, names: Sequence[str]) -> None:
    with db.transaction():
        rows = [(workspace_id, name) for name in names]
        db.execute_many("DELETE FROM tracked_gone WHERE workspace_id=? AND name=?", rows)
