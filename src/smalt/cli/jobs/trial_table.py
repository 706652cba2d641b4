"""The trials of a sweep as rows, best first: for `smalt job show`, and as a table for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.cli.jobs.report import collect_facts
from smalt.cli.jobs.watch import format_duration
from smalt.cli.output import table
from smalt.client.jobs.trials import (
    flatten_point,
    format_metric,
    format_parameter,
    is_terminated,
    list_parameters,
    rank_trials,
)

if TYPE_CHECKING:
    from smalt.cli.output.table import TableScreen

Json = dict[str, Any]

_MOST = 20
"""As many trials as a person gets to see; programs get all."""


def add_trials(shown: Json, found: Json, jobs: Sequence[Json]) -> Json:
    """Return a sweep as plain data with its trials, best first; `jobs` are those of its overview."""
    sweep, facts = found["sweep"], {job["name"]: collect_facts(job) for job in jobs}
    best, parents = sweep["best"], {job["name"]: str(job.get("parent")) for job in jobs}
    for job in jobs:
        if job.get("log_tail"):  # perhaps a step of a trial
            facts[_find_trial(job["name"], parents, sweep["name"])].setdefault("log_tail", job["log_tail"])
    rows = [
        {
            "trial": trial["node"],
            "name": trial["name"],
            "value": trial["value"],
            "parameters": trial["parameters"],
            **facts.get(trial["name"], {"status": trial["status"]}),
            **({"is_terminated": True} if is_terminated(trial) else {}),
        }
        for trial in rank_trials(found["trials"], sweep["goal"])
    ]
    chosen = {"trial": best["node"], **{key: best[key] for key in ("name", "value", "parameters")}} if best else None
    return {**shown, "best_trial": chosen, "trials": rows}


def render_trials(trials: Sequence[Json], shown: Json, screen: TableScreen) -> str:
    """Return the best trials as a table with a column for each parameter, and the number of the others."""
    metric = shown.get("primary_metric") or shown.get("objective", {}).get("primary_metric") or "value"
    names = list_parameters(trial["parameters"] for trial in trials)
    titles = ["Trial", metric, "Status", *names, "Duration", "Remark"]
    cells = [
        [
            trial["trial"],
            "" if trial["value"] is None else format_metric(trial["value"]),
            "Terminated" if trial.get("is_terminated") else trial["status"],
            *(_format_cell(flatten_point(trial["parameters"]), name) for name in names),
            format_duration(trial.get("duration_seconds")),
            _get_remark(trial),
        ]
        for trial in trials[:_MOST]
    ]
    if not any(line[-1] for line in cells):
        titles, cells = titles[:-1], [line[:-1] for line in cells]
    text = table.render_columns(titles, cells, screen)
    left = Counter(trial["status"] for trial in trials[_MOST:])
    if left:
        counted = ", ".join(f"{number} {status}" for status, number in left.most_common())
        text += f"and {left.total()} more trials: {counted}; all of them: smalt job show {shown['name']} -o json\n"
    return text


def _find_trial(name: str, parents: Mapping[str, str], sweep: str) -> str:
    """Return the trial that a job is, or is a part of; the sweep itself is none."""
    while name in parents and name != sweep and parents[name] != sweep:
        name = parents[name]
    return name


def _format_cell(point: Json, name: str) -> str:
    return format_parameter(point[name]) if name in point else ""


def _get_remark(trial: Json) -> str:
    if trial.get("reused"):
        return f"reused {trial['reused']}"
    error = trial.get("error") or {}
    if error:
        return str(error.get("message") or "")
    return f"waits for {trial['waits_for']}" if trial.get("waits_for") else ""
