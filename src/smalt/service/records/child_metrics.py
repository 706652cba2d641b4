"""The metrics of children that composites were told of."""

from __future__ import annotations

from smalt.service.records.database import Database


def add_told_metric(db: Database, child_id: int, name: str, value: float, step: int, time: int) -> bool:
    """Record that the parent is told of a value of its child's metric; return False if it was told before."""
    row = db.rows(
        "INSERT OR IGNORE INTO told_metrics (job_id, name, value, step, time) VALUES (?,?,?,?,?) RETURNING id",
        (child_id, name, repr(value), step, time),
    )
    return bool(row)


def list_told_metrics(db: Database, composite_id: int, name: str) -> list[tuple[int, float]]:
    """Return (child, value) of the values of a metric that a composite was told, in order.

    Jobs below a child count as the child, but not below one whose type is the composite's: that one was told.
    """
    rows = db.rows(
        "WITH RECURSIVE below(id, child, type) AS"
        " (SELECT id, id, type FROM jobs WHERE parent_id=?1 UNION ALL SELECT j.id, b.child, j.type FROM jobs j"
        " JOIN below b ON j.parent_id=b.id WHERE b.type<>(SELECT type FROM jobs WHERE id=?1))"
        " SELECT b.child, t.value FROM below b JOIN told_metrics t ON t.job_id=b.id WHERE t.name=?2 ORDER BY t.id",
        (composite_id, name),
    )
    return [(child, float(value)) for child, value in rows]


def list_below(db: Database, job_id: int, without_below: str) -> list[str]:
    """Return the names of a job and of all jobs below it, but of those below a job of the type `without_below`."""
    rows = db.rows(
        "WITH RECURSIVE below(id, name, type) AS"
        " (SELECT id, name, type FROM jobs WHERE id=? UNION ALL SELECT j.id, j.name, j.type FROM jobs j"
        " JOIN below b ON j.parent_id=b.id WHERE b.type<>?) SELECT name FROM below",
        (job_id, without_below),
    )
    return [name for (name,) in rows]
