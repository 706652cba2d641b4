"""Jobs. Every change of state writes its event in the same transaction."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from smalt.service.records import events, workspaces
from smalt.service.records.database import Database

TERMINAL = frozenset({"Completed", "Failed", "Canceled"})
"""The states that a job does not leave."""
WAITING = ("NotStarted", "Queued", "Preparing")
"""The states of a job whose process, or whose first step, has not started."""
SHOWN_STATUS = (
    "CASE WHEN j.is_composite=0 AND j.status IN ('NotStarted', 'Queued')"
    " THEN iif(j.waiting>0, 'NotStarted', 'Queued') ELSE j.status END"
)
"""The state of a job `j` as `get_shown_status` in the API gives it."""

COLUMNS = (
    "id, workspace_id, name, parent_id, root_id, node, type, status, waiting, open, planned, cancel_requested,"
    " is_archived, experiment, display_name, body_hash, error, created_by, created_at, started_at, ended_at,"
    " empty_outputs, is_composite, end_number"
)
JOINED_COLUMNS = ", ".join(f"j.{column.strip()}" for column in COLUMNS.split(","))
"""The columns of a job `j` in a query of several tables."""


@dataclass(slots=True)
class Job:
    """A job's row. Its body, which may be large, is read by `read_properties`."""

    id: int
    workspace_id: int
    name: str
    parent_id: int | None
    root_id: int
    node: str | None
    type: str
    status: str
    waiting: int
    open: int
    planned: int
    cancel_requested: int
    is_archived: int
    experiment: str
    display_name: str | None
    body_hash: str
    error: str | None
    created_by: str
    created_at: float
    started_at: float | None
    ended_at: float | None
    empty_outputs: str | None = None
    """The outputs to which it wrote nothing, though it completed; written with its last state."""
    is_composite: int = 0
    """1 if the job makes child jobs and has no process of its own."""
    end_number: int | None = None
    """The place of its end among the ends that its parent was told; None until the parent's kind has reacted to it."""
    unwritten: tuple[str, ...] = ()
    """The statuses that it went through since its row was written; see `note_running`."""

    @property
    def is_over(self) -> bool:
        return self.status in TERMINAL

    @property
    def ended_by(self) -> dict[str, Any] | None:
        """The error of a finished job. Before it finishes, `error` holds the reason of a requested cancellation."""
        return json.loads(self.error) if self.error and self.is_over else None


@dataclass(slots=True)
class NewJob:
    """A job about to be recorded."""

    name: str
    type: str
    body: dict[str, Any]
    experiment: str
    display_name: str | None = None
    body_hash: str = ""
    node: str | None = None
    waiting: int = 0
    is_composite: bool = False


def add_job(db: Database, workspace_id: int, new: NewJob, principal: str, parent: Job | None = None) -> Job:
    """Record a job that was accepted, with its first event."""
    added = add_jobs(db, workspace_id, [new], principal, parent)
    return get_job(db, added[0])


def add_jobs(
    db: Database, workspace_id: int, news: Sequence[NewJob], principal: str, parent: Job | None = None
) -> list[int]:
    """Record jobs of one parent and return their ids, in the same order."""
    now = time.time()
    with db.transaction():
        if parent is None:
            workspaces.refuse_deleted(db, workspace_id)
        first = _get_last_id(db) + 1
        ids = list(range(first, first + len(news)))
        _insert_rows(db, workspace_id, list(zip(ids, news, strict=True)), principal, parent, now)
        if parent is None:
            _add_tags(db, workspace_id, [(id, new.body) for id, new in zip(ids, news, strict=True)])
        root_id = parent.root_id if parent else None
        events.append_events(
            db, [(workspace_id, id, root_id or id, now, "status", "NotStarted", principal) for id in ids]
        )
        if parent:
            db.execute("UPDATE jobs SET open=open+? WHERE id=?", (len(ids), parent.id))
    return ids


def _insert_rows(
    db: Database,
    workspace_id: int,
    news: Sequence[tuple[int, NewJob]],
    principal: str,
    parent: Job | None,
    now: float,
) -> None:
    parent_id = parent.id if parent else None
    db.execute_many(
        "INSERT INTO jobs (id, workspace_id, name, parent_id, root_id, node, type, status, waiting, experiment,"
        " display_name, body_hash, is_composite, created_by, created_at)"
        " VALUES (?,?,?,?,?,?,?,'NotStarted',?,?,?,?,?,?,?)",
        (
            (
                id, workspace_id, new.name, parent_id, parent.root_id if parent else id, new.node, new.type,
                new.waiting, new.experiment, new.display_name, new.body_hash, int(new.is_composite), principal, now,
            )
            for id, new in news
        ),
    )  # fmt: skip
    bodies = ((id, json.dumps(new.body)) for id, new in news)
    db.execute_many("INSERT INTO job_bodies (job_id, body) VALUES (?,?)", bodies)


def _get_last_id(db: Database) -> int:
    """Return the highest id that a job has or had."""
    return int(db.value("SELECT max(coalesce((SELECT max(id) FROM jobs), 0), (SELECT id FROM last_job))"))


def save_last_id(db: Database) -> None:
    """Save the highest id before jobs are removed, so that no new job gets the id of one of them."""
    db.execute("UPDATE last_job SET id=?", (_get_last_id(db),))


def get_job(db: Database, id: int) -> Job:
    return Job(*db.rows(f"SELECT {COLUMNS} FROM jobs WHERE id=?", (id,))[0])


def list_jobs(db: Database, ids: Sequence[int]) -> list[Job]:
    """Return these jobs, by id."""
    rows = db.rows(
        f"SELECT {COLUMNS} FROM jobs WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id", (json.dumps(ids),)
    )
    return [Job(*row) for row in rows]


def find_job(db: Database, id: int) -> Job | None:
    """Return the job unless it was deleted."""
    row = db.row(f"SELECT {COLUMNS} FROM jobs WHERE id=?", (id,))
    return Job(*row) if row else None


def find_waiting(db: Database, id: int) -> Job | None:
    """Return a queued job, unless it was canceled, and perhaps deleted, since it was queued."""
    job = find_job(db, id)
    return None if job is None or job.is_over else job


def read_body(db: Database, id: int) -> str:
    """Return the REST properties as accepted, as JSON."""
    return str(db.value("SELECT body FROM job_bodies WHERE job_id=?", (id,)))


def read_properties(db: Database, id: int) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(read_body(db, id))
    return loaded


def find_by_name(db: Database, workspace_id: int, name: str) -> Job | None:
    row = db.row(f"SELECT {COLUMNS} FROM jobs WHERE workspace_id=? AND name=?", (workspace_id, name))
    return Job(*row) if row else None


def list_names_with_prefix(db: Database, workspace_id: int, prefix: str, besides: int) -> set[str]:
    """Return the names that begin with `prefix`, except those of the children of the job `besides`."""
    rows = db.rows(
        "SELECT name FROM jobs WHERE workspace_id=? AND name>=? AND name<? AND parent_id IS NOT ?",
        (workspace_id, prefix, f"{prefix}\U0010ffff", besides),
    )
    return {name for (name,) in rows}


def list_children(db: Database, parent_id: int) -> list[Job]:
    return [Job(*row) for row in db.rows(f"SELECT {COLUMNS} FROM jobs WHERE parent_id=? ORDER BY id", (parent_id,))]


def list_children_named(db: Database, parent_id: int, nodes: Iterable[str]) -> list[Job]:
    """Return the children of these names."""
    rows = db.rows(
        f"SELECT {COLUMNS} FROM jobs WHERE parent_id=? AND node IN (SELECT value FROM json_each(?)) ORDER BY +id",
        (parent_id, json.dumps(list(nodes))),
    )
    return [Job(*row) for row in rows]


def list_tree(db: Database, root_id: int) -> list[Job]:
    """Return a root job and all below it, parents first."""
    return [Job(*row) for row in db.rows(f"SELECT {COLUMNS} FROM jobs WHERE root_id=? ORDER BY id", (root_id,))]


def list_unfinished(db: Database) -> list[Job]:
    """Return all jobs that are not over, parents first."""
    return [Job(*row) for row in db.rows(f"SELECT {COLUMNS} FROM jobs WHERE ended_at IS NULL ORDER BY id")]


def find_unfinished(db: Database, ids: Sequence[int]) -> set[int]:
    """Return the ids, among these, of jobs that are not over."""
    rows = db.rows(
        "SELECT id FROM jobs WHERE ended_at IS NULL AND id IN (SELECT value FROM json_each(?))", (json.dumps(ids),)
    )
    return {id for (id,) in rows}


def list_unfinished_roots(db: Database) -> list[Job]:
    """Return the root jobs that are not over."""
    rows = db.rows(f"SELECT {COLUMNS} FROM jobs WHERE ended_at IS NULL AND parent_id IS NULL ORDER BY id")
    return [Job(*row) for row in rows]


def list_ready(db: Database, limit: int) -> list[Job]:
    """Return the oldest jobs whose dependencies are met and that have not started."""
    rows = db.rows(
        f"SELECT {COLUMNS} FROM jobs WHERE ended_at IS NULL AND waiting=0 AND status IN ('NotStarted', 'Queued')"
        " ORDER BY id LIMIT ?",
        (limit,),
    )
    return [Job(*row) for row in rows]


def count_unfinished(db: Database) -> int:
    return int(db.value("SELECT count(*) FROM jobs WHERE ended_at IS NULL AND parent_id IS NULL"))


def note_running(job: Job, started_at: float) -> None:
    """Note that a job ran which has ended as well: the `set_status` that follows in this transaction writes both."""
    job.unwritten = ("Preparing", "Running")
    job.status = job.unwritten[-1]
    job.started_at = job.started_at or started_at


def set_status(
    db: Database,
    job: Job,
    *statuses: str,
    error: dict[str, Any] | None = None,
    started_at: float | None = None,
) -> None:
    """Move the job through `statuses`; each is an event. Call inside a transaction, before acting on it.

    `started_at` is for a job that turns out to have been running since then. A job that has its `ended_at` keeps it.
    """
    now = time.time()
    statuses, job.unwritten = job.unwritten + statuses, ()
    events.append_events(
        db,
        [(job.workspace_id, job.id, job.root_id, now, "status", status, job.created_by) for status in statuses],
    )
    job.status = statuses[-1]
    if job.started_at is None and ("Running" in statuses or job.status in TERMINAL):
        job.started_at = started_at or now
    if job.is_over:
        job.ended_at = job.ended_at or now
    if error is not None or job.status == "Completed":  # a cancellation that came too late is no error
        job.error = json.dumps(error) if error is not None else None
    db.execute(
        "UPDATE jobs SET status=?, started_at=?, ended_at=?, error=?, empty_outputs=? WHERE id=?",
        (job.status, job.started_at, job.ended_at, job.error, job.empty_outputs, job.id),
    )


def update_description(
    db: Database, job: Job, properties: dict[str, Any], *, display_name: str | None, is_archived: bool
) -> None:
    """Change what does not affect the run: names, tags, properties, archived."""
    with db.transaction():
        db.execute("UPDATE job_bodies SET body=? WHERE job_id=?", (json.dumps(properties), job.id))
        db.execute("UPDATE jobs SET display_name=?, is_archived=? WHERE id=?", (display_name, int(is_archived), job.id))
        if job.parent_id is None:
            db.execute("DELETE FROM job_tags WHERE job_id=?", (job.id,))
            _add_tags(db, job.workspace_id, [(job.id, properties)])
        change = (job.workspace_id, job.id, job.root_id, time.time(), "description", "", job.created_by)
        events.append_events(db, [change])


def _add_tags(db: Database, workspace_id: int, bodies: Iterable[tuple[int, dict[str, Any]]]) -> None:
    """Record the tags of top jobs, for lists."""
    rows = [
        (workspace_id, key, id, str(value))
        for id, body in bodies
        if isinstance(tags := body.get("tags"), dict)
        for key, value in tags.items()
    ]
    if rows:
        db.execute_many("INSERT INTO job_tags (workspace_id, key, job_id, value) VALUES (?,?,?,?)", rows)


def set_properties(db: Database, job: Job, properties: dict[str, Any]) -> None:
    """Replace the REST properties, for what is known of a job only when it starts."""
    db.execute("UPDATE job_bodies SET body=? WHERE job_id=?", (json.dumps(properties), job.id))


def set_planned(db: Database, job: Job) -> None:
    job.planned = 1
    db.execute("UPDATE jobs SET planned=1 WHERE id=?", (job.id,))


def request_cancel(db: Database, job: Job, why: dict[str, Any] | None = None) -> None:
    """Record that the job is to be canceled, and `why`; the first reason stays."""
    job.cancel_requested = 1
    job.error = job.error or (json.dumps(why) if why else None)
    db.execute("UPDATE jobs SET cancel_requested=1, error=? WHERE id=?", (job.error, job.id))


def has_skippable_children(db: Database, parent_id: int) -> bool:
    """Return True if a child is composite or was canceled, so that an output of its parent may have no data."""
    row = db.row("SELECT 1 FROM jobs WHERE parent_id=? AND (is_composite OR status='Canceled') LIMIT 1", (parent_id,))
    return row is not None


def list_unsuccessful(db: Database, workspace_id: int, before: float) -> list[Job]:
    """Return the jobs of the workspace that failed or were canceled before a time."""
    rows = db.rows(
        f"SELECT {COLUMNS} FROM jobs WHERE workspace_id=? AND status IN ('Failed', 'Canceled') AND ended_at<?",
        (workspace_id, before),
    )
    return [Job(*row) for row in rows]


def get_name(db: Database, id: int) -> str:
    return str(db.value("SELECT name FROM jobs WHERE id=?", (id,)))


def is_cancel_requested(db: Database, id: int) -> bool:
    return bool(db.value("SELECT cancel_requested FROM jobs WHERE id=?", (id,)))


def list_children_with_status(db: Database, parent_id: int, status: str) -> list[tuple[str, str | None]]:
    """Return (node, error as JSON) of the children in that state."""
    return [
        (node, error)
        for node, error in db.rows(
            "SELECT node, error FROM jobs WHERE parent_id=? AND status=? ORDER BY ended_at, id", (parent_id, status)
        )
    ]


def is_over(db: Database, id: int) -> bool:
    """Return True if the job has ended, also if it was deleted since."""
    return not db.value("SELECT 1 FROM jobs WHERE id=? AND ended_at IS NULL", (id,))
