"""The ends of children that their parents, which are composites, have counted."""

from __future__ import annotations

from typing import NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import JOINED_COLUMNS, Job


class ParentState(NamedTuple):
    """The state of a composite after it counted the end of a child."""

    open: int
    """The number of children whose ends it has not counted yet."""
    is_canceled: bool


def count_child_end(db: Database, child: Job) -> ParentState:
    """Count the child's end at its parent, once per child, and number it."""
    count = "UPDATE jobs SET open=open-1, ends=ends+1 WHERE id=? RETURNING open, cancel_requested, ends"
    left, is_canceled, child.end_number = db.rows(count, (child.parent_id,))[0]
    db.execute("UPDATE jobs SET end_number=? WHERE id=?", (child.end_number, child.id))
    return ParentState(left, bool(is_canceled))


def list_ended_uncounted(db: Database) -> list[Job]:
    """Return the jobs that are over and whose parents, which are not, have not counted that; in the order of ends."""
    rows = db.rows(
        f"SELECT {JOINED_COLUMNS} FROM jobs p JOIN jobs j ON j.parent_id=p.id"
        " WHERE p.ended_at IS NULL AND p.planned=1 AND j.ended_at IS NOT NULL AND j.end_number IS NULL"
        " ORDER BY j.ended_at, j.id"
    )
    return [Job(*row) for row in rows]
