"""Tables of top jobs, searched, sorted and counted by the server, however many there are.

GET /smalt/v1{WS}/jobs: {"total": number that match, "after": where `changes` goes on from here,
    "jobs": [{"name", "display_name", "experiment", "type", "status",
    "owner", "created", "start", "end", "archived", "error": its sentence or null, and of what has steps
    "steps": {"total", "over", "failed"}}]}. Times are seconds since 1970. `search=` words, each of which occurs in
    name, display name or experiment; `status=`, `type=`, `experiment=`, `owner=`, `tag=KEY[=VALUE]`, each as often as
    needed (any of the values; of tags all); `since=` and `until=` of the creation; `view=active` (the default),
    `archived` or `all`; `where=` a condition on the last value of a metric of the job itself (`loss<0.3`, with one of
    < <= > >= = !=, or `loss` alone), as often as needed (all); `sort=` one of created, name, experiment, type, status,
    owner, started, duration, or `metric.NAME`, with `-` before it for descending order (`-created` is the default);
    `skip=`, `limit=` (100, at most 1000).
GET /smalt/v1{WS}/job-columns: {"metrics": [name], "parameters": [name]} that jobs have logged, at most 500 of each.
GET /smalt/v1{WS}/job-counts: {"experiments": [{"name", "jobs", "last", "states": {state: jobs}}], that of the newest
    job first, "types", "owners", "states": {value: jobs}}. `view=` as above.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

from smalt.entities.schema.problems import join_words
from smalt.entities.syntax.job_states import parse_state
from smalt.exceptions import ValidationException
from smalt.service.api.arm.job_shapes import get_shown_status
from smalt.service.api.native.metrics import get_database_path
from smalt.service.api.native.table_query import get_search_text, get_values
from smalt.service.api.request import ApiRequest
from smalt.service.records import job_search
from smalt.service.records.database import Database
from smalt.service.records.job_graph import find_last_event
from smalt.service.records.job_search import METRIC_SORT, SORTS, JobCount, JobSearch, StepCount
from smalt.service.records.jobs import Job
from smalt.service.records.metric_terms import MetricTerm, parse_term
from smalt.service.tracking import run_database

_VIEWS = ("active", "archived", "all")
_PAGE = 100
_LARGEST_PAGE = 1000
_MOST_COLUMNS = 500
_MOST_TERMS = 10


async def list_table(request: ApiRequest) -> dict[str, Any]:
    search, (key, descending) = _parse_search(request), parse_sort(request)
    skip = request.get_number("skip", 0)
    limit = max(1, min(request.get_number("limit", _PAGE), _LARGEST_PAGE))
    tracked = get_database_path(request) if needs_metrics(search, key) else None

    def read_page() -> tuple[int, int, list[Job], dict[int, StepCount]]:
        with request.server.db.open_reader(tracked) as db:
            after = find_last_event(db)  # first: a change in between is told twice and not missed
            total, rows = job_search.search_jobs(
                db, request.workspace.id, search, key, descending=descending, skip=skip, limit=limit
            )
            return after, total, rows, count_steps(db, rows)

    after, total, rows, steps = await asyncio.to_thread(read_page)
    return {"total": total, "after": after, "jobs": [build_table_row(row, steps.get(row.id)) for row in rows]}


async def list_columns(request: ApiRequest) -> dict[str, Any]:
    path = get_database_path(request)
    metrics, parameters = await asyncio.to_thread(
        lambda: [run_database.load_keys(path, table, _MOST_COLUMNS) for table in ("latest_metrics", "params")]
    )
    return {"metrics": metrics, "parameters": parameters}


def parse_sort(request: ApiRequest) -> tuple[str, bool]:
    """Return the key by which a list is sorted, and whether it is in descending order."""
    sort = request.get_query("sort", "-created")
    key = sort.removeprefix("-")
    if key not in SORTS and (not key.startswith(METRIC_SORT) or key == METRIC_SORT):
        known = join_words([*SORTS, f"{METRIC_SORT}NAME"], "or")
        raise ValidationException(f"'sort' must be one of {known}, not '{key[:100]}'")
    return key, sort.startswith("-")


def needs_metrics(search: JobSearch, key: str) -> bool:
    """Return True if a search reads metrics."""
    return bool(search.metrics) or key.startswith(METRIC_SORT)


async def count_table(request: ApiRequest) -> dict[str, Any]:
    view = _parse_view(request)

    def count() -> list[JobCount]:
        with request.server.db.open_reader() as db:
            return job_search.count_jobs(db, request.workspace.id, view)

    counts = await asyncio.to_thread(count)
    experiments: dict[str, dict[str, Any]] = {}
    totals: dict[str, Counter[str]] = {key: Counter() for key in ("types", "owners", "states")}
    for one in counts:
        of = experiments.setdefault(one.experiment, {"name": one.experiment, "jobs": 0, "last": 0.0, "states": {}})
        of["jobs"] += one.jobs
        of["last"] = max(of["last"], one.last)
        of["states"][one.status] = of["states"].get(one.status, 0) + one.jobs
        for key, value in (("types", one.type), ("owners", one.owner), ("states", one.status)):
            totals[key][value] += one.jobs
    return {
        "experiments": sorted(experiments.values(), key=lambda of: -of["last"]),
        **{key: dict(counter.most_common()) for key, counter in totals.items()},
    }


def count_steps(db: Database, rows: Sequence[Job]) -> dict[int, StepCount]:
    """Count the steps of those of `rows` that may have some."""
    return job_search.count_steps(db, [row.id for row in rows if row.is_composite])


def build_table_row(job: Job, steps: StepCount | None = None) -> dict[str, Any]:
    error = job.ended_by
    return {
        "name": job.name,
        "display_name": job.display_name,
        "experiment": job.experiment,
        "type": job.type,
        "status": get_shown_status(job),
        "owner": job.created_by,
        "created": job.created_at,
        "start": job.started_at,
        "end": job.ended_at,
        "archived": bool(job.is_archived),
        "error": str(error["message"]) if error else None,
        **({"steps": steps._asdict()} if steps else {}),
    }


def _parse_search(request: ApiRequest) -> JobSearch:
    tags = [
        (key, value if separator else None)
        for key, separator, value in (tag.partition("=") for tag in get_values(request, "tag"))
    ]
    return JobSearch(
        text=get_search_text(request),
        statuses=[parse_state(status) for status in get_values(request, "status")],
        types=get_values(request, "type"),
        experiments=get_values(request, "experiment"),
        owners=get_values(request, "owner"),
        tags=tags,
        since=_parse_time(request, "since"),
        until=_parse_time(request, "until"),
        view=_parse_view(request),
        metrics=parse_terms(request),
    )


def parse_terms(request: ApiRequest) -> list[MetricTerm]:
    """Return the conditions on metrics in the query."""
    given = request.query_params.getlist("where")
    if len(given) > _MOST_TERMS:
        raise ValidationException(f"at most {_MOST_TERMS} conditions on metrics can be given, not {len(given)}")
    return [parse_term(text) for text in given]


def _parse_time(request: ApiRequest, parameter: str) -> float | None:
    return float(request.get_number(parameter, 0)) if request.get_query(parameter) else None


def _parse_view(request: ApiRequest) -> str:
    view = request.get_query("view", _VIEWS[0])
    if view not in _VIEWS:
        raise ValidationException(f"'view' must be {join_words(_VIEWS, 'or')}, not '{view[:100]}'")
    return view


ROUTES = [
    ("GET", "/jobs", list_table),
    ("GET", "/job-counts", count_table),
    ("GET", "/job-columns", list_columns),
]
