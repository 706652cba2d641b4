"""Writes a file through to the disk beside the launcher's loop, in which no step could start meanwhile."""

from __future__ import annotations

import contextlib
import os
import queue
import threading
from collections.abc import Callable


class BackgroundSync:
    """Syncs files on a thread of its own, one after the other."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.covered = 0.0
        """The time (monotonic) until which all that was written is on the disk, or will be as soon as the disk can."""
        self._synced = 0.0
        self._say = say
        self._requests: queue.SimpleQueue[tuple[int, float]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def request_sync(self, file: int, now: float) -> None:
        """Sync what was written to the descriptor until now; OSError says why it cannot be."""
        self._start_thread()
        copy = os.dup(file)  # as the file may be closed meanwhile
        self.covered = now  # before the thread can fail, and take it back
        self._requests.put((copy, now))

    def is_pending(self) -> bool:
        """Return True while something that was asked for is not on the disk."""
        return self._synced < self.covered

    def _start_thread(self) -> None:
        if self._thread is not None:
            return
        thread = threading.Thread(target=self._run, name="sync", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # this user has too many
            raise OSError(str(error)) from None
        self._thread = thread

    def _run(self) -> None:
        while True:
            file, when = self._requests.get()
            with contextlib.suppress(queue.Empty):
                while True:  # of a file that is not the last one nothing counts: it was replaced by a synced one
                    newer = self._requests.get_nowait()
                    os.close(file)
                    file, when = newer
            try:
                sync_file(file)
                self._synced = when
            except OSError as error:
                self.covered = self._synced  # so that it is tried again
                self._say(f"cannot sync the journal: {error}")
            finally:
                os.close(file)


def sync_file(file: int) -> None:
    os.fdatasync(file) if hasattr(os, "fdatasync") else os.fsync(file)
