"""Dependencies between sibling jobs, and children that are held back."""

from __future__ import annotations

from collections.abc import Iterable

from smalt.service.records.database import Database
from smalt.service.records.jobs import COLUMNS, JOINED_COLUMNS, SHOWN_STATUS, Job


def add_dependencies(db: Database, pairs: Iterable[tuple[int, int]]) -> None:
    """Add (job, job it waits for) pairs; the jobs' `waiting` counts must already include them."""
    db.execute_many("INSERT INTO job_needs (job_id, needs_id) VALUES (?,?)", pairs)


def release_dependents(db: Database, job: Job) -> list[Job]:
    """Decrease `waiting` of the jobs that depend on `job`, which is over; return them, in order, as they are now."""
    rows = db.rows(
        "UPDATE jobs SET waiting=waiting-1 WHERE ended_at IS NULL"
        f" AND id IN (SELECT job_id FROM job_needs WHERE needs_id=?) RETURNING {COLUMNS}",
        (job.id,),
    )
    return sorted((Job(*row) for row in rows), key=lambda one: one.id)


def find_held_child(db: Database, parent_id: int, after: int) -> Job | None:
    """Return the first child with a higher id than `after` that waits and has not ended.

    The children must not need each other: one that waits is held back.
    """
    row = db.row(
        f"SELECT {COLUMNS} FROM jobs WHERE parent_id=? AND id>? AND ended_at IS NULL AND waiting>0"
        " AND cancel_requested=0 ORDER BY id LIMIT 1",
        (parent_id, after),
    )
    return Job(*row) if row else None


def release_job(db: Database, job: Job) -> Job:
    """Decrease `waiting` of a job that was held back; return the job as it is now."""
    return Job(*db.rows(f"UPDATE jobs SET waiting=waiting-1 WHERE id=? RETURNING {COLUMNS}", (job.id,))[0])


def count_free_children(db: Database, parent_id: int) -> int:
    """Return the number of children that are not over and wait for none that is not.

    The parent need not have been told of the end of what a child waited for.
    """
    return int(
        db.value(
            "SELECT (SELECT count(*) FROM jobs WHERE parent_id=?1 AND end_number IS NULL AND ended_at IS NULL"
            " AND waiting=0)"
            " + (SELECT count(*) FROM jobs k JOIN job_needs n ON n.needs_id=k.id JOIN jobs j ON j.id=n.job_id"
            " WHERE k.parent_id=?1 AND k.end_number IS NULL AND k.ended_at IS NOT NULL"
            " AND j.ended_at IS NULL AND j.waiting=1)",
            (parent_id,),
        )
    )


def list_unfinished_needs(db: Database, job: Job, limit: int) -> list[tuple[str, str]]:
    """Return (node, status) of the first steps that the job depends on and that are not over."""
    if not job.waiting:
        return []
    return [
        (node, status)
        for node, status in db.rows(  # by its siblings: needs are found only by what is needed
            f"SELECT j.node, {SHOWN_STATUS} FROM jobs j WHERE j.parent_id=? AND j.ended_at IS NULL"
            " AND EXISTS (SELECT 1 FROM job_needs n WHERE n.needs_id=j.id AND n.job_id=?) ORDER BY j.id LIMIT ?",
            (job.parent_id, job.id, limit),
        )
    ]


def list_waiting_only_for(db: Database, job: Job, limit: int) -> list[Job]:
    """Return the leaves that wait for this job only."""
    rows = db.rows(
        f"SELECT {JOINED_COLUMNS} FROM job_needs n JOIN jobs j ON j.id=n.job_id"
        " WHERE n.needs_id=? AND j.waiting=1 AND j.status='NotStarted' AND j.is_composite=0 LIMIT ?",
        (job.id, limit),
    )
    return [Job(*row) for row in rows]


def list_dependents(db: Database, job: Job) -> list[Job]:
    """Return the jobs that depend on this one and are not over."""
    rows = db.rows(
        f"SELECT {JOINED_COLUMNS} FROM job_needs n JOIN jobs j ON j.id=n.job_id"
        " WHERE n.needs_id=? AND j.ended_at IS NULL ORDER BY j.id",
        (job.id,),
    )
    return [Job(*row) for row in rows]


def list_ready_dependents(db: Database, job: Job) -> list[Job]:
    """Return the leaves that depend on this one, wait for no other and have not started."""
    rows = db.rows(
        f"SELECT {JOINED_COLUMNS} FROM job_needs n JOIN jobs j ON j.id=n.job_id"
        " WHERE n.needs_id=? AND j.waiting=0 AND j.is_composite=0 AND j.status IN ('NotStarted', 'Queued')"
        " ORDER BY j.id",
        (job.id,),
    )
    return [Job(*row) for row in rows]


def list_chain(db: Database, job: Job) -> list[str]:
    """Return the unfinished siblings after a job: the one that waits for it, the one that waits for that, and so on."""
    rows = db.rows(
        "WITH RECURSIVE chain(id, node) AS ("
        " SELECT j.id, j.node FROM job_needs n JOIN jobs j ON j.id=n.job_id WHERE n.needs_id=? AND j.ended_at IS NULL"
        " UNION ALL"
        " SELECT j.id, j.node FROM chain JOIN job_needs n ON n.needs_id=chain.id JOIN jobs j ON j.id=n.job_id"
        " WHERE j.ended_at IS NULL) SELECT node FROM chain",
        (job.id,),
    )
    return [str(node) for (node,) in rows]
