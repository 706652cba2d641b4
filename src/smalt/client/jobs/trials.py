"""Sweeps and their trials, as the server's route `jobs/NAME/trials` has them: their order, and their texts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]

_LONGEST_VALUE = 24
_TRIAL = re.compile(r"trial_\d+")


def is_trial(job: Json) -> bool:
    """Return True for a child of a sweep or AutoML job that is a trial, and not its search."""
    return _TRIAL.fullmatch(str(job.get("node"))) is not None


def rank_trials(trials: Iterable[Json], goal: str) -> list[Json]:
    """Return the trials, best first: completed, running, terminated and failed ones, each by value."""
    return sorted(trials, key=lambda trial: _get_rank(trial, goal))


def leave_out_trials(jobs: Sequence[Json]) -> list[Json]:
    """Return the jobs of an overview without the trials of sweeps and what is below them."""
    sweeps, hidden = {job["name"] for job in jobs if "trials" in job}, set[str]()
    kept = []
    for job in jobs:  # parents first
        if job.get("parent") in hidden or (job.get("parent") in sweeps and is_trial(job)):
            hidden.add(job["name"])
        else:
            kept.append(job)
    return kept


def get_number(value: Any) -> float:
    """Return a value of a metric as a number; NaN if there is none that can be the best."""
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else math.nan


def is_terminated(trial: Json) -> bool:
    """Return True if a policy of early termination ended the trial."""
    return trial["status"] == "Canceled" and (trial.get("error") or {}).get("code") == "EarlyTermination"


def flatten_point(point: Mapping[str, Any]) -> Json:
    """Return the values of a point, those of a mapping as `name.key`."""
    found: Json = {}
    for name, value in point.items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{key}": inner for key, inner in flatten_point(value).items()})
        else:
            found[name] = value
    return found


def list_parameters(points: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names that flattened points have, those of one mapping side by side."""
    found: dict[str, dict[str, None]] = {}
    for point in points:
        for name, value in point.items():
            found.setdefault(name, {}).update(dict.fromkeys(flatten_point({name: value})))
    return [name for names in found.values() for name in names]


def format_point(point: Mapping[str, Any]) -> str:
    """Return a point as text: `lr=0.01207, depth=5`."""
    return ", ".join(f"{name}={format_parameter(value)}" for name, value in flatten_point(point).items())


def format_parameter(value: Any) -> str:
    """Return the value of a parameter in few characters."""
    if isinstance(value, float):
        return format_metric(value)
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


def format_metric(value: Any) -> str:
    """Return the value of a metric in few characters."""
    if not isinstance(value, (int, float)):
        return str(value)
    return str(int(value)) if math.isfinite(value) and value == int(value) and abs(value) < 1e6 else f"{value:.4g}"


def describe_progress(sweep: Json) -> str:
    """Return how far a sweep is: `12/20 trials, 1 failed, best 0.93 (trial_7)`."""
    counts = sweep["counts"]
    over = sum(counts.get(status, 0) for status in ("Completed", "Failed", "Canceled"))
    failed = f", {counts['Failed']} failed" if counts.get("Failed") else ""
    best = sweep.get("best")
    found = f", best {format_metric(best['value'])} ({best['node']})" if best else ""
    total = f"/{sweep['total_trials']}" if sweep["total_trials"] is not None else ""
    return f"{over}{total} trials{failed}{found}"


def _get_rank(trial: Json, goal: str) -> tuple[int, bool, float]:
    value = get_number(trial.get("value"))
    group = _GROUPS.get(trial["status"], 2)
    if math.isnan(value):
        return group + (trial["status"] == "Completed"), True, 0.0
    return group, False, -value if goal == "maximize" else value


_GROUPS = {"Completed": 0, "Canceled": 3, "Failed": 4}
"""Status → place in the order. Completed trials without a finite value come after the others, then those that run."""
