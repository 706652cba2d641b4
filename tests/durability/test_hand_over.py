"""Steps that wait at the launcher while server and launcher come and go."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

import pytest

from smalt.machine.home import Home
from smalt.service.compute.local import launcher_client as local
from smalt.service.records import events, job_attempts, jobs
from tests.engine.bench import Workbench, workbench
from tests.engine.test_hand_over import Gates, attempts, waits
from tests.helpers import eventually


@pytest.fixture
def gates(tmp_path: Path) -> Gates:
    return Gates(tmp_path)


async def opened(home: Home) -> Workbench:
    bench = Workbench(home, cpus=1)
    await bench.engine.open()
    return bench


def kill_launcher(home: Home) -> None:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"-I" in words and os.fsencode(home.root) in words:
                os.kill(int(folder.name), signal.SIGKILL)


async def test_what_waited_for_a_server_that_died_is_queued_again(gates: Gates, tmp_path: Path) -> None:
    """It runs once, and before what was ready after it."""
    home = Home(tmp_path / "home")
    bench = await opened(home)
    first = bench.submit("first", gates.command("first"))
    rest = [bench.submit(f"r{number}", gates.mark(f"r{number}")) for number in range(4)]
    await waits(bench, rest[1])
    await gates.begun("first")
    await bench.kill()
    async with workbench(home, cpus=1) as again:
        assert attempts(again, rest[0]) == ["never started"]
        await gates.open("first")
        assert [(await again.over(job)).status for job in (first, *rest)] == ["Completed"] * 5
        assert gates.marks == ["r0", "r1", "r2", "r3"]
        assert attempts(again, rest[0]) == ["never started", "exited"]


async def test_steps_follow_each_other_while_the_server_is_away(gates: Gates, tmp_path: Path) -> None:
    """The next server finds one that is over and one that runs, with the times at which they did."""
    home = Home(tmp_path / "home")
    bench = await opened(home)
    asked = [bench.submit(name, gates.command(name)) for name in ("first", "second", "third")]
    await waits(bench, asked[2])
    await gates.begun("first")
    await bench.kill()
    for name in ("first", "second"):
        await gates.open(name)
    await gates.begun("second", "third")
    async with workbench(home, cpus=1) as again:
        assert (await again.over(asked[1])).status == "Completed"
        await again.until(asked[2], lambda now: now.status == "Running")
        assert not again.engine.queues.slots.any_free
        await gates.open("third")
        assert (await again.over(asked[2])).status == "Completed"
        for job in asked[1:]:
            states = [event.data for event in events.list_since(again.db, job.id, 0) if event.job_id == job.id]
            assert states[1:4] == ["Queued", "Preparing", "Running"]
            (attempt,) = job_attempts.list_attempts(again.db, job.id)
            assert jobs.get_job(again.db, job.id).started_at == attempt.started_at


async def test_what_waits_outlives_the_launcher(gates: Gates, tmp_path: Path) -> None:
    """The server tells the next launcher what waits; it follows the step that the next one has adopted."""
    async with workbench(Home(tmp_path / "home"), cpus=1) as bench:
        asked = [bench.submit(name, gates.command(name)) for name in ("first", "second")]
        await waits(bench, asked[1])
        await gates.begun("first")
        kill_launcher(bench.home)
        for name in ("first", "second"):
            await gates.begun(name)
            await gates.open(name)
        assert [(await bench.over(job)).status for job in asked] == ["Completed"] * 2
        assert [attempts(bench, job) for job in asked] == [["exited"]] * 2


async def test_a_launcher_of_another_version_is_not_asked_to_wait(
    gates: Gates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It might start at once what it does not understand: what waits is kept until it is let go, and runs then."""
    async with workbench(Home(tmp_path / "home"), cpus=1) as bench:
        asked = [bench.submit(name, gates.command(name)) for name in ("first", "second")]
        await waits(bench, asked[1])
        await gates.begun("first")
        monkeypatch.setattr(local, "PROTOCOL", 1)
        kill_launcher(bench.home)
        compute = bench.compute
        await asyncio.to_thread(eventually, lambda: not compute.accepts_waiting_steps, "the other launcher")
        third = bench.submit("third", gates.mark("third"))
        await gates.open("first")
        await gates.begun("second")
        assert not attempts(bench, third), "nobody else is handed over"
        await gates.open("second")
        assert [(await bench.over(job)).status for job in (*asked, third)] == ["Completed"] * 3
        assert attempts(bench, asked[1]) == ["exited"]
