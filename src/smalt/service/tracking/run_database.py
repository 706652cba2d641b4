"""The content of MLflow's database, read without MLflow: a workspace's `mlflow.db`, opened for reading only.

A store that was never used has no database, which reads as an empty one.
"""

from __future__ import annotations

import contextlib
import json
import math
import sqlite3
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.records.database_errors import explain_full_disk, find_full_folder

PARENT = "mlflow.parentRunId"
T = TypeVar("T")


class Point(NamedTuple):
    """A value of a metric; `time` is in milliseconds since 1970."""

    value: float
    step: int
    time: int


class LoggedMetric(NamedTuple):
    """A value of a metric as a client logged it; `time` is in milliseconds since 1970."""

    name: str
    value: float
    step: int
    time: int


class MlflowRun(NamedTuple):
    """A run as the store has it."""

    id: str
    name: str
    status: str
    parent: str


class Extremes(NamedTuple):
    """The lowest and highest value of a metric and the number of its values."""

    lowest: float
    highest: float
    total: int


Latest = dict[str, dict[str, Point]]
"""run → metric → its last value"""
History = dict[str, dict[str, list[Point]]]
"""run → metric → its values"""


def get_database_path(home: Home, folder: str) -> Path:
    """Return the path of the database of the workspace with that folder."""
    return home.path("workspaces", folder, "mlflow.db")


def load_latest(path: Path, runs: Collection[str]) -> Latest:
    """Load the last value of each metric of many runs; runs without metrics are left out."""
    rows = run_query(
        path,
        "SELECT run_uuid, key, value, is_nan, step, timestamp FROM latest_metrics"
        " WHERE run_uuid IN (SELECT value FROM json_each(?)) ORDER BY key",
        (json.dumps(list(runs)),),
    )
    found: Latest = {}
    for run, key, value, is_nan, step, time in rows:
        found.setdefault(run, {})[key] = Point(to_number(value, is_nan), step, time or 0)
    return found


def load_arrivals(path: Path, runs: Collection[str], name: str) -> dict[str, tuple[int, float]]:
    """Load run → the value of a metric that arrived last, with a number that is higher for what arrived later."""
    rows = run_query(
        path,
        "SELECT run_uuid, max(rowid), value, is_nan FROM metrics"
        " WHERE key=? AND run_uuid IN (SELECT value FROM json_each(?)) GROUP BY run_uuid",
        (name, json.dumps(list(runs))),
    )
    return {run: (number, to_number(value, is_nan)) for run, number, value, is_nan in rows}


def load_extremes(path: Path, runs: Collection[str]) -> dict[str, dict[str, Extremes]]:
    """Load run → metric → its lowest and highest value and their number; NaN does not count."""
    rows = run_query(
        path,
        "SELECT run_uuid, key, min(value), max(value), count(*) FROM metrics"
        " WHERE run_uuid IN (SELECT value FROM json_each(?)) AND is_nan=0 GROUP BY run_uuid, key",
        (json.dumps(list(runs)),),
    )
    found: dict[str, dict[str, Extremes]] = {}
    for run, key, lowest, highest, count in rows:
        found.setdefault(run, {})[key] = Extremes(to_number(lowest, 0), to_number(highest, 0), count)
    return found


def load_history(path: Path, runs: Collection[str], metrics: Collection[str] = ()) -> History:
    """Load all values of these metrics, or of all, by step and then by time."""
    rows = run_query(
        path,
        "SELECT run_uuid, key, value, is_nan, step, timestamp FROM metrics"
        " WHERE run_uuid IN (SELECT value FROM json_each(?1)) AND (?2='[]' OR key IN (SELECT value FROM json_each(?2)))"
        " ORDER BY run_uuid, key, step, timestamp",
        (json.dumps(list(runs)), json.dumps(list(metrics))),
    )
    found: History = {}
    for run, key, value, is_nan, step, time in rows:
        found.setdefault(run, {}).setdefault(key, []).append(Point(to_number(value, is_nan), step, time))
    return found


def load_logged(path: Path, run: str) -> list[LoggedMetric]:
    """Load all values of a run's metrics, in the order in which they arrived."""
    rows = run_query(
        path, "SELECT key, value, is_nan, step, timestamp FROM metrics WHERE run_uuid=? ORDER BY rowid", (run,)
    )
    return [LoggedMetric(key, to_number(value, is_nan), step, time) for key, value, is_nan, step, time in rows]


def load_last_arrived(path: Path, runs: Collection[str], name: str) -> float | None:
    """Load the value of a metric that arrived last in any of the runs; None if none did."""
    rows = run_query(
        path,
        "SELECT value, is_nan FROM metrics WHERE key=? AND run_uuid IN (SELECT value FROM json_each(?))"
        " ORDER BY rowid DESC LIMIT 1",
        (name, json.dumps(list(runs))),
    )
    return to_number(*rows[0]) if rows else None


def load_metric_names(path: Path, runs: Collection[str], most: int) -> list[str]:
    """Load the names of the metrics of the runs, at most so many."""
    rows = run_query(
        path,
        "SELECT DISTINCT key FROM latest_metrics WHERE run_uuid IN (SELECT value FROM json_each(?))"
        " ORDER BY key LIMIT ?",
        (json.dumps(list(runs)), most),
    )
    return [name for (name,) in rows]


def load_keys(path: Path, table: str, most: int) -> list[str]:
    """Load the first names in a table of metrics or parameters, in order, without a look at all its rows."""
    rows = run_query(
        path,
        f"WITH RECURSIVE known (key) AS (SELECT min(key) FROM {table} UNION ALL"
        f" SELECT (SELECT min(t.key) FROM {table} t WHERE t.key>known.key) FROM known WHERE known.key IS NOT NULL)"
        " SELECT key FROM known WHERE key IS NOT NULL LIMIT ?",
        (most,),
    )
    return [key for (key,) in rows]


def load_parameters(path: Path, runs: Collection[str]) -> dict[str, dict[str, str]]:
    """Load run → parameter → value."""
    return _load_texts(path, "params", runs)


def load_tags(path: Path, runs: Collection[str]) -> dict[str, dict[str, str]]:
    """Load run → tag → value."""
    return _load_texts(path, "tags", runs)


def find_runs(path: Path, runs: Collection[str]) -> set[str]:
    """Return those of the runs that the store has, deleted ones that it can restore among them."""
    rows = run_query(
        path,
        "SELECT run_uuid FROM runs WHERE run_uuid IN (SELECT value FROM json_each(?))",
        (json.dumps(list(runs)),),
    )
    return {run for (run,) in rows}


def load_nested_runs(path: Path, runs: Collection[str]) -> list[MlflowRun]:
    """Load the runs below these, at any depth, parents first; jobs' own runs among them."""
    seen, level, found = set(runs), set(runs), []
    while level:
        rows = run_query(
            path,
            "SELECT r.run_uuid, r.name, r.status, t.value FROM tags t JOIN runs r ON r.run_uuid=t.run_uuid"
            " WHERE t.key=? AND t.value IN (SELECT value FROM json_each(?)) AND r.lifecycle_stage='active'"
            " ORDER BY r.start_time, r.run_uuid",
            (PARENT, json.dumps(sorted(level))),
        )
        fresh = [MlflowRun(id, name or "", status, parent) for id, name, status, parent in rows if id not in seen]
        found += fresh
        level = {run.id for run in fresh}
        seen |= level
    return found


def _load_texts(path: Path, table: str, runs: Collection[str]) -> dict[str, dict[str, str]]:
    rows = run_query(
        path,
        f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid IN (SELECT value FROM json_each(?)) ORDER BY key",
        (json.dumps(list(runs)),),
    )
    found: dict[str, dict[str, str]] = {}
    for run, key, value in rows:
        found.setdefault(run, {})[key] = value
    return found


def to_number(value: float, is_nan: float) -> float:
    """Return a stored value: MLflow writes infinity as the largest number, and NaN as 0 with a mark."""
    if is_nan:
        return math.nan
    return math.copysign(math.inf, value) if abs(value) == sys.float_info.max else float(value)


def run_query(path: Path, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Return the rows of a query; [] if there is no database yet."""
    return read_database(path, lambda connection: connection.execute(sql, values).fetchall(), [])


def read_database(path: Path, read: Callable[[sqlite3.Connection], T], empty: T) -> T:
    """Return what `read` finds in the database; `empty` if there is no database yet."""
    if not path.exists():
        return empty
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True, timeout=5.0)) as connection:
            connection.execute("PRAGMA query_only=ON")  # not mode=ro, which cannot undo what a killed writer left half
            return read(connection)
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):  # it is being made at this moment
            return empty
        full = find_full_folder(path, error)
        why = str(error) if full is None else explain_full_disk(full)
        raise Unavailable(f"the metrics in {path} cannot be read: {why}") from None
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"the metrics in {path} cannot be read: {error}; restore it from a backup") from None
