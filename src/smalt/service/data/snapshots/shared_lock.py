"""A lock for many users of the store at once, or one that clears it."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator


class SharedLock:
    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._users = 0

    @contextlib.contextmanager
    def hold_shared(self) -> Iterator[None]:
        with self._condition:
            self._users += 1
        try:
            yield
        finally:
            with self._condition:
                self._users -= 1
                self._condition.notify_all()

    @contextlib.contextmanager
    def hold_exclusive(self) -> Iterator[None]:
        """Wait until the store has no users, and keep others out."""
        with self._condition:
            self._condition.wait_for(lambda: not self._users)
            yield
