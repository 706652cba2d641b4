"""When the files of curves are written, and what is kept to know it."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Collection, Coroutine
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.records.database import Database
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.curve_cache import LEAST_STORED, CurveCache
from smalt.service.tracking.curve_files import RunKey
from smalt.service.tracking.curve_writer import CurveWriter
from tests.helpers import LONGEST, eventually

SPACE = Workspace(1, "s", "g", "w", "w", "{}", "me", 0.0)
FEW = 16


class Writes(CurveCache):
    """Keeps what is to be written, by run; `before` is called with the run first."""

    def __init__(self, before: Callable[[str], Any] = lambda run: None) -> None:
        super().__init__()
        self.calls: list[tuple[str, list[str]]] = []
        self._before = before

    def store_curves(self, path: Path, key: RunKey, names: Collection[str]) -> dict[str, int]:
        self.calls.append((key.id, list(names)))
        self._before(key.id)
        return dict.fromkeys(names, LEAST_STORED)


def run_writer(home: Path, curves: CurveCache, scenario: Callable[[CurveWriter], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        db = Database(home / "smalt.db")
        writer = CurveWriter(Home(home), db, curves)
        await scenario(writer)
        await writer.close()
        db.close()

    asyncio.run(run())


async def wait_until(condition: Callable[[], bool]) -> None:
    await asyncio.to_thread(eventually, condition, "writes")


@pytest.mark.parametrize(("runs", "each", "most"), [(1, 20_000, 20_000), (150, 1000, 250_000)])
def test_no_more_is_counted_however_many_metrics_are_logged(tmp_path: Path, runs: int, each: int, most: int) -> None:
    """By one run, whose metrics have the epoch in their names, or by many; each count is two blocks of memory."""

    async def scenario(writer: CurveWriter) -> None:
        before = sys.getallocatedblocks()
        for run in range(runs):
            writer.record_metrics(SPACE, f"run-{run}", [f"{run}/{number}" for number in range(each)])
        assert sys.getallocatedblocks() - before < most

    run_writer(tmp_path, Writes(), scenario)


def test_few_curves_of_a_run_are_written_at_a_time(tmp_path: Path) -> None:
    """Each once, and those that are half due with the others."""
    curves, names = Writes(), [f"metric-{number}" for number in range(3 * FEW)]

    async def scenario(writer: CurveWriter) -> None:
        writer.record_metrics(SPACE, "run", [*names[1:] * LEAST_STORED, *names[:1] * (LEAST_STORED // 2)])
        await wait_until(lambda: len(curves.calls) == 3)

    run_writer(tmp_path, curves, scenario)
    assert [len(written) for _, written in curves.calls] == [FEW] * 3
    assert sorted(name for _, written in curves.calls for name in written) == sorted(names)


def test_runs_take_turns(tmp_path: Path) -> None:
    curves, names = Writes(), [f"metric-{number}" for number in range(FEW + 1)]

    async def scenario(writer: CurveWriter) -> None:
        for run in ("first", "second"):
            writer.record_metrics(SPACE, run, names * LEAST_STORED)
        await wait_until(lambda: len(curves.calls) == 4)

    run_writer(tmp_path, curves, scenario)
    assert [run for run, _ in curves.calls] == ["first", "second"] * 2


def test_a_stop_waits_for_the_curves_that_are_being_written_only(tmp_path: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def wait(run: str) -> None:
        begun.set()
        assert go_on.wait(LONGEST)

    curves = Writes(wait)

    async def scenario(writer: CurveWriter) -> None:
        for run in ("first", "second"):
            writer.record_metrics(SPACE, run, ["loss"] * LEAST_STORED)
        await asyncio.to_thread(begun.wait, 60)
        asyncio.get_running_loop().call_later(0.2, go_on.set)

    run_writer(tmp_path, curves, scenario)
    assert [run for run, _ in curves.calls] == ["first"]


def test_a_run_that_cannot_be_written_is_no_reason_to_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(run: str) -> None:
        if run == "first":
            raise OSError("File name too long")

    curves = Writes(refuse)

    async def scenario(writer: CurveWriter) -> None:
        for run in ("first", "second"):
            writer.record_metrics(SPACE, run, ["loss"] * LEAST_STORED)
        await wait_until(lambda: len(curves.calls) == 2)

    run_writer(tmp_path, curves, scenario)
    assert "curves of run first are not written into files: File name too long" in caplog.text
