"""Deletions of jobs whose files are not all removed yet, and the rows that go with a workspace."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import NamedTuple

from smalt.service.records import jobs, lineage, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace


class Deletion(NamedTuple):
    """A top job that is deleted, and everything that goes with it."""

    job_id: int
    workspace_id: int
    folders: list[str]
    """Paths below the workspace's folder, without those of attempts."""
    names: list[str]
    """The job, which comes first, and all that were below it."""
    kept: list[str]
    """The names of jobs whose artifacts stay, as others reuse them."""
    is_aside: bool = False


def add_deletion(
    db: Database, tree: Sequence[Job], folders: Sequence[str], kept: Sequence[str], principal: str
) -> Deletion:
    """Record that a job, and all below it, is deleted; call in the transaction that removes its rows."""
    job, names = tree[0], [one.name for one in tree]
    db.execute(
        "INSERT INTO deletions (job_id, workspace_id, folders, names, kept, created_by, created_at)"
        " VALUES (?,?,?,?,?,?,?)",
        (
            job.id, job.workspace_id, json.dumps(list(folders)), json.dumps(names), json.dumps(list(kept)), principal,
            time.time(),
        ),
    )  # fmt: skip
    return Deletion(job.id, job.workspace_id, list(folders), names, list(kept))


def list_unfinished(db: Database) -> list[Deletion]:
    rows = db.rows("SELECT job_id, workspace_id, folders, names, kept, is_aside FROM deletions ORDER BY job_id")
    return [
        Deletion(job_id, workspace_id, json.loads(folders), json.loads(names), json.loads(kept), bool(is_aside))
        for job_id, workspace_id, folders, names, kept, is_aside in rows
    ]


def mark_aside(db: Database, deletion: Deletion) -> None:
    """Record that no file of the job is found by its old name any more, so new jobs may use the names."""
    db.execute("UPDATE deletions SET is_aside=1 WHERE job_id=?", (deletion.job_id,))


def remove_deletion(db: Database, deletion: Deletion) -> None:
    db.execute("DELETE FROM deletions WHERE job_id=?", (deletion.job_id,))


def remove_workspace_rows(db: Database, workspace: Workspace) -> None:
    """Remove every row of a workspace, except where its jobs wrote at places that stay."""
    own_jobs = "(SELECT id FROM jobs WHERE workspace_id=?)"
    with db.transaction():
        jobs.save_last_id(db)
        lineage.keep_writes(db, workspace.id)
        workspaces.mark_deleted(db, workspace)
        for table in ("job_bodies", "job_needs", "usage"):
            db.execute(f"DELETE FROM {table} WHERE job_id IN {own_jobs}", (workspace.id,))
        for table in _list_workspace_tables(db):
            db.execute(f"DELETE FROM {table} WHERE workspace_id=?", (workspace.id,))


def _list_workspace_tables(db: Database) -> list[str]:
    """Return the tables whose rows belong to a workspace; `jobs` comes last, as other rows are found through it."""
    rows = db.rows(
        "SELECT DISTINCT m.name FROM sqlite_master m, pragma_table_info(m.name) c"
        " WHERE m.type='table' AND c.name='workspace_id' ORDER BY m.name='jobs', m.name"
    )
    return [str(name) for (name,) in rows]
