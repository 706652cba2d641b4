"""Searches among the top jobs of a workspace, and their counts: for tables of any length, and what filters them.

A search may look at every job, so call it with a reader's connection, beside the event loop.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from smalt.service.records.database import Database
from smalt.service.records.jobs import JOINED_COLUMNS, Job
from smalt.service.records.metric_terms import MetricTerm
from smalt.wire.encoding.casing import fold_case

SORTS = {
    "created": "j.id",
    "name": "coalesce(j.display_name, j.name) COLLATE NOCASE",
    "experiment": "j.experiment COLLATE NOCASE",
    "type": "j.type",
    "status": "j.status",
    "owner": "j.created_by",
    "started": "j.started_at",
    "duration": "coalesce(j.ended_at, {now}) - j.started_at",
}
"""Keys by which jobs are sorted, and their SQL; `now` is the time of the search."""
METRIC_SORT = "metric."
"""The beginning of a key that sorts by the last value of a metric: `metric.loss`."""
_METRIC = "(SELECT m.value FROM tracked.latest_metrics m WHERE m.key=? AND m.run_uuid=j.name AND m.is_nan=0)"
_VIEWS = {"active": "j.is_archived=0", "archived": "j.is_archived=1"}
_WAITING = "j.status='NotStarted' AND j.is_composite=0"


class JobSearch(NamedTuple):
    """A search among top jobs; an empty field matches all."""

    text: str = ""
    """Words, each of which occurs in the name, display name or experiment."""
    statuses: Sequence[str] = ()
    """States as the service shows them: a command that has not begun is Queued."""
    types: Sequence[str] = ()
    experiments: Sequence[str] = ()
    owners: Sequence[str] = ()
    tags: Sequence[tuple[str, str | None]] = ()
    """Keys, each with its value unless any will do."""
    since: float | None = None
    until: float | None = None
    view: str = "active"
    """"active", "archived" or "all"."""
    metrics: Sequence[MetricTerm] = ()
    """Conditions, all of which a job's own metrics meet; these and METRIC_SORT need `open_reader` to attach them."""


class JobCount(NamedTuple):
    """The number of top jobs of one experiment, type, owner and state."""

    experiment: str
    type: str
    owner: str
    status: str
    jobs: int
    last: float


class StepCount(NamedTuple):
    """The steps of a job by what became of them."""

    total: int
    over: int
    failed: int


class _Page(NamedTuple):
    """The part of the sorted jobs that is asked for."""

    sort: str
    direction: str
    """"ASC" or "DESC"."""
    skip: int
    limit: int


def search_jobs(
    db: Database, workspace_id: int, search: JobSearch, sort: str, *, descending: bool, skip: int, limit: int
) -> tuple[int, list[Job]]:
    """Return the number of jobs that match, and a page of them."""
    where, values = _build_condition(workspace_id, search)
    direction = "DESC" if descending else "ASC"
    if sort == "created" and not search.metrics:  # the index has the order, so that a page is found before the rest
        sql = f"SELECT {JOINED_COLUMNS} FROM jobs j WHERE {where} ORDER BY j.id {direction} LIMIT ? OFFSET ?"
        found = [Job(*row) for row in db.rows(sql, (*values, limit, skip))]
        total = skip + len(found) if len(found) < limit and (found or not skip) else None
    else:
        page = _Page(sort, direction, skip, limit)
        total, found = _search_sorted(db, workspace_id, search, page)
    if total is None:
        total = int(db.value(f"SELECT count(*) FROM jobs j WHERE {where}", values))
    return total, found


def _search_sorted(db: Database, workspace_id: int, search: JobSearch, page: _Page) -> tuple[int | None, list[Job]]:
    """Return the number of jobs that match, None if the page is empty, and the page."""
    where, values = _build_condition(workspace_id, search)
    is_metric = page.sort.startswith(METRIC_SORT)
    named = [page.sort.removeprefix(METRIC_SORT)] if is_metric else []
    key = _METRIC if is_metric else SORTS[page.sort].format(now=time.time())
    order = f"key {page.direction} NULLS LAST, id DESC"
    # Conditions on metrics take longer than a table of what meets them, from which it is both counted and sorted.
    once = "MATERIALIZED" if search.metrics else "NOT MATERIALIZED"
    # The ids alone are sorted: rows of all columns take three times as long.
    rows = db.rows(
        f"WITH found AS {once} (SELECT j.id AS id, {key} AS key FROM jobs j WHERE {where}),"
        f" page AS MATERIALIZED (SELECT id, key FROM found ORDER BY {order} LIMIT ? OFFSET ?)"
        f" SELECT (SELECT count(*) FROM found), {JOINED_COLUMNS} FROM page JOIN jobs j ON j.id=page.id"
        f" ORDER BY page.key {page.direction} NULLS LAST, page.id DESC",
        (*named, *values, page.limit, page.skip),
    )
    return rows[0][0] if rows else None, [Job(*row[1:]) for row in rows]


def count_jobs(db: Database, workspace_id: int, view: str) -> list[JobCount]:
    """Count the top jobs by experiment, type, owner and state."""
    where, values = _build_condition(workspace_id, JobSearch(view=view))
    rows = db.rows(
        f"SELECT j.experiment, j.type, j.created_by, CASE WHEN {_WAITING} THEN 'Queued' ELSE j.status END AS shown,"
        f" count(*), max(j.created_at) FROM jobs j WHERE {where} GROUP BY j.experiment, j.type, j.created_by, shown",
        values,
    )
    return [JobCount(*row) for row in rows]


def count_steps(db: Database, root_ids: Sequence[int]) -> dict[int, StepCount]:
    """Count the steps of each of these top jobs that has some."""
    rows = db.rows(
        "SELECT root_id, count(*), count(ended_at), sum(status='Failed') FROM jobs"
        " WHERE root_id IN (SELECT value FROM json_each(?)) AND id!=root_id AND is_composite=0 GROUP BY root_id",
        (json.dumps(list(root_ids)),),
    )
    return {root: StepCount(total, over, failed) for root, total, over, failed in rows}


def _build_condition(workspace_id: int, search: JobSearch) -> tuple[str, list[Any]]:
    terms: list[tuple[str, list[Any]]] = [("j.workspace_id=? AND j.parent_id IS NULL", [workspace_id])]
    if search.view in _VIEWS:
        terms.append((_VIEWS[search.view], []))
    for word in search.text.split():
        pattern = "%" + word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        fields = ("j.name", "coalesce(j.display_name, '')", "j.experiment")
        terms.append((" OR ".join(f"{field} LIKE ? ESCAPE '\\'" for field in fields), [pattern] * len(fields)))
    if search.statuses:
        terms.append((" OR ".join(_build_status_term(status) for status in search.statuses), []))
    for column, chosen in (
        ("replace(j.type, '_', '')", [fold_case(type) for type in search.types]),
        ("j.experiment", search.experiments),
        ("j.created_by", search.owners),
    ):
        if chosen:
            terms.append((f"{column} IN ({','.join('?' * len(chosen))})", list(chosen)))
    for key, value in search.tags:
        own, more = (" AND t.value=?", [value]) if value is not None else ("", [])
        inner = f"SELECT t.job_id FROM job_tags t WHERE t.workspace_id=? AND t.key=?{own}"
        terms.append((f"j.id IN ({inner})", [workspace_id, key, *more]))
    if search.since is not None:
        terms.append(("j.created_at>=?", [search.since]))
    if search.until is not None:
        terms.append(("j.created_at<?", [search.until]))
    terms += [term.build_condition("j.name") for term in search.metrics]
    return " AND ".join(f"({term})" for term, _ in terms), [value for _, given in terms for value in given]


def _build_status_term(status: str) -> str:
    """Return the condition of a known state, which needs no value."""
    if status == "Queued":
        return f"j.status='Queued' OR ({_WAITING})"
    if status == "NotStarted":
        return "j.status='NotStarted' AND j.is_composite=1"
    return f"j.status='{status}'"
