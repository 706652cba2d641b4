"""The curves that were drawn last, in memory: of a run that goes on only what was logged since then is read again."""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from smalt.service.tracking.curves import Curve, sort_curve
from smalt.service.tracking.run_database import read_database, to_number

_MOST_VALUES = 2_000_000
"""A value takes 24 bytes; a curve, and a run, takes as much again as some values."""
_OF_CURVE = _OF_RUN = 25
_COLUMNS = "CASE is_nan WHEN 0 THEN value ELSE 9e999 END, step, timestamp"
"""Infinity stands for NaN here: MLflow writes infinite values as the largest number."""
_WIDTH = 3
_BATCH = 1000


class RunKey(NamedTuple):
    """A run, and the record of its job, which a later job of the same name does not have; 0 for a run without one."""

    id: str
    job: int


@dataclass(frozen=True)
class _KnownCurve:
    curve: Curve
    last_row: int
    """The rows of its run up to this rowid are in it."""


_NO_VALUES = _KnownCurve(Curve(array("d"), array("d"), array("d")), 0)


@dataclass(frozen=True)
class _KnownRun:
    newest: tuple[Any, ...] | None = None
    """The row of the run that was its newest when it was read."""
    curves: Mapping[str, _KnownCurve] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """Memory that the run takes, in values."""
        return _OF_RUN + sum(_OF_CURVE + len(known.curve.values) for known in self.curves.values())


class CurveCache:
    """Curves of runs, as MLflow's databases have them: rows are added to a run, and never changed."""

    def __init__(self, most: int = _MOST_VALUES) -> None:
        self._most = most
        self._runs: OrderedDict[tuple[Path, RunKey], _KnownRun] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def load_curves(self, path: Path, wanted: Mapping[RunKey, Collection[str]]) -> dict[RunKey, dict[str, Curve]]:
        """Load run → metric → curve for the metrics that are wanted of each run."""

        def read(connection: sqlite3.Connection) -> dict[RunKey, dict[str, Curve]]:
            return {key: self._load_run(connection, path, key, names) for key, names in wanted.items()}

        return read_database(path, read, {})

    def _load_run(
        self, connection: sqlite3.Connection, path: Path, key: RunKey, names: Collection[str]
    ) -> dict[str, Curve]:
        with self._lock:
            known = self._runs.get((path, key), _KnownRun())
        run = _extend_run(connection, key.id, names, known)
        self._keep_run((path, key), run)
        return {name: run.curves[name].curve for name in names}

    def _keep_run(self, key: tuple[Path, RunKey], run: _KnownRun) -> None:
        """Keep a run as the one that was asked for last, and of the others those for which there is room."""
        with self._lock:
            before = self._runs.pop(key, None)
            self._size -= before.size if before else 0
            if run.size > self._most:
                return
            self._runs[key] = run
            self._size += run.size
            while self._size > self._most:
                self._size -= self._runs.popitem(last=False)[1].size


def _extend_run(connection: sqlite3.Connection, run: str, names: Collection[str], known: _KnownRun) -> _KnownRun:
    """Return what is known of a run, with the rows of the named metrics that came since it was read."""
    newest = _find_row(connection, run, "(SELECT max(rowid) FROM metrics WHERE run_uuid=?1)")
    if newest is None:
        return _KnownRun(None, dict.fromkeys(names, _NO_VALUES))
    if known.newest and known.newest != _find_row(connection, run, "?2", known.newest[0]):
        known = _KnownRun()  # VACUUM numbers rows anew, and a database may be restored from a backup
    curves, stale = dict(known.curves), dict[int, list[str]]()
    for name in names:
        before = curves.setdefault(name, _NO_VALUES)
        if before.last_row < newest[0]:
            stale.setdefault(before.last_row, []).append(name)
    for last_row, stale_names in stale.items():
        for name, rows in _read_rows(connection, run, stale_names, last_row, newest[0]).items():
            curves[name] = _KnownCurve(_add_rows(curves[name].curve, rows), newest[0])
    return _KnownRun(newest, curves)


def _find_row(connection: sqlite3.Connection, run: str, rowid: str, *values: int) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        f"SELECT rowid, key, value, is_nan, step, timestamp FROM metrics WHERE rowid={rowid} AND run_uuid=?1",
        (run, *values),
    ).fetchone()
    return row


def _read_rows(
    connection: sqlite3.Connection, run: str, names: Sequence[str], after: int, last: int
) -> dict[str, array[float]]:
    """Read metric → its rows with a rowid above `after` and up to `last`, in one array, row after row.

    Few tuples live at a time: 100,000 of them cost as much again as reading them.
    """
    columns = _COLUMNS if len(names) == 1 else f"key, {_COLUMNS}"
    rows = connection.execute(
        # The sign keeps SQLite from the index by key, in which the rows of all runs are.
        f"SELECT {columns} FROM metrics WHERE run_uuid=? AND rowid>? AND rowid<=?"
        " AND +key IN (SELECT value FROM json_each(?)) ORDER BY rowid",
        (run, after, last, json.dumps(list(names))),
    )
    found = {name: array("d") for name in names}
    if len(names) == 1:
        while batch := rows.fetchmany(_BATCH):
            found[names[0]].fromlist(list(chain.from_iterable(batch)))
    else:
        for name, *row in rows:
            found[name].extend(row)
    return found


def _add_rows(curve: Curve, rows: array[float]) -> Curve:
    if not rows:
        return curve
    values, steps, times = (rows[column::_WIDTH] for column in range(_WIDTH))
    if max(values) >= sys.float_info.max or min(values) == -sys.float_info.max:
        values = array("d", (to_number(value, value == math.inf) for value in values))
    return sort_curve(Curve(curve.values + values, curve.steps + steps, curve.times + times))
