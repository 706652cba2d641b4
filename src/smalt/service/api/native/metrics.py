"""The metrics of jobs, read from MLflow's database without MLflow.

GET  /smalt/v1{WS}/jobs/{name}/metrics   the last values of the job and of all runs below it that have some:
     {"runs": [{"id", "job", "label", "metrics": [{"name", "value", "step", "time"}]}]}, the job's own run first.
     `job` is null for a run that a script made; `label` is its path below the job (`train/fold-1`), "" for the job
     itself; `time` is in seconds. With `extremes=true` each metric has "min", "max" and "count", with `history=true`
     "points": [[step, time, value], …], at most `points` of them where that is given. `metric=` (as often as needed)
     chooses, and `trials=false` leaves out the trials of sweeps. A job's use of the machine comes as metrics
     `system/cpu` (cores), `system/memory` (bytes) …
POST /smalt/v1{WS}/metrics {"jobs": [names]}   the last values of many jobs: {"metrics": {job: {metric: value}}}; with
     "parameters": true in the body also {"parameters": {job: {name: text}}}, their inputs that are no data among them.
POST /smalt/v1{WS}/compare {"jobs": [names]}   the facts about jobs, for comparison: see `job_comparison.py`.

A value that is not a finite number is the text "NaN", "Infinity" or "-Infinity", as JSON has no such numbers.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from smalt.exceptions import NotFound, ValidationException
from smalt.service.api.arm.job_shapes import get_subtree
from smalt.service.api.arm.jobs import find_job
from smalt.service.api.request import ApiRequest
from smalt.service.records import jobs, reuse, tracked_runs, trials, usage
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.tracking import run_database, run_fields
from smalt.service.tracking.run_database import Extremes, Point

_MOST_JOBS = 10_000
_USED = ("cpu", "memory", "gpu", "gpu_memory")


@dataclass
class RunMetrics:
    """A run with the metrics to show."""

    id: str
    job: Job | None
    label: str
    latest: dict[str, Point] = field(default_factory=dict)
    extremes: dict[str, Extremes] = field(default_factory=dict)
    history: dict[str, list[Point]] = field(default_factory=dict)


async def get_metrics(request: ApiRequest) -> dict[str, Any]:
    db, top = request.server.db, find_job(request)
    chosen, most = request.query_params.getlist("metric"), request.get_number("points", 0)
    extremes, history = request.get_flag("extremes"), request.get_flag("history")
    rows, hidden = get_subtree(jobs.list_tree(db, top.root_id), top), list[Job]()
    if request.get_query("trials") == "false":
        rows, hidden = trials.split_trials(rows)
    reused, names = find_reused(db, rows, top.root_id), [row.name for row in hidden]
    path = get_database_path(request)
    runs = await asyncio.to_thread(load_runs, path, rows, chosen, extremes, history, reused, names)
    for run in runs:
        if run.job is not None:
            add_usage(run, usage.list_samples(db, run.job.id), chosen)
    shown = [run for run in runs if run.latest or run.id == top.name]
    return {"runs": await asyncio.to_thread(lambda: [_render_run(run, most, history) for run in shown])}


async def get_latest_metrics(request: ApiRequest) -> dict[str, Any]:
    body, path = await request.read_object(), get_database_path(request)
    names = read_job_names(body)
    reused = reuse.find_origins(request.server.db, request.workspace.id, names)
    runs = [*names, *reused.values()]
    found = await asyncio.to_thread(run_database.load_latest, path, runs)
    shown = {name: of for name in names if (of := found.get(reused.get(name, name)) or found.get(name))}
    answer: dict[str, Any] = {
        "metrics": {run: {name: to_json_number(point.value) for name, point in of.items()} for run, of in shown.items()}
    }
    if body.get("parameters") is True:
        logged = await asyncio.to_thread(run_database.load_parameters, path, runs)
        answer["parameters"] = _add_literals(request, names, reused, logged)
    return answer


def _add_literals(
    request: ApiRequest, names: Sequence[str], reused: Mapping[str, str], logged: dict[str, dict[str, str]]
) -> dict[str, dict[str, str]]:
    """Return the parameters of jobs: what was logged, and inputs that are values."""
    db = request.server.db
    rows = {job.name: job.id for job in tracked_runs.find_jobs(db, request.workspace.id, names)}
    facts = tracked_runs.read_facts(db, list(rows.values()))
    found = {
        name: {
            **run_fields.get_literals(facts[id].inputs),
            **logged.get(reused.get(name, ""), {}),
            **logged.get(name, {}),
        }
        for name, id in rows.items()
        if id in facts
    }
    return {name: of for name, of in found.items() if of}


def get_database_path(request: ApiRequest) -> Path:
    return run_database.get_database_path(request.server.home, request.workspace.folder)


def read_job_names(body: dict[str, Any]) -> list[str]:
    """Return the names of jobs in a body; raise ValidationException unless they are a list of texts of limited
    length."""
    names = body.get("jobs")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) > _MOST_JOBS:
        raise ValidationException(f'"jobs" must be a list of at most {_MOST_JOBS} names of jobs')
    return names


def find_jobs(request: ApiRequest, names: Sequence[str]) -> list[Job]:
    """Return the jobs of these names, in that order."""
    found = {job.name: job for job in tracked_runs.find_jobs(request.server.db, request.workspace.id, names)}
    missing = [name for name in names if name not in found]
    if missing:
        raise NotFound(f"there is no job '{missing[0][:100]}' in workspace '{request.workspace.name}'")
    return [found[name] for name in names]


def load_runs(
    path: Path,
    rows: Sequence[Job],
    chosen: Sequence[str] = (),
    extremes: bool = False,
    history: bool = False,
    reused: Mapping[str, str] | None = None,
    hidden: Collection[str] = (),
) -> list[RunMetrics]:
    """Load the runs of `rows`, the first of which is the ancestor of the others, and the runs that their scripts made.

    `reused` maps reused jobs to the jobs whose outputs and metrics they took. The runs of the `hidden` jobs and those
    below them are left out.
    """
    left_out = set(hidden)
    labels = build_labels(rows)
    runs = [RunMetrics(row.name, row, labels[row.name]) for row in rows]
    reused = reused or {}
    origins = {origin: labels[name] for name, origin in reused.items()}
    known = {*labels, *origins}
    for nested in run_database.load_nested_runs(path, known):
        if nested.id in left_out or nested.parent in left_out:
            left_out.add(nested.id)
        elif nested.id not in known:
            above = labels.get(nested.parent, origins.get(nested.parent, ""))
            labels[nested.id] = f"{above}/{nested.name or nested.id}" if above else nested.name or nested.id
            runs.append(RunMetrics(nested.id, None, labels[nested.id]))
    latest = run_database.load_latest(path, [*labels, *reused.values()])
    having = list(latest)
    lowest_highest = run_database.load_extremes(path, having) if extremes else {}
    points = run_database.load_history(path, having, chosen) if history else {}
    for run in runs:
        source = reused.get(run.id, run.id)
        of = latest.get(source) or latest.get(run.id, {})  # its own copy, where the earlier job was deleted
        run.latest = {name: of[name] for name in of if not chosen or name in chosen}
        run.extremes, run.history = lowest_highest.get(source, {}), points.get(source, {})
    return runs


def find_reused(db: Database, rows: Sequence[Job], root_id: int) -> dict[str, str]:
    """Return the reused jobs among `rows`, which have one root → the jobs whose outputs they took."""
    origins = reuse.list_origins(db, root_id)
    return {row.name: origins[row.id] for row in rows if row.id in origins}


def add_usage(run: RunMetrics, samples: Sequence[usage.UsageSample], chosen: Sequence[str] = ()) -> None:
    """Add the job's use of the machine as metrics, whose step is the number of the sample."""
    for what in _USED:
        name = f"system/{what}"
        points = [
            Point(float(value), step, int(sample.at * 1000))
            for step, sample in enumerate(samples)
            if (value := getattr(sample, what)) is not None
        ]
        if points and (not chosen or name in chosen):
            values = [point.value for point in points]
            run.latest[name] = points[-1]
            run.extremes[name] = Extremes(min(values), max(values), len(values))
            run.history[name] = points


def to_json_number(value: float) -> float | str:
    """Return a number, or the text that stands for one that JSON cannot write."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def build_labels(rows: Sequence[Job]) -> dict[str, str]:
    """Return job → its path of nodes below the first job."""
    paths = {rows[0].id: ""}
    for row in rows[1:]:
        above = paths.get(row.parent_id or 0, "")
        paths[row.id] = f"{above}/{row.node}" if above else row.node or row.name
    return {row.name: paths[row.id] for row in rows}


def _render_run(run: RunMetrics, most: int, history: bool) -> dict[str, Any]:
    metrics = []
    for name, point in run.latest.items():
        metric: dict[str, Any] = {
            "name": name,
            "value": to_json_number(point.value),
            "step": point.step,
            "time": point.time / 1000,
        }
        if name in run.extremes:
            lowest, highest, total = run.extremes[name]
            metric.update(min=to_json_number(lowest), max=to_json_number(highest), count=total)
        if history:
            points = run.history.get(name, [])
            points = run_database.thin_points(points, most) if most else points
            metric["points"] = [[point.step, point.time / 1000, to_json_number(point.value)] for point in points]
        metrics.append(metric)
    return {"id": run.id, "job": run.job.name if run.job else None, "label": run.label, "metrics": metrics}


ROUTES = [("GET", "/jobs/{name}/metrics", get_metrics), ("POST", "/metrics", get_latest_metrics)]
