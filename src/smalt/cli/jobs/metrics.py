"""The metrics of jobs as rows, as curves, and as a summary after the end of a job."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from smalt.cli.output import curves

Json = dict[str, Any]

POINTS = 1000
"""As many points of a curve are asked for as can be told apart in a drawing."""
COLUMNS = ("run", "name", "value", "step", "min", "max", "count")
HISTORY_COLUMNS = ("run", "name", "step", "time", "value")
_SYSTEM = ("system/", "smalt.")
"""The names of metrics of the machine, and of those that smalt's own programs log, begin so."""
_MOST_RUNS = 10
_MOST_METRICS = 8


def build_rows(runs: Sequence[Json]) -> list[Json]:
    """Return a row for each metric, with its last value and its extremes."""
    return [
        {
            "name": metric["name"],
            "value": metric["value"],
            "step": metric["step"],
            "min": metric.get("min"),
            "max": metric.get("max"),
            "count": metric.get("count"),
            "time": _to_iso(metric["time"]),
            "run": run["label"],
            "run_id": run["id"],
        }
        for run, metric in _sort_metrics(runs)
    ]


def build_history_rows(runs: Sequence[Json]) -> list[Json]:
    """Return a row for each value."""
    return [
        {
            "name": metric["name"],
            "step": step,
            "value": value,
            "time": _to_iso(time),
            "run": run["label"],
            "run_id": run["id"],
        }
        for run, metric in _sort_metrics(runs)
        for step, time, value in metric["points"]
    ]


def plot_metrics(runs: Sequence[Json]) -> str:
    """Return curves as wide as the terminal; a metric with one value is a line of text."""
    columns = shutil.get_terminal_size((80, 24)).columns
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    drawings = []
    for run, metric in _sort_metrics(runs):
        title = f"{run['label']}: {metric['name']}" if run["label"] else metric["name"]
        points, x_name = to_xy(metric["points"])
        if len(points) < 2:
            drawings.append(f"{title}  {format_value(metric['value'])}\n")
            continue
        drawings.append(curves.draw_curve(f"{title}  {_describe_metric(metric)}", points, x_name, columns, plain=plain))
    return "\n".join(drawings)


def to_xy(points: Sequence[Sequence[Any]]) -> tuple[list[tuple[float, float]], str]:
    """Return a curve's points over steps, or over seconds if the steps are all the same; and the name of the x axis."""
    if len({step for step, _, _ in points}) > 1:
        return [(float(step), float(value)) for step, _, value in points], "step"
    by_time = sorted(points, key=lambda point: float(point[1]))
    first = by_time[0][1] if by_time else 0.0
    return [(time - first, float(value)) for _, time, value in by_time], "seconds"


def format_value(value: Any) -> str:
    """Return a metric's value in few characters."""
    return value if isinstance(value, str) else curves.format_number(value)


def summarise_metrics(name: str, runs: Sequence[Json], hidden: Collection[str] = ()) -> list[str]:
    """Return lines with the last metrics of an ended job and its runs, without those of the machine.

    Runs of the jobs `hidden` are left out.
    """
    runs = [run for run in runs if run["job"] not in hidden]
    told = [(run, metrics) for run in runs if (metrics := [one for one in run["metrics"] if not _is_system(one)])]
    lines = []
    for run, metrics in told[:_MOST_RUNS]:
        values = ", ".join(f"{one['name']} {format_value(one['value'])}" for one in metrics[:_MOST_METRICS])
        more = f" and {len(metrics) - _MOST_METRICS} more" if len(metrics) > _MOST_METRICS else ""
        lines.append(f"metrics{' of ' + run['label'] if run['label'] else ''}: {values}{more}")
    if len(told) > _MOST_RUNS:
        lines.append(f"metrics of {len(told) - _MOST_RUNS} more runs: smalt job metrics {name}")
    return lines


def _sort_metrics(runs: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Yield each run's metrics, the logged ones before those of the machine."""
    for run in runs:
        for metric in sorted(run["metrics"], key=_is_system):
            yield run, metric


def _is_system(metric: Json) -> bool:
    return bool(metric["name"].startswith(_SYSTEM))


def _describe_metric(metric: Json) -> str:
    extremes = f", from {format_value(metric['min'])} to {format_value(metric['max'])}" if "min" in metric else ""
    return f"last {format_value(metric['value'])}{extremes}"


def _to_iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
