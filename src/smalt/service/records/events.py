"""The append-only log of what happened; streams, studio and schedules read it."""

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


New = tuple[int, "int | None", "int | None", float, str, str, str]
"""workspace_id, job_id, root_id, at, kind, data, created_by"""


def append(db: Database, events: Sequence[New]) -> None:
    """Call inside the transaction of the change that the events tell of."""
    db.execute_many(
        "INSERT INTO events (workspace_id, job_id, root_id, at, kind, data, created_by) VALUES (?,?,?,?,?,?,?)",
        events,
    )


def since(db: Database, root_id: int, after: int, limit: int = 1000) -> list[Event]:
    """The events of a job and all below it, in order."""
    rows = db.rows(
        "SELECT id, job_id, at, kind, data FROM events WHERE root_id=? AND id>? ORDER BY id LIMIT ?",
        (root_id, after, limit),
    )
    return [Event(*row) for row in rows]
