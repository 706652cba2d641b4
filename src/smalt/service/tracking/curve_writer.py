"""Writes the files of long curves while jobs log them, so that the first look at one is quick."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from smalt.exceptions import SmaltError
from smalt.machine.home import Home
from smalt.service.records import tracked_runs
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.curve_cache import LEAST_STORED, CurveCache
from smalt.service.tracking.curve_files import RunKey
from smalt.service.tracking.run_database import get_database_path

log = logging.getLogger("smalt.tracking")

_MOST_RUNS = 1000
_MOST_METRICS = 1000
_MOST_COUNTS = 100_000
"""Metrics of all runs together."""
_TOGETHER = 16
"""Curves of a run that are in memory at a time to be written; each time reads the new rows of all its metrics."""
_GROWTH_DIVISOR = 8
"""A curve's file is written again once the curve has grown by an eighth, as writing reads the whole file."""


class _Unwritten:
    """The values of a metric that were logged since its file was written, and those after which it is written again."""

    __slots__ = ("count", "due")

    def __init__(self) -> None:
        self.count = 0
        self.due = LEAST_STORED

    def set_written(self, total: int) -> None:
        self.count, self.due = 0, max(LEAST_STORED, total // _GROWTH_DIVISOR)


class _Run(NamedTuple):
    workspace: int
    folder: str
    id: str


class CurveWriter:
    """Counts what is logged, and writes the files of curves of which much is not in them yet."""

    def __init__(self, home: Home, db: Database, curves: CurveCache) -> None:
        self._home = home
        self._db = db
        self._curves = curves
        self._runs: OrderedDict[_Run, dict[str, _Unwritten]] = OrderedDict()
        """Runs that logged last; a count that is forgotten only makes a later look slower."""
        self._counts = 0
        """The number of metrics of all these runs."""
        self._due: dict[_Run, None] = {}
        """Runs with a curve to write, the first that had one first."""
        self._is_closing = False
        self._task: asyncio.Task[None] | None = None

    def record_metrics(self, workspace: Workspace, run: str, metrics: Sequence[str]) -> None:
        """Count values that a client logged, by the names of their metrics."""
        key = _Run(workspace.id, workspace.folder, run)
        counts = self._runs.setdefault(key, {})
        self._runs.move_to_end(key)
        for name in metrics:
            if name not in counts:
                if len(counts) == _MOST_METRICS:
                    continue
                counts[name] = _Unwritten()
                self._counts += 1
            unwritten = counts[name]
            unwritten.count += 1
            if unwritten.count >= unwritten.due:
                self._due[key] = None
        self._forget_runs()
        if self._due and not self._is_closing and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._write_due())

    async def close(self) -> None:
        """End once the curves that are being written are; what else is due is left to a later look."""
        self._is_closing = True
        if self._task is not None:
            await asyncio.wait([self._task])

    def _forget_runs(self) -> None:
        while len(self._runs) > _MOST_RUNS or self._counts > _MOST_COUNTS:
            run, counts = self._runs.popitem(last=False)
            self._counts -= len(counts)
            self._due.pop(run, None)

    async def _write_due(self) -> None:
        while self._due and not self._is_closing:
            run = next(iter(self._due))
            del self._due[run]
            if some := self._find_due(run):
                self._due[run] = None  # again, as the last: more of its metrics may be due
                await self._write_curves(run, some)

    def _find_due(self, run: _Run) -> dict[str, _Unwritten]:
        """Return the metrics of a run that are due, and at least half due; no more than are written together."""
        counts = self._runs[run].items()
        due = [(name, one) for name, one in counts if one.count >= one.due]
        half = [(name, one) for name, one in counts if one.count < one.due <= 2 * one.count] if due else []
        return dict((due + half)[:_TOGETHER])

    async def _write_curves(self, run: _Run, metrics: dict[str, _Unwritten]) -> None:
        rows = tracked_runs.find_jobs(self._db, run.workspace, [run.id])
        key = RunKey(run.id, rows[0].id if rows else 0)
        path = get_database_path(self._home, run.folder)
        try:
            totals = await asyncio.to_thread(self._curves.store_curves, path, key, list(metrics))
        except (SmaltError, OSError) as error:
            log.warning("curves of run %s are not written into files: %s", run.id, error)
            totals = {}
        for name, unwritten in metrics.items():
            unwritten.set_written(totals.get(name, 0))
