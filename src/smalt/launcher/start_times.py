"""When a process that was just started has started, by the clock: its file in /proc takes 40 us to read."""

from __future__ import annotations

import os
import time

from smalt.machine import processes

_CHECKS = 3
"""Processes for which both are looked at first: a system may count otherwise."""


class StartTimes:
    """Tells the start times of processes, in the kernel's ticks since the boot, as `processes.read_stat` does."""

    def __init__(self) -> None:
        self._tick = 1_000_000_000 // os.sysconf("SC_CLK_TCK") if processes.LINUX else 0
        """Nanoseconds; 0 where the clock tells nothing."""
        self._unchecked = _CHECKS

    def read_clock(self) -> int:
        """Return the time now, to be given to `find_start`; 0 where the clock tells nothing."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // self._tick if self._tick else 0

    def find_start(self, pid: int, before: int) -> int:
        """Return the start time of a process; 0 if it is gone.

        `before` is the time right before it was started: if the tick is the same now, it is that of the start.
        """
        is_certain = 0 < before == self.read_clock()
        if is_certain and not self._unchecked:
            return before
        stat = processes.read_stat(pid)
        if stat is not None and is_certain:
            self._unchecked = max(0, self._unchecked - 1)
            if stat.start_time != before:
                self._tick = 0
        return stat.start_time if stat is not None else 0
