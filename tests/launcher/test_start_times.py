"""The start of a process by the clock is the one that /proc tells."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from smalt.launcher import start_times
from smalt.launcher.start_times import StartTimes
from smalt.machine import processes
from tests.helpers import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")


@contextmanager
def process() -> Iterator[int]:
    pid = os.posix_spawn("/bin/sleep", ["sleep", "10"], {})
    try:
        yield pid
    finally:
        os.kill(pid, 9)
        os.waitpid(pid, 0)


def read(pid: int) -> int:
    stat = processes.read_stat(pid)
    assert stat is not None
    return stat.start_time


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The processes whose files were read."""
    read: list[int] = []
    real = processes.read_stat

    def look(pid: int) -> processes.ProcessStat | None:
        read.append(pid)
        return real(pid)

    monkeypatch.setattr(start_times.processes, "read_stat", look)
    return read


def test_the_clock_tells_the_same(reads: list[int]) -> None:
    """Of the first ones it is checked; later only those are looked at that a tick of the clock divides."""
    times, looked = StartTimes(), list[bool]()

    def find_one() -> bool:
        """Return True once the clock alone has told the start of a process."""
        before = times.read_clock()
        with process() as pid:
            reads.clear()
            found = times.find_start(pid, before)
            looked.append(bool(reads))
            assert found == read(pid)
        return not looked[-1]

    eventually(find_one, "a process that started within a tick")
    assert sum(looked) >= 3


def test_a_clock_that_counts_otherwise_is_not_asked(monkeypatch: pytest.MonkeyPatch, reads: list[int]) -> None:
    """As where the kernel gives /proc another time than its clocks."""
    times = StartTimes()
    now = times.read_clock() + 1000
    monkeypatch.setattr(StartTimes, "read_clock", lambda self: now if self._tick else 0)
    for _ in range(5):
        before = times.read_clock()
        with process() as pid:
            assert times.find_start(pid, before) == read(pid)
    assert times.read_clock() == 0


def test_a_process_that_is_gone() -> None:
    times = StartTimes()
    assert times.find_start(2**22 - 1, times.read_clock()) == 0
