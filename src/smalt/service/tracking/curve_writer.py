"""Has the files of long curves written while jobs log them, so that the first look at one is quick."""

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
_SHARE = 8
"""Values of a curve for each that it has more of before it is written again: to do so reads the file."""


class _Unwritten:
    """The values of a metric that were logged since its file was written, and those after which it is written again."""

    def __init__(self) -> None:
        self.count = 0
        self.due = LEAST_STORED

    def set_written(self, total: int) -> None:
        self.count, self.due = 0, max(LEAST_STORED, total // _SHARE)


class _Run(NamedTuple):
    workspace: int
    folder: str
    id: str


_Runs = OrderedDict[_Run, dict[str, _Unwritten]]


class CurveWriter:
    """Counts what is logged, and writes the files of curves of which much is not in them yet."""

    def __init__(self, home: Home, db: Database, curves: CurveCache) -> None:
        self._home = home
        self._db = db
        self._curves = curves
        self._runs: _Runs = OrderedDict()
        """Runs that logged last; a count that is forgotten only makes a later look slower."""
        self._task: asyncio.Task[None] | None = None

    def record_metrics(self, workspace: Workspace, run: str, metrics: Sequence[str]) -> None:
        """Count values that a client logged, by the names of their metrics."""
        key = _Run(workspace.id, workspace.folder, run)
        counts = self._runs.setdefault(key, {})
        self._runs.move_to_end(key)
        if len(self._runs) > _MOST_RUNS:
            self._runs.popitem(last=False)
        for name in metrics:
            unwritten = counts.setdefault(name, _Unwritten())
            unwritten.count += 1
            if unwritten.count >= unwritten.due and (self._task is None or self._task.done()):
                self._task = asyncio.get_running_loop().create_task(self._write_due())

    async def close(self) -> None:
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _write_due(self) -> None:
        await asyncio.sleep(0)  # once all the values of the request are counted
        while (found := self._find_due()) is not None:
            run, metrics = found
            rows = tracked_runs.find_jobs(self._db, run.workspace, [run.id])
            key = RunKey(run.id, rows[0].id if rows else 0)
            path = get_database_path(self._home, run.folder)
            try:
                totals = await asyncio.to_thread(self._curves.store_curves, path, key, list(metrics))
            except SmaltError as error:
                log.warning("curves of run %s are not written into files: %s", run.id, error)
                totals = {}
            for name, unwritten in metrics.items():
                unwritten.set_written(totals.get(name, 0))

    def _find_due(self) -> tuple[_Run, dict[str, _Unwritten]] | None:
        """Return a run with curves to write, and those of them that are at least half due."""
        for run, counts in self._runs.items():
            if any(one.count >= one.due for one in counts.values()):
                return run, {name: one for name, one in counts.items() if 2 * one.count >= one.due}
        return None
