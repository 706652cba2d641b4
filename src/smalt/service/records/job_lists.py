"""Lists of top jobs, filtered by the database."""

from __future__ import annotations

from typing import Any, NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import COLUMNS, Job

_ARCHIVED = {"ActiveOnly": "j.is_archived=0", "ArchivedOnly": "j.is_archived=1"}


class JobFilter(NamedTuple):
    """A filter of top jobs; None matches all."""

    view: str = "ActiveOnly"
    type: str | None = None
    experiment: str | None = None
    status: str | None = None
    """The state as the service shows it: a command that has not begun is Queued."""
    schedule: str | None = None
    """The name of the schedule that made the jobs; "" for any."""
    tag: tuple[str, str | None] | None = None
    """A key, and its value unless any will do."""


def list_page(db: Database, workspace_id: int, choice: JobFilter, *, skip: int = 0, limit: int = 100) -> list[Job]:
    """Return the matching jobs, newest first."""
    tables, order = "jobs j", "j.id"
    terms: list[tuple[str, list[Any]]] = [("j.workspace_id=? AND j.parent_id IS NULL", [workspace_id])]
    if choice.tag:
        key, value = choice.tag
        tables, order = "job_tags t CROSS JOIN jobs j ON j.id=t.job_id", "t.job_id"
        terms.append(("t.workspace_id=? AND t.key=?", [workspace_id, key]))
        terms += [("t.value=?", [value])] if value is not None else []
    if choice.view in _ARCHIVED:
        terms.append((_ARCHIVED[choice.view], []))
    if choice.type:
        terms.append(("replace(j.type, '_', '')=?", [choice.type]))
    if choice.experiment:
        terms.append(("j.experiment=?", [choice.experiment]))
    if choice.schedule is not None:
        terms.append(_build_schedule_term(choice.schedule, workspace_id))
    if choice.status:
        terms.append(_build_status_term(choice.status))
        order = f"+{order}" if choice.status == "Queued" else order  # few: found by their states, then sorted
    where, values = " AND ".join(term for term, _ in terms), [value for _, given in terms for value in given]
    columns = ", ".join(f"j.{column.strip()}" for column in COLUMNS.split(","))
    rows = db.rows(
        f"SELECT {columns} FROM {tables} WHERE {where} ORDER BY {order} DESC LIMIT ? OFFSET ?", (*values, limit, skip)
    )
    return [Job(*row) for row in rows]


def _build_schedule_term(name: str, workspace_id: int) -> tuple[str, list[Any]]:
    made = (
        "SELECT t.job FROM ticks t JOIN resources r ON r.id=t.resource_id WHERE t.workspace_id=? AND t.status='fired'"
    )
    if not name:
        return f"j.name IN ({made})", [workspace_id]
    return f"j.name IN ({made} AND r.kind='schedules' AND r.name=? COLLATE NOCASE)", [workspace_id, name]


def _build_status_term(status: str) -> tuple[str, list[Any]]:
    if status == "Queued":
        return "j.status IN ('Queued', 'NotStarted') AND (j.status='Queued' OR j.is_composite=0)", []
    if status == "NotStarted":
        return "j.status='NotStarted' AND j.is_composite=1", []
    return "j.status=?", [status]
