"""Actions at later times, on the machine's monotonic clock."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable

Action = Callable[[], None]


class Timers:
    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Action]] = []
        self._count = 0

    def add_at(self, when: float, action: Action) -> None:
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action))

    def add_after(self, seconds: float, action: Action) -> None:
        self.add_at(time.monotonic() + seconds, action)

    def get_timeout(self) -> float | None:
        """Return the seconds until the next action; None if there is none."""
        return max(0.0, self._heap[0][0] - time.monotonic()) if self._heap else None

    def run_due(self) -> None:
        while self._heap and self._heap[0][0] <= time.monotonic():
            heapq.heappop(self._heap)[2]()
