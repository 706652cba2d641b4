"""The append-only log of events; streams, studio and schedules read it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smalt.service.records.database import Database


class Event(NamedTuple):
    id: int
    job_id: int | None
    at: float
    kind: str
    data: str


NewEvent = tuple[int, "int | None", "int | None", float, str, str, str]
"""workspace_id, job_id, root_id, at, kind, data, created_by"""


def append_events(db: Database, events: Sequence[NewEvent]) -> None:
    """Append events; call inside the transaction of the change that they describe."""
    db.execute_many(
        "INSERT INTO events (workspace_id, job_id, root_id, at, kind, data, created_by) VALUES (?,?,?,?,?,?,?)",
        events,
    )


def list_since(db: Database, root_id: int, after: int, limit: int = 1000) -> list[Event]:
    """Return the events of a job and all below it, in order."""
    rows = db.rows(
        "SELECT id, job_id, at, kind, data FROM events WHERE root_id=? AND id>? ORDER BY id LIMIT ?",
        (root_id, after, limit),
    )
    return [Event(*row) for row in rows]
