"""Invocations of batch endpoints: which endpoint and deployment a job is of, and by which request."""

from __future__ import annotations

import time
from dataclasses import dataclass

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

_COLUMNS = "i.endpoint, i.deployment, i.job_id, i.job_name, i.request_id, i.request_hash"


@dataclass(frozen=True)
class InvocationRecord:
    endpoint: str
    deployment: str
    job_id: int
    job_name: str
    request_id: str | None
    request_hash: str


def add_invocation(
    db: Database, job: Job, endpoint: str, deployment: str, *, request_id: str | None, request_hash: str
) -> None:
    db.execute(
        "INSERT INTO batch_invocations (workspace_id, endpoint, deployment, job_id, job_name, request_id,"
        " request_hash, created_by, created_at) VALUES (?,?,?,?,?,?,?,?,?)",
        (
            *(job.workspace_id, endpoint, deployment, job.id, job.name),
            *(request_id, request_hash, job.created_by, time.time()),
        ),
    )


def find_by_request(db: Database, workspace_id: int, endpoint: str, request_id: str) -> InvocationRecord | None:
    row = db.row(
        f"SELECT {_COLUMNS} FROM batch_invocations i WHERE workspace_id=? AND endpoint=? AND request_id=?",
        (workspace_id, endpoint, request_id),
    )
    return InvocationRecord(*row) if row else None


def find_by_job(db: Database, job: Job) -> InvocationRecord | None:
    row = db.row(
        f"SELECT {_COLUMNS} FROM batch_invocations i WHERE workspace_id=? AND job_id=?", (job.workspace_id, job.id)
    )
    return InvocationRecord(*row) if row else None


def list_invocations(
    db: Database, workspace_id: int, endpoint: str, deployment: str | None, *, skip: int, limit: int
) -> list[InvocationRecord]:
    """Return the invocations whose jobs exist, the newest first."""
    rows = db.rows(
        f"SELECT {_COLUMNS} FROM batch_invocations i JOIN jobs j ON j.id=i.job_id"
        " WHERE i.workspace_id=? AND i.endpoint=? AND (? IS NULL OR i.deployment=?)"
        " ORDER BY i.job_id DESC LIMIT ? OFFSET ?",
        (workspace_id, endpoint, deployment, deployment, limit, skip),
    )
    return [InvocationRecord(*row) for row in rows]


def remove_endpoint(db: Database, workspace_id: int, endpoint: str) -> None:
    """Remove the invocations of an endpoint that is deleted; its jobs stay."""
    db.execute("DELETE FROM batch_invocations WHERE workspace_id=? AND endpoint=?", (workspace_id, endpoint))
