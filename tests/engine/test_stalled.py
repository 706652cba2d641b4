"""The second after a turn that could not be committed: nothing is run that is not recorded, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smalt.exceptions import Unavailable
from smalt.service.engine import engine
from smalt.service.engine.slots import SlotRequest
from smalt.service.records import job_attempts, jobs
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.engine.test_hand_over import HOST, Gates, attempts
from tests.helpers import LONGEST, eventually


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path)


class FullDisk:
    """Records that cannot be committed once after `fill`; it notes the steps that are started unrecorded."""

    def __init__(self, bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
        self.unrecorded: list[str] = []
        self._is_full = False
        self._met = asyncio.Event()
        transaction, start = bench.db.transaction, bench.compute.start

        @contextlib.contextmanager
        def fail_when_full() -> Iterator[None]:
            with transaction():
                yield
                if self._is_full:
                    self._is_full = False
                    self._met.set()
                    raise Unavailable("the disk is full")

        def note_unrecorded(steps: list[Any]) -> None:
            self.unrecorded += [step.id for step in steps if job_attempts.find_open_attempt(bench.db, step.id) is None]
            start(steps)

        monkeypatch.setattr(bench.db, "transaction", fail_when_full)
        monkeypatch.setattr(bench.compute, "start", note_unrecorded)

    async def fill(self) -> None:
        """Fail the next turn; return once it has failed."""
        self._is_full = True
        await asyncio.wait_for(self._met.wait(), LONGEST)


async def test_a_cancel_in_the_stalled_second_starts_nothing(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step of the turn that was not committed is started after the next one, once, and recorded."""
    async with workbench(cpus=2) as bench:
        disk = FullDisk(bench, monkeypatch)
        first = bench.submit("first", gates.command("first"))
        await gates.begun("first")
        second = bench.submit("second", gates.mark("second"))
        await disk.fill()
        bench.engine.cancel(first)
        assert jobs.get_job(bench.db, first.id).cancel_requested
        assert (await bench.over(second)).status == "Completed"
        assert (await bench.over(first)).status == "Canceled"
        assert (disk.unrecorded, gates.marks) == ([], ["second"])
        assert (attempts(bench, first), attempts(bench, second)) == (["stopped"], ["exited"])


async def test_whatever_is_canceled_in_the_stalled_second_ends(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipeline with steps that run and wait, one without a plan, and the job whose start was not committed."""
    async with workbench(cpus=2) as bench:
        disk = FullDisk(bench, monkeypatch)
        a = {**gates.command("a"), "outputs": {"o": None}}
        b = {**gates.mark("b"), "inputs": {"i": "${{parent.jobs.a.outputs.o}}"}}
        running = bench.submit("running", {"jobs": {"a": a, "b": b, "c": gates.mark("c")}})
        await gates.begun("a")
        await bench.until(bench.child(running, "c"), lambda now: now.is_over)
        unplanned = bench.submit("unplanned", {"jobs": {"d": gates.mark("d")}})
        single = bench.submit("single", gates.mark("single"))
        await disk.fill()
        everything = (running, unplanned, single)
        for job in everything:
            bench.engine.cancel(job)
        assert [(await bench.over(job)).status for job in everything] == ["Canceled"] * 3
        assert bench.states(running) == {"a": "Canceled", "b": "Canceled", "c": "Completed"}
        assert (disk.unrecorded, gates.marks) == ([], ["c"])
        assert not bench.engine.queues.is_busy
        assert bench.engine.queues.slots.take_free(SlotRequest(cpus=2)) is not None


async def test_records_that_cannot_be_read_are_read_again(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault while the queues are made again is tried again after a second, whatever it is."""
    async with workbench(cpus=1) as bench:
        disk = FullDisk(bench, monkeypatch)
        job = bench.submit("late", gates.mark("late"))
        await disk.fill()
        faults: list[Exception] = [KeyError("unforeseen"), Unavailable("the disk fails")]
        read = jobs.list_unfinished

        def fail_twice(db: Any) -> list[Job]:
            if faults:
                raise faults.pop()
            return read(db)

        monkeypatch.setattr(jobs, "list_unfinished", fail_twice)
        assert (await bench.over(job)).status == "Completed"
        assert (faults, attempts(bench, job), gates.marks) == ([], ["exited"], ["late"])


async def test_a_closed_engine_reads_no_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was closed in the stalled second: the timer that would read them again is gone."""
    monkeypatch.setattr(engine, "_RETRY_SECONDS", 0.05)

    async with workbench() as bench:
        disk = FullDisk(bench, monkeypatch)
        job = bench.submit("stays", {"command": "true", "environment": HOST})
        await disk.fill()
        read: list[int] = []
        passed = asyncio.Event()

        def note_read(db: Any) -> list[Job]:
            read.append(1)
            return []

        monkeypatch.setattr(jobs, "list_unfinished", note_read)
        await bench.engine.close()
        asyncio.get_running_loop().call_later(0.1, passed.set)  # later than the engine's
        await passed.wait()
        assert not read
        assert attempts(bench, job) == []


async def test_an_exit_that_came_before_a_cancel_counts(gates: Gates, monkeypatch: pytest.MonkeyPatch) -> None:
    """The turn with the exit could not be committed; a cancel in the stalled second finds the job Completed."""
    async with workbench(cpus=1) as bench:
        disk = FullDisk(bench, monkeypatch)
        first = bench.submit("first", gates.command("first"))
        second = bench.submit("second", gates.command("second"))
        await gates.begun("first")
        await bench.until(first, lambda now: now.status == "Running")
        bench.engine.pause()
        await gates.open("first")
        await asyncio.to_thread(eventually, lambda: bench.engine.pending_exits == 1, "the exit")
        filled = asyncio.ensure_future(disk.fill())
        await asyncio.sleep(0)
        bench.engine.resume()
        await filled
        assert jobs.get_job(bench.db, first.id).status == "Running"
        bench.engine.cancel(first)
        assert jobs.get_job(bench.db, first.id).status == "Completed"
        await gates.begun("second")
        await gates.open("second")
        assert (await bench.over(second)).status == "Completed"
        assert disk.unrecorded == []
        assert (attempts(bench, first), attempts(bench, second)) == (["exited"], ["exited"])
