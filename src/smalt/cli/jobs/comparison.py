"""Jobs beside each other: a row for each thing that is known of one of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from smalt.cli.jobs.metrics import number
from smalt.cli.jobs.watch import duration
from smalt.cli.output import table

Json = dict[str, Any]

_WIDEST = 40
_MARK = "*"
_FACTS = ("display_name", "experiment", "type", "status", "created_by", "duration", "command", "compute")
_CODE = ("snapshot", "repository", "branch", "commit", "dirty")


def rows(jobs: Sequence[Json]) -> list[Json]:
    """[{"differs", "what", "name", JOB: value, …}]; what a job does not have is None.

    Of files of code, of packages, and of what the steps of pipelines are, only those that differ.
    """
    found = [*_facts(jobs), *_section(jobs, "parameter", lambda job: job.get("parameters"))]
    found += _section(jobs, "metric", lambda job: job.get("metrics"))
    found += _section(jobs, "input", lambda job: job.get("inputs"))
    found += _differing(_section(jobs, "step", lambda job: job.get("steps")))
    found += _section(jobs, "tag", lambda job: job.get("tags"))
    found += _section(jobs, "code", lambda job: _some(job.get("code"), _CODE))
    found += _differing(_section(jobs, "file", lambda job: (job.get("code") or {}).get("files")))
    found += _section(jobs, "environment", lambda job: _some(job.get("environment"), ("name", "image")))
    found += _differing(_section(jobs, "package", lambda job: (job.get("environment") or {}).get("packages")))
    return found


def text(found: Sequence[Json]) -> str:
    """The rows as a table; what differs has a mark, and long values are cut."""
    names = [key for key in (found[0] if found else {}) if key not in ("differs", "what", "name")]
    cells = [
        [_MARK if row["differs"] else "", row["what"], row["name"], *(cell(row[name], row["what"]) for name in names)]
        for row in found
    ]
    return table.lay_out(["", "", "", *names], [[_cut(value) for value in line] for line in cells])


def cell(value: Any, what: str) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if what == "metric":
        return number(value)
    return str(value)[:12] if what == "file" else " ".join(str(value).split())


def _facts(jobs: Sequence[Json]) -> Iterator[Json]:
    def facts(job: Json) -> Json:
        started, ended = job.get("start"), job.get("end")
        took = duration(ended - started) if started is not None and ended is not None else None
        return {name: value for name, value in _some({**job, "duration": took}, _FACTS).items() if value is not None}

    return _section(jobs, "job", facts)


def _section(jobs: Sequence[Json], what: str, of: Callable[[Json], Json | None]) -> Iterator[Json]:
    """A row for each name that one of the jobs has."""
    all_of = {job["name"]: of(job) or {} for job in jobs}
    for name in dict.fromkeys(name for found in all_of.values() for name in found):
        values = {job: found.get(name) for job, found in all_of.items()}
        first, *others = values.values()
        yield {"differs": any(other != first for other in others), "what": what, "name": name, **values}


def _differing(found: Iterator[Json]) -> list[Json]:
    return [row for row in found if row["differs"]]


def _some(found: Json | None, names: Sequence[str]) -> Json:
    return {name: found[name] for name in names if found and name in found}


def _cut(value: str) -> str:
    return value if len(value) <= _WIDEST else value[: _WIDEST - 1] + "…"
