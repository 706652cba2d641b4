"""A comparison of jobs: a row for each fact that one of them has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from smalt.cli.jobs.metrics import format_value
from smalt.cli.jobs.watch import format_duration
from smalt.cli.output import table
from smalt.client.jobs.trials import flatten_point
from smalt.wire.encoding.comparisons import UNKNOWN_CONTENT

Json = dict[str, Any]

_WIDEST = 40
_MARK = "*"
_FACTS = ("display_name", "experiment", "type", "status", "created_by", "duration", "command", "compute")
_CODE = ("snapshot", "repository", "branch", "commit", "dirty")


def build_rows(jobs: Sequence[Json]) -> list[Json]:
    """Return `[{"differs", "what", "name", JOB: value, …}]`; a value that a job does not have is None.

    Files of code, packages, variables, and facts of a pipeline's steps have a row only if they differ.
    """
    found = [*_build_fact_rows(jobs)]
    found += _build_section(jobs, "sweep", lambda job: job.get("sweep"))
    found += _build_section(jobs, "space", lambda job: job.get("space"))
    found += _build_section(jobs, "best", lambda job: flatten_point(job.get("best") or {}))
    found += _build_section(jobs, "parameter", lambda job: job.get("parameters"))
    found += _build_section(jobs, "metric", lambda job: job.get("metrics"))
    found += _build_section(jobs, "input", lambda job: job.get("inputs"))
    found += _keep_differing(_build_section(jobs, "step", lambda job: job.get("steps")))
    found += _build_section(jobs, "tag", lambda job: job.get("tags"))
    found += _build_section(jobs, "code", lambda job: _select_keys(job.get("code"), _CODE))
    found += _keep_differing(_build_section(jobs, "file", lambda job: (job.get("code") or {}).get("files")))
    found += _build_section(jobs, "environment", lambda job: _select_keys(job.get("environment"), ("name", "image")))
    found += _keep_differing(
        _build_section(jobs, "package", lambda job: (job.get("environment") or {}).get("packages"))
    )
    found += _keep_differing(_build_section(jobs, "variable", lambda job: job.get("variables")))
    return found


def render_text(found: Sequence[Json]) -> str:
    """Return the rows as a table, with differences marked and long values shortened."""
    names = [key for key in (found[0] if found else {}) if key not in ("differs", "what", "name")]
    cells = [
        [
            _MARK if row["differs"] else "",
            row["what"],
            row["name"],
            *(format_cell(row[name], row["what"]) for name in names),
        ]
        for row in found
    ]
    return table.render_columns(["", "", "", *names], [[_shorten_value(value) for value in line] for line in cells])


def format_cell(value: Any, what: str) -> str:
    """Return a value as people read it."""
    if value is None:
        return "-"
    if what == "metric":
        return format_value(value)
    return str(value)[:12] if what == "file" else " ".join(str(value).split())


def _build_fact_rows(jobs: Sequence[Json]) -> Iterator[Json]:
    def facts(job: Json) -> Json:
        started, ended = job.get("start"), job.get("end")
        took = format_duration(ended - started) if started is not None and ended is not None else None
        return {
            name: value for name, value in _select_keys({**job, "duration": took}, _FACTS).items() if value is not None
        }

    return _build_section(jobs, "job", facts)


def _build_section(jobs: Sequence[Json], what: str, of: Callable[[Json], Json | None]) -> Iterator[Json]:
    """Yield a row for each name that one of the jobs has."""
    all_of = {job["name"]: of(job) or {} for job in jobs}
    for name in dict.fromkeys(name for found in all_of.values() for name in found):
        values = {job: found.get(name) for job, found in all_of.items()}
        first, *others = values.values()
        may_differ = any(str(value).endswith(UNKNOWN_CONTENT) for value in values.values())
        differs = may_differ or any(other != first for other in others)
        yield {"differs": differs, "what": what, "name": name, **values}


def _keep_differing(found: Iterator[Json]) -> list[Json]:
    return [row for row in found if row["differs"]]


def _select_keys(found: Json | None, names: Sequence[str]) -> Json:
    return {name: found[name] for name in names if found and name in found}


def _shorten_value(value: str) -> str:
    return value if len(value) <= _WIDEST else value[: _WIDEST - 1] + "…"
