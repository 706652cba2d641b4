"""What jobs logged, as rows, as curves and as a few lines after the end of a job."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from smalt.cli.output import curves

Json = dict[str, Any]

POINTS = 1000
"""As many points of a curve are asked for as can be told apart in a drawing."""
COLUMNS = ("run", "name", "value", "step", "min", "max", "count")
HISTORY_COLUMNS = ("run", "name", "step", "time", "value")
_SYSTEM = "system/"
_MOST_RUNS = 10
_MOST_METRICS = 8


def rows(runs: Sequence[Json]) -> list[Json]:
    """A row for each metric: its last value, and the extremes."""
    return [
        {
            "name": metric["name"],
            "value": metric["value"],
            "step": metric["step"],
            "min": metric.get("min"),
            "max": metric.get("max"),
            "count": metric.get("count"),
            "time": _iso(metric["time"]),
            "run": run["label"],
            "run_id": run["id"],
        }
        for run, metric in _ordered(runs)
    ]


def history(runs: Sequence[Json]) -> list[Json]:
    """A row for each value."""
    return [
        {
            "name": metric["name"],
            "step": step,
            "value": value,
            "time": _iso(time),
            "run": run["label"],
            "run_id": run["id"],
        }
        for run, metric in _ordered(runs)
        for step, time, value in metric["points"]
    ]


def plot(runs: Sequence[Json]) -> str:
    """Curves as wide as the terminal; a metric of one value is a line of text."""
    columns = shutil.get_terminal_size((80, 24)).columns
    plain = (sys.stdout.encoding or "").lower().replace("-", "") != "utf8"
    drawings = []
    for run, metric in _ordered(runs):
        title = f"{run['label']}: {metric['name']}" if run["label"] else metric["name"]
        points, x_name = xy(metric["points"])
        if len(points) < 2:
            drawings.append(f"{title}  {number(metric['value'])}\n")
            continue
        drawings.append(curves.draw(f"{title}  {_told(metric)}", points, x_name, columns, plain=plain))
    return "\n".join(drawings)


def xy(points: Sequence[Sequence[Any]]) -> tuple[list[tuple[float, float]], str]:
    """A curve's points, over the steps or, where these do not tell the points apart, over the seconds."""
    if len({step for step, _, _ in points}) > 1:
        return [(float(step), float(value)) for step, _, value in points], "step"
    by_time = sorted(points, key=lambda point: float(point[1]))
    first = by_time[0][1] if by_time else 0.0
    return [(time - first, float(value)) for _, time, value in by_time], "seconds"


def number(value: Any) -> str:
    """A value of a metric in few characters."""
    return value if isinstance(value, str) else curves.short(value)


def summary(name: str, runs: Sequence[Json]) -> list[str]:
    """The last metrics of a job that is over and of each run below it; what the machine was used for is left out."""
    told = [(run, metrics) for run in runs if (metrics := [one for one in run["metrics"] if not _is_system(one)])]
    lines = []
    for run, metrics in told[:_MOST_RUNS]:
        values = ", ".join(f"{one['name']} {number(one['value'])}" for one in metrics[:_MOST_METRICS])
        more = f" and {len(metrics) - _MOST_METRICS} more" if len(metrics) > _MOST_METRICS else ""
        lines.append(f"metrics{' of ' + run['label'] if run['label'] else ''}: {values}{more}")
    if len(told) > _MOST_RUNS:
        lines.append(f"metrics of {len(told) - _MOST_RUNS} more runs: smalt job metrics {name}")
    return lines


def _ordered(runs: Sequence[Json]) -> Iterator[tuple[Json, Json]]:
    """Run by run, what was logged before what was measured."""
    for run in runs:
        for metric in sorted(run["metrics"], key=_is_system):
            yield run, metric


def _is_system(metric: Json) -> bool:
    return bool(metric["name"].startswith(_SYSTEM))


def _told(metric: Json) -> str:
    extremes = f", from {number(metric['min'])} to {number(metric['max'])}" if "min" in metric else ""
    return f"last {number(metric['value'])}{extremes}"


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
