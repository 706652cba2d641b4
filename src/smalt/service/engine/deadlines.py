"""The timers of composites that are canceled at a time; the time itself is worked out from the records."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable

from smalt.service.engine.kinds import Deadline, Error


class Deadlines:
    """The deadlines of composites that are not over; `wake` asks for a turn when one has passed."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self.passed: deque[tuple[int, Error]] = deque()
        """Composites to cancel, each with the reason."""

    def set_deadline(self, job_id: int, deadline: Deadline) -> None:
        self.remove_deadline(job_id)
        left = max(0.0, deadline.time - time.time())
        self._timers[job_id] = asyncio.get_running_loop().call_later(left, self._note_passed, job_id, deadline)

    def remove_deadline(self, job_id: int) -> None:
        timer = self._timers.pop(job_id, None)
        if timer is not None:
            timer.cancel()

    def clear(self) -> None:
        for job_id in list(self._timers):
            self.remove_deadline(job_id)
        self.passed.clear()

    def _note_passed(self, job_id: int, deadline: Deadline) -> None:
        if time.time() < deadline.time:  # the clock was set back, or runs behind the timer's
            self.set_deadline(job_id, deadline)
            return
        del self._timers[job_id]
        self.passed.append((job_id, deadline.error))
        self._wake()
