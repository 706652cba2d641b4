"""Uses of built environments: by which workspace, for which job first, and when last."""

from __future__ import annotations

from typing import NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job


class EnvironmentUse(NamedTuple):
    declared_hash: str
    job: str | None
    """The job that used it first; None if it was deleted."""
    last_used: float


def record_use(db: Database, job: Job, declared_hash: str, realised_hash: str, now: float) -> None:
    """Record that the job's workspace uses an environment now."""
    db.execute(
        "INSERT INTO built_environments"
        " (workspace_id, job_id, declared_hash, realised_hash, last_used_at, created_by, created_at)"
        " VALUES (?,?,?,?,?,?,?) ON CONFLICT (workspace_id, declared_hash)"
        " DO UPDATE SET last_used_at=excluded.last_used_at, realised_hash=excluded.realised_hash",
        (job.workspace_id, job.id, declared_hash, realised_hash, now, job.created_by, now),
    )


def list_uses(db: Database) -> list[EnvironmentUse]:
    """Return the uses by all workspaces, each environment's oldest use first."""
    rows = db.rows(
        "SELECT declared_hash, jobs.name, last_used_at FROM built_environments"
        " LEFT JOIN jobs ON jobs.id=job_id ORDER BY built_environments.id"
    )
    return [EnvironmentUse(*row) for row in rows]


def remove_uses(db: Database, declared_hash: str) -> None:
    """Remove the uses of an environment that was removed."""
    db.execute("DELETE FROM built_environments WHERE declared_hash=?", (declared_hash,))
