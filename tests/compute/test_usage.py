"""What running steps use: of real processes, in sessions of their own as the launcher makes them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smalt.launcher.marks import VARIABLE
from smalt.machine.processes import LINUX, Process, find_process
from smalt.service.compute.local import usage
from smalt.service.compute.local.usage import UsageSampler, get_interval
from tests.helpers import eventually

_MEGABYTE = 1024 * 1024
_BUSY = "import time\nhold = bytearray(80 * 1024 * 1024)\nprint('ready', flush=True)\nwhile True: pass"
_SLEEPS = "import time\nprint('ready', flush=True)\ntime.sleep(600)"
# A grandchild with a session of its own, whose parents are gone.
_ORPHAN = f"""
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork():
        os._exit(0)
    exec({_BUSY!r})
time.sleep(600)
"""

Start = Callable[..., Process]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a Python program as a step, and ends it with all that carries its mark."""
    children: list[subprocess.Popen[bytes]] = []

    def begin(program: str, step_id: str = "1.1", **variables: str) -> Process:
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", program],
            env={"PATH": os.defpath, VARIABLE: f"test:{os.getpid()}:{step_id}", **variables},
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        found = find_process(child.pid)
        assert found is not None
        return found

    yield begin
    for child in children:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout is not None:
            child.stdout.close()
    for name in os.listdir("/proc") if LINUX else ():
        with contextlib.suppress(OSError):
            if f"{VARIABLE}=test:{os.getpid()}:".encode() in Path("/proc", name, "environ").read_bytes():
                os.kill(int(name), signal.SIGKILL)


def _sampled(sampler: UsageSampler, steps: dict[str, Process], worked: float = 0.0) -> dict[str, usage.StepUsage]:
    """A second sample, after the first step has worked for that many seconds of the processor."""
    sampler.list_due(steps)
    sampler.read_usage(steps)
    until = _read_worked() + worked
    eventually(lambda: _read_worked() >= until, "the step's work")
    return sampler.read_usage(steps)


def _read_worked() -> float:
    """Return the processor time of all that carries the mark of the first step."""
    ticks = 0
    for name in os.listdir("/proc") if LINUX else ():
        with contextlib.suppress(OSError):
            if f"{VARIABLE}=test:{os.getpid()}:1.1".encode() in Path("/proc", name, "environ").read_bytes():
                ticks += sum(map(int, Path("/proc", name, "stat").read_text().rpartition(")")[2].split()[11:13]))
    return ticks / os.sysconf("SC_CLK_TCK") if LINUX else time.monotonic()


def test_each_step_is_charged_with_its_own_work(start: Start) -> None:
    """A busy step with 80 MB shows cores and memory; a sleeping one beside it shows none of that."""
    steps = {"1.1": start(_BUSY), "2.1": start(_SLEEPS, "2.1")}
    found = _sampled(UsageSampler(gpus=False), steps, 0.4)
    assert found["2.1"].cpu < found["1.1"].cpu < 1.5  # of a machine that may have other work
    assert found["1.1"].memory > 80 * _MEGABYTE
    assert found["2.1"].cpu < 0.1
    assert 0 < found["2.1"].memory < 60 * _MEGABYTE
    assert found["1.1"].gpu is None


@pytest.mark.skipif(not LINUX, reason="only Linux shows another process' environment")
def test_a_process_that_left_session_and_parents_is_charged_to_its_step(start: Start) -> None:
    """The mark in its environment tells whose it is."""
    found = _sampled(UsageSampler(gpus=False), {"1.1": start(_ORPHAN)}, 0.4)
    assert found["1.1"].memory > 80 * _MEGABYTE
    assert found["1.1"].cpu > 0


def test_what_every_systems_ps_tells_is_enough(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without /proc the same step shows the same memory."""
    steps = {"1.1": start(_BUSY)}
    before = _sampled(UsageSampler(gpus=False), steps)["1.1"]
    monkeypatch.setattr(usage, "_read_proc", usage._read_ps)
    after = _sampled(UsageSampler(gpus=False), steps)["1.1"]
    assert after.memory == pytest.approx(before.memory, rel=0.1)
    assert usage._parse_seconds("2-03:04:05") == 2 * 86400 + 3 * 3600 + 4 * 60 + 5
    assert usage._parse_seconds("0:01.25") == 1.25


def test_a_short_step_costs_nothing(start: Start) -> None:
    """Nothing is due before a step is two seconds old, and nothing of it is read."""
    sampler = UsageSampler(gpus=False)
    step = start(_SLEEPS)
    assert sampler.list_due({"1.1": step}) == {}
    assert sampler.list_due({}) == {}
    assert sampler.list_due({"1.1": step}) == {}
    eventually(lambda: sampler.list_due({"1.1": step}) == {"1.1": step})
    sampler.read_usage({"1.1": step})
    assert sampler.list_due({"1.1": step}) == {}, "the next one is due in five seconds"


def test_old_steps_are_looked_at_less_often() -> None:
    """Every five seconds at first, every minute after an hour."""
    assert [get_interval(age) for age in (2, 300, 600, 3600, 1e6)] == [5, 5, 10, 60, 60]


def test_the_gpus_of_a_step_are_those_that_it_may_see(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call of nvidia-smi serves all steps; one without GPUs shows none, and a broken tool spoils nothing."""
    tool, calls = tmp_path / "nvidia-smi", tmp_path / "calls"
    tool.write_text(
        f"#!/bin/sh\necho call >> {calls}\n"
        "printf '0, GPU-aa, 50, 1000\\n1, GPU-bb, 100, 2000\\n2, GPU-cc, [N/A], 3000\\n'\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    steps = {
        "1.1": start(_SLEEPS, CUDA_VISIBLE_DEVICES="0,1"),
        "2.1": start(_SLEEPS, "2.1", CUDA_VISIBLE_DEVICES=""),
        "3.1": start(_SLEEPS, "3.1", CUDA_VISIBLE_DEVICES="GPU-cc"),
    }
    sampler = UsageSampler(gpus=True)
    sampler.list_due(steps)
    found = sampler.read_usage(steps)
    assert (found["1.1"].gpu, found["1.1"].gpu_memory) == (1.5, 3000 * _MEGABYTE)
    assert (found["2.1"].gpu, found["2.1"].gpu_memory) == (None, None)
    assert (found["3.1"].gpu, found["3.1"].gpu_memory) == (0.0, 3000 * _MEGABYTE)
    assert calls.read_text() == "call\n"
    tool.write_text("#!/bin/sh\necho 'NVIDIA-SMI has failed'; exit 9\n")
    broken = UsageSampler(gpus=True)
    broken.list_due(steps)
    assert broken.read_usage(steps)["1.1"].gpu is None


def test_a_step_that_has_just_ended_is_left_out(start: Start) -> None:
    """A pid without a process is not an error."""
    step = start(_SLEEPS)
    gone = step._replace(pid=2**22 + 1)
    sampler = UsageSampler(gpus=False)
    sampler.list_due({"1.1": step, "2.1": gone})
    assert set(sampler.read_usage({"1.1": step, "2.1": gone})) == {"1.1"}
