"""The removal of jobs with their rows in all tables."""

from __future__ import annotations

import json
from collections.abc import Sequence

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job, list_tree, save_last_id

_TABLES = (
    "job_attempts", "job_data", "job_bodies", "job_tags", "job_pins", "reuse_keys", "reuse_steps", "tracked_runs",
    "told_metrics", "usage",
)  # fmt: skip


def remove_tree(db: Database, job: Job) -> None:
    """Remove a finished top job and all below it, with its rows in other tables; its events stay."""
    ids = [(one.id,) for one in list_tree(db, job.root_id)]
    with db.transaction():
        for table in _TABLES:
            db.execute_many(f"DELETE FROM {table} WHERE job_id=?", ids)
        # Both by the first column of their keys: by job_id they would be scanned once for each job.
        db.execute_many("DELETE FROM job_needs WHERE needs_id=?", ids)  # both ends are in the tree
        db.execute("DELETE FROM reuse_places WHERE root_id=?", (job.root_id,))
        _remove_rows(db, ids)


def remove_children(db: Database, job: Job) -> None:
    """Remove the children of a plan that a crash cut short; none of them has started."""
    ids = [(id,) for (id,) in db.rows("SELECT id FROM jobs WHERE parent_id=?", (job.id,))]
    db.execute_many("DELETE FROM job_needs WHERE needs_id=?", ids)
    db.execute(  # in one scan for all, as the table has no index by job_id
        "DELETE FROM job_needs WHERE job_id IN (SELECT value FROM json_each(?))", (json.dumps([id for (id,) in ids]),)
    )
    for table in ("job_data", "job_bodies"):
        db.execute_many(f"DELETE FROM {table} WHERE job_id=?", ids)
    _remove_rows(db, ids)
    job.open = 0
    db.execute("UPDATE jobs SET open=0 WHERE id=?", (job.id,))


def _remove_rows(db: Database, ids: Sequence[tuple[int]]) -> None:
    if not ids:
        return
    save_last_id(db)
    db.execute_many("DELETE FROM jobs WHERE id=?", ids)
