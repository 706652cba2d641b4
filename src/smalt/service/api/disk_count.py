"""The count of what takes a home's space, which goes on beside the requests."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

log = logging.getLogger("smalt.api")

_PAUSE_FACTOR = 10.0
"""The pause after a count, in multiples of the time that it took."""

Items = list[dict[str, Any]]


class DiskCount:
    """The last count of what takes a home's space; the next one is made by a thread that no server waits for."""

    def __init__(self) -> None:
        self.items: Items | None = None
        self.counted: float | None = None
        self.took = 0.0
        self._thread: threading.Thread | None = None

    @property
    def is_counting(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start_if_older(self, age: float, count: Callable[[], Items]) -> None:
        """Begin a count unless one is under way or the last one is young enough."""
        wait = max(age, self.took * _PAUSE_FACTOR)
        if self.is_counting or (self.counted is not None and time.time() - self.counted < wait):
            return
        self._thread = threading.Thread(target=self._run_count, args=(count,), name="disk-count", daemon=True)
        self._thread.start()

    def _run_count(self, count: Callable[[], Items]) -> None:
        begun = time.monotonic()
        try:
            self.items = count()
        except OSError:
            log.exception("the disk cannot be counted")
        self.took, self.counted = time.monotonic() - begun, time.time()
