"""The curves that were drawn last, in memory: of a run that goes on only what was logged since then is read again.

Long curves are in files as well, for the first look at them after others were drawn, or after a start of the server."""

from __future__ import annotations

import json
import math
import sqlite3
import sys
import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from smalt.service.tracking.curve_files import CurveFiles, FindNames, RunKey
from smalt.service.tracking.curves import Curve, sort_curve
from smalt.service.tracking.run_database import read_database, to_number

_MOST_VALUES = 2_000_000
"""A value takes 24 bytes; a curve, and a run, takes as much again as some values."""
_OF_CURVE = _OF_RUN = 25
LEAST_STORED = 10_000
"""Values that a curve's file takes at a time; to read fewer from the database takes less than 10 ms."""
_READERS = 16
_COLUMNS = "CASE is_nan WHEN 0 THEN value ELSE 9e999 END, step, timestamp"
"""Infinity stands for NaN here: MLflow writes infinite values as the largest number."""
_WIDTH = 3
_BATCH = 1000


@dataclass(frozen=True)
class _KnownCurve:
    curve: Curve
    last_row: int
    """The rows of its run up to this rowid are in it."""
    pending: Curve
    """Points of the curve that are not in its file."""
    size: int = 0
    """Bytes of its file that are good."""

    def count_values(self) -> int:
        """Return the values in memory; without a file those that are pending are the curve itself."""
        return len(self.curve.values) + (len(self.pending.values) if self.size else 0)


_EMPTY = Curve(array("d"), array("d"), array("d"))
_NO_VALUES = _KnownCurve(_EMPTY, 0, _EMPTY)


@dataclass(frozen=True)
class _KnownRun:
    newest: tuple[Any, ...] | None = None
    """The row of the run that was its newest when it was read."""
    curves: Mapping[str, _KnownCurve] = field(default_factory=dict)

    @cached_property
    def size(self) -> int:
        """Memory that the run takes, in values."""
        return _OF_RUN + sum(_OF_CURVE + known.count_values() for known in self.curves.values())


class CurveCache:
    """Curves of runs, as MLflow's databases have them: rows are added to a run, and never changed."""

    def __init__(self, most: int = _MOST_VALUES) -> None:
        self._most = most
        self._runs: OrderedDict[tuple[Path, RunKey], _KnownRun] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()
        self._readers = [threading.Lock() for _ in range(_READERS)]
        """A run is read by one thread at a time, which has the lock of the run's hash."""

    def load_curves(self, path: Path, wanted: Mapping[RunKey, Collection[str]]) -> dict[RunKey, dict[str, Curve]]:
        """Load run → metric → curve for the metrics that are wanted of each run."""

        def read(connection: sqlite3.Connection) -> dict[RunKey, dict[str, Curve]]:
            return {key: self._load_run(connection, path, key, names) for key, names in wanted.items()}

        return read_database(path, read, {})

    def store_curves(self, path: Path, key: RunKey, names: Collection[str]) -> dict[str, int]:
        """Write what was logged of long curves into their files; return metric → number of its values.

        In memory stay those that were drawn last.
        """

        def read(connection: sqlite3.Connection) -> dict[str, int]:
            run = self._extend_run(connection, path, key, names, is_drawn=False)
            return {name: len(run.curves[name].curve.values) for name in names}

        return read_database(path, read, {})

    def remove_orphans(self, path: Path, find_names: FindNames) -> None:
        """Remove the curves of runs that a workspace does not have any more; `find_names` finds its jobs by id."""
        CurveFiles(path).remove_orphans(find_names)

    def _load_run(
        self, connection: sqlite3.Connection, path: Path, key: RunKey, names: Collection[str]
    ) -> dict[str, Curve]:
        run = self._extend_run(connection, path, key, names, is_drawn=True)
        return {name: run.curves[name].curve for name in names}

    def _extend_run(
        self, connection: sqlite3.Connection, path: Path, key: RunKey, names: Collection[str], is_drawn: bool
    ) -> _KnownRun:
        with self._readers[hash((path, key)) % _READERS]:
            with self._lock:
                known = self._runs.get((path, key))
            run = _extend_run(connection, CurveFiles(path), key, names, known or _KnownRun())
            if is_drawn or known:
                self._keep_run((path, key), run)
            return run

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


def _extend_run(
    connection: sqlite3.Connection, files: CurveFiles, key: RunKey, names: Collection[str], known: _KnownRun
) -> _KnownRun:
    """Return what is known of a run, with the rows of the named metrics that came since it was read."""
    newest = _find_row(connection, key.id, "(SELECT max(rowid) FROM metrics WHERE run_uuid=?1)")
    if newest is None:
        return _KnownRun(None, dict.fromkeys(names, _NO_VALUES))
    if known.newest and not _has_row(connection, key.id, known.newest):
        known = _KnownRun()  # VACUUM numbers rows anew, and a database may be restored from a backup
    curves, stale = dict(known.curves), dict[int, list[str]]()
    is_stored = files.has_run(key)
    for name in names:
        if name not in curves:
            curves[name] = _load_stored(connection, files, key, name) if is_stored else _NO_VALUES
        if curves[name].last_row < newest[0]:
            stale.setdefault(curves[name].last_row, []).append(name)
    for last_row, stale_names in stale.items():
        for name, rows in _read_rows(connection, key.id, stale_names, last_row, newest[0]).items():
            curves[name] = _store_curve(files, key, name, _add_rows(curves[name], rows, newest[0]), newest)
    return _KnownRun(newest, curves)


def _load_stored(connection: sqlite3.Connection, files: CurveFiles, key: RunKey, name: str) -> _KnownCurve:
    """Load a curve from its file, which is removed if the database is another one than that of which it was made."""
    stored = files.load_curve(key, name)
    if stored is None:
        return _NO_VALUES
    if not _has_row(connection, key.id, stored.newest):
        files.remove_curve(key, name)
        return _NO_VALUES
    return _KnownCurve(sort_curve(stored.curve), stored.newest[0], _EMPTY, stored.size)


def _store_curve(files: CurveFiles, key: RunKey, name: str, known: _KnownCurve, newest: tuple[Any, ...]) -> _KnownCurve:
    """Write the points that are not in a curve's file into it, once they are many."""
    if len(known.pending.values) < LEAST_STORED:
        return known
    size = files.append_curve(key, name, known.size, known.pending, newest)
    return known if size is None else replace(known, pending=_EMPTY, size=size)


def _find_row(connection: sqlite3.Connection, run: str, rowid: str, *values: int) -> tuple[Any, ...] | None:
    row: tuple[Any, ...] | None = connection.execute(
        f"SELECT rowid, key, value, is_nan, step, timestamp FROM metrics WHERE rowid={rowid} AND run_uuid=?1",
        (run, *values),
    ).fetchone()
    return row


def _has_row(connection: sqlite3.Connection, run: str, row: tuple[Any, ...]) -> bool:
    return _find_row(connection, run, "?2", row[0]) == row


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


def _add_rows(known: _KnownCurve, rows: array[float], last_row: int) -> _KnownCurve:
    if not rows:
        return replace(known, last_row=last_row)
    values, steps, times = (rows[column::_WIDTH] for column in range(_WIDTH))
    if max(values) >= sys.float_info.max or min(values) == -sys.float_info.max:
        values = array("d", (to_number(value, value == math.inf) for value in values))
    added = Curve(values, steps, times)
    curve = sort_curve(_join_curves(known.curve, added))
    pending = _join_curves(known.pending, added) if known.size else curve
    return replace(known, curve=curve, last_row=last_row, pending=pending)


def _join_curves(first: Curve, second: Curve) -> Curve:
    return Curve(*(one + other for one, other in zip(first, second, strict=True)))
