"""A runner that raises, hangs or cannot tell: its own steps wait, each runs once, and no other is held up."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.compute import registry
from smalt.service.records import job_attempts
from smalt.service.records.jobs import Job
from tests.engine.bench import Workbench, workbench
from tests.helpers import eventually

from . import spool

HOST = "azureml:host"


class Faults:
    """The calls of the spool's runner that fail, each once or so often as it is there."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left: list[str] = []
        for name in ("start", "stop", "acknowledge"):
            self._wrap(monkeypatch, name)
        recover, opened = spool.SpoolRunner.recover, spool.SpoolRunner.open

        async def fail_recover(runner: spool.SpoolRunner, unfinished: list[str]) -> dict[str, Any]:
            fault = self.left.pop() if self.left else ""
            if fault == "hangs":
                await asyncio.Event().wait()
            if fault == "raises":
                raise OSError("the head node cannot be reached")
            if fault == "unknown":
                return dict.fromkeys(unfinished, fault)
            return {} if fault else await recover(runner, unfinished)

        async def fail_open(runner: spool.SpoolRunner, *callbacks: Any) -> None:
            if self.left[-1:] == ["closed"]:
                raise OSError(f"{self.left.pop()}: the head node cannot be reached")
            await opened(runner, *callbacks)

        monkeypatch.setattr(spool.SpoolRunner, "recover", fail_recover)
        monkeypatch.setattr(spool.SpoolRunner, "open", fail_open)

    def _wrap(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        real = getattr(spool.SpoolRunner, name)

        def fail(runner: spool.SpoolRunner, *arguments: Any) -> None:
            if name in self.left:
                self.left.remove(name)
                raise OSError(f"{name}: the head node cannot be reached")
            real(runner, *arguments)

        monkeypatch.setattr(spool.SpoolRunner, name, fail)


@pytest.fixture
def faults(spool_backend: None, monkeypatch: pytest.MonkeyPatch) -> Faults:
    monkeypatch.setattr(registry, "_FIRST_WAIT", 0.05)
    monkeypatch.setattr(registry, "_PATIENCE", 0.2)
    return Faults(monkeypatch)


def submit(bench: Workbench, name: str, text: str, compute: str = "azureml:spool") -> Job:
    return bench.submit(name, {"command": text, "environment": HOST, "compute": compute})


def attempts(bench: Workbench, job: Job) -> list[str | None]:
    return [one.reason for one in job_attempts.list_attempts(bench.db, job.id)]


async def test_a_start_that_raises_is_tried_again(faults: Faults, tmp_path: Path) -> None:
    """The step that could not be started is another attempt; those beside it, there and here, start once."""
    async with workbench() as bench:
        faults.left = ["start", "acknowledge"]
        bench.engine.pause()
        names = ("a", "b")
        asked = [submit(bench, name, f"echo {name} >>{tmp_path}/ran") for name in names]
        here = submit(bench, "here", f"echo here >>{tmp_path}/ran", "local")
        bench.engine.resume()
        assert [(await bench.over(job)).status for job in (here, *asked)] == ["Completed"] * 3
        assert sorted((tmp_path / "ran").read_text().split()) == ["a", "b", "here"]
        # Both are prepared at once, so either may meet the fault.
        assert sorted(attempts(bench, job) for job in asked) == [["exited"], ["never started", "exited"]]
        assert not faults.left


async def test_a_stop_that_raises_is_tried_again(faults: Faults, tmp_path: Path) -> None:
    """The job that was canceled ends, as soon as its runner can be reached."""
    async with workbench() as bench:
        job = submit(bench, "long", f": >{tmp_path}/begun; sleep 60 & wait")
        await asyncio.to_thread(eventually, (tmp_path / "begun").exists)
        faults.left = ["stop", "stop"]
        bench.engine.cancel(job)
        assert (await bench.over(job)).status == "Canceled"
        assert (attempts(bench, job), faults.left) == (["stopped"], [])


@pytest.mark.parametrize("fault", ["raises", "hangs", "unknown", "left out", "closed"])
async def test_a_step_of_which_nobody_knows_is_not_run_again(faults: Faults, tmp_path: Path, fault: str) -> None:
    """The server starts, its other jobs run, and the step's end is known once its runner can tell."""
    home = Home(tmp_path / "home")

    bench = Workbench(home)
    await bench.engine.open()
    job = submit(bench, "kept", f"echo x >>{tmp_path}/ran; until [ -e {tmp_path}/go ]; do sleep 0.05; done")
    await bench.until(job, lambda now: now.status == "Running")
    await bench.kill()
    faults.left = [fault, fault]
    async with workbench(home) as again:
        here = submit(again, "here", "true", "local")
        assert (await again.over(here)).status == "Completed"
        (tmp_path / "go").touch()
        assert (await again.over(job)).status == "Completed"
        assert (attempts(again, job), faults.left) == (["exited"], [])
        assert (tmp_path / "ran").read_text() == "x\n"


async def test_a_step_that_ended_meanwhile_is_settled_late(faults: Faults, tmp_path: Path) -> None:
    """Its runner says `unknown` at first, and later that it never started: only then is there another attempt."""
    home = Home(tmp_path / "home")

    bench = Workbench(home)
    await bench.engine.open()
    first = submit(bench, "first", f"until [ -e {tmp_path}/go ]; do sleep 0.05; done")
    await bench.until(first, lambda now: now.status == "Running")
    job = submit(bench, "behind", f"echo x >>{tmp_path}/ran")
    await bench.until(job, lambda now: bool(attempts(bench, job)))
    await bench.kill()
    faults.left = ["unknown"]
    (home.path("spool") / f"{job.id}.1" / "step").unlink()
    (home.path("spool") / f"{job.id}.1" / "stop").write_text("1")
    async with workbench(home) as again:
        (tmp_path / "go").touch()
        assert (await again.over(job)).status == "Completed"
        assert attempts(again, job) == ["never started", "exited"]
        assert (tmp_path / "ran").read_text() == "x\n"
