"""The clock of schedules: the time of day, and one alarm that follows it when it is set."""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable
from typing import Protocol

_CLOCK_REALTIME = 0
_ABSOLUTE = 1
_LONGEST_WAIT = 30.0
"""Seconds until the time is looked at again, on a system whose timers do not follow the time of day."""


class Clock(Protocol):
    def now(self) -> float:
        """Return the seconds since 1970."""

    def set_alarm(self, at: float | None, ring: Callable[[], None]) -> None:
        """Call `ring` once, at that time or later, in place of the alarm before; None takes it away."""

    def close(self) -> None: ...


class SystemClock:
    """The machine's clock. On Linux the alarm is a timerfd on the time of day: it counts a sleep of the machine, and
    rings at once when the clock is set beyond it. Nothing is looked at meanwhile."""

    def __init__(self) -> None:
        self._timer: asyncio.TimerHandle | None = None
        self._descriptor = -1
        self._is_watched = False

    def now(self) -> float:
        return time.time()

    def set_alarm(self, at: float | None, ring: Callable[[], None]) -> None:
        self._remove_alarm()
        if at is None:
            return
        if sys.platform == "linux" and self._open_descriptor():
            _set_timer(self._descriptor, at)
            asyncio.get_running_loop().add_reader(self._descriptor, self._handle_ring, ring)
            self._is_watched = True
        else:
            self._wait_until(at, ring)

    def close(self) -> None:
        self._remove_alarm()
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _remove_alarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._is_watched:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            self._is_watched = False

    def _open_descriptor(self) -> bool:
        if self._descriptor < 0:
            libc = ctypes.CDLL(None, use_errno=True)
            self._descriptor = libc.timerfd_create(_CLOCK_REALTIME, os.O_NONBLOCK | os.O_CLOEXEC)
        return self._descriptor >= 0

    def _handle_ring(self, ring: Callable[[], None]) -> None:
        self._remove_alarm()
        ring()

    def _wait_until(self, at: float, ring: Callable[[], None]) -> None:
        left = at - self.now()
        loop = asyncio.get_running_loop()
        if left <= 0:
            self._timer = loop.call_later(0, ring)
        else:
            self._timer = loop.call_later(min(left, _LONGEST_WAIT), self._wait_until, at, ring)


def _set_timer(descriptor: int, at: float) -> None:
    """Let a timerfd become readable at a time; a time that is past does so at once."""
    nanoseconds = max(1, int(at * 1e9))
    value = struct.pack("4q", 0, 0, *divmod(nanoseconds, 1_000_000_000))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.timerfd_settime(descriptor, _ABSOLUTE, value, None) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
