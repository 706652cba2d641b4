"""The metrics of jobs, read from MLflow's database without MLflow.

GET  /smalt/v1{WS}/jobs/{name}/metrics   the last values of the job and of all runs below it that have some:
     {"runs": [{"id", "job", "label", "metrics": [{"name", "value", "step", "time"}]}]}, the job's own run first.
     `job` is null for a run that a script made; `label` is its path below the job (`train/fold-1`), "" for the job
     itself; `time` is in seconds. With `extremes=true` each metric has "min", "max" and "count", with `history=true`
     "points": [[step, time, value], …], all of them. `metric=` (as often as needed) chooses, and `trials=false`
     leaves out the trials of sweeps. A job's use of the machine comes as metrics `system/cpu` (cores),
     `system/memory` (bytes) …

     `points=N` thins the points for a drawing: at most N (7 or more) of each metric, the lowest and the highest of
     each stretch among them; "total" says of how many. Then `from=` and `to=` choose a stretch by steps, or with
     `over=time` by times, and `smoothing=W` (0 to below 1) smooths exponentially, all values before they are thinned.
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
from smalt.service.tracking.curve_cache import CurveCache
from smalt.service.tracking.curve_files import RunKey
from smalt.service.tracking.curves import Curve, Drawing, build_curve, find_extremes
from smalt.service.tracking.run_database import Extremes, Point

_MOST_JOBS = 10_000
_OF_DRAWINGS = ("over", "from", "to", "smoothing")
_USAGE = "system/"
_USED = ("cpu", "memory", "gpu", "gpu_memory")


@dataclass
class RunMetrics:
    """A run with the metrics to show."""

    id: str
    job: Job | None
    label: str
    source: str = ""
    """The run that has the metrics: of a reused job that of the job whose outputs it took."""
    latest: dict[str, Point] = field(default_factory=dict)
    extremes: dict[str, Extremes] = field(default_factory=dict)
    history: dict[str, list[Point]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    """The numbers of points of which those of `history` were chosen for a drawing."""


async def get_metrics(request: ApiRequest) -> dict[str, Any]:
    db, top = request.server.db, find_job(request)
    chosen, drawing = request.query_params.getlist("metric"), read_drawing(request)
    extremes, history = request.get_flag("extremes"), request.get_flag("history")
    rows, hidden = get_subtree(jobs.list_tree(db, top.root_id), top), list[Job]()
    if request.get_query("trials") == "false":
        rows, hidden = trials.split_trials(rows)
    reused, names = find_reused(db, rows, top.root_id), [row.name for row in hidden]
    is_drawn = history and drawing is not None
    origins = {job.name: job.id for job in tracked_runs.find_jobs(db, top.workspace_id, set(reused.values()))}
    path, cache = get_database_path(request), request.server.curves
    with_usage = not chosen or any(name.startswith(_USAGE) for name in chosen)
    samples = usage.list_samples(db, (row.id for row in rows)) if with_usage else {}

    def load() -> list[dict[str, Any]]:
        runs = load_runs(path, rows, chosen, extremes and not is_drawn, history and not is_drawn, reused, names)
        if drawing is not None and is_drawn:
            draw_runs(path, runs, cache, drawing, origins, extremes)
        for run in runs:
            if run.job is not None and run.job.id in samples:
                add_usage(run, samples[run.job.id], drawing, chosen)
        return [_render_run(run, history) for run in runs if run.latest or run.id == top.name]

    return {"runs": await asyncio.to_thread(load)}


def read_drawing(request: ApiRequest) -> Drawing | None:
    """Read how curves are to be drawn; None if they are wanted complete."""
    most = request.get_number("points", 0)
    given = [name for name in _OF_DRAWINGS if request.get_query(name)]
    if not most:
        if given:
            raise ValidationException(f"'{given[0]}' is for curves that are drawn; give 'points' as well")
        return None
    over = request.get_query("over", "step")
    if over not in ("step", "time"):
        raise ValidationException(f"'over' must be 'step' or 'time', not '{over}'")
    smoothing = request.get_real("smoothing", 0.0)
    if not 0 <= smoothing < 1:
        raise ValidationException(f"'smoothing' must be at least 0 and below 1, not {smoothing}")
    scale = 1.0 if over == "step" else 1000.0  # curves have milliseconds
    low, high = request.get_real("from", -math.inf) * scale, request.get_real("to", math.inf) * scale
    return Drawing(most, smoothing, "step" if over == "step" else "time", low, high)


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
        run.source = source if source in latest else run.id  # its own copy, where the earlier job was deleted
        of = latest.get(run.source, {})
        run.latest = {name: of[name] for name in of if not chosen or name in chosen}
        run.extremes, run.history = lowest_highest.get(run.source, {}), points.get(run.source, {})
    return runs


def draw_runs(
    path: Path,
    runs: Sequence[RunMetrics],
    cache: CurveCache,
    drawing: Drawing,
    origins: Mapping[str, int],
    extremes: bool = False,
) -> None:
    """Add the points by which the curves of the runs are drawn, and the extremes if they are wanted.

    `origins` maps the jobs whose outputs and metrics others took to their ids.
    """
    ids = {**origins, **{run.id: run.job.id for run in runs if run.job}}
    keys = {run.id: RunKey(run.source, ids.get(run.source, 0)) for run in runs if run.latest}
    curves = cache.load_curves(path, {keys[run.id]: list(run.latest) for run in runs if run.latest})
    for run in runs:
        for name, curve in curves.get(keys[run.id], {}).items() if run.latest else ():
            run.history[name], run.totals[name] = _draw_curve(curve, drawing)
            if extremes and (found := find_extremes(curve)):
                run.extremes[name] = found


def _draw_curve(curve: Curve, drawing: Drawing) -> tuple[list[Point], int]:
    drawn, total = drawing.pick_points(curve)
    return drawn.list_points(), total


def find_reused(db: Database, rows: Sequence[Job], root_id: int) -> dict[str, str]:
    """Return the reused jobs among `rows`, which have one root → the jobs whose outputs they took."""
    origins = reuse.list_origins(db, root_id)
    return {row.name: origins[row.id] for row in rows if row.id in origins}


def add_usage(
    run: RunMetrics, samples: Sequence[usage.UsageSample], drawing: Drawing | None, chosen: Sequence[str] = ()
) -> None:
    """Add the job's use of the machine as metrics, whose step is the number of the sample."""
    for what in _USED:
        name = f"{_USAGE}{what}"
        if chosen and name not in chosen:
            continue
        points = [
            Point(float(value), step, int(sample.at * 1000))
            for step, sample in enumerate(samples)
            if (value := getattr(sample, what)) is not None
        ]
        if not points:
            continue
        values = [point.value for point in points]
        run.latest[name] = points[-1]
        run.extremes[name] = Extremes(min(values), max(values), len(values))
        run.history[name] = points
        if drawing is not None:
            run.history[name], run.totals[name] = _draw_curve(build_curve(points), drawing)


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


def _render_run(run: RunMetrics, history: bool) -> dict[str, Any]:
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
            metric["points"] = [[point.step, point.time / 1000, to_json_number(point.value)] for point in points]
            if name in run.totals:
                metric["total"] = run.totals[name]
        metrics.append(metric)
    return {"id": run.id, "job": run.job.name if run.job else None, "label": run.label, "metrics": metrics}


ROUTES = [("GET", "/jobs/{name}/metrics", get_metrics), ("POST", "/metrics", get_latest_metrics)]
