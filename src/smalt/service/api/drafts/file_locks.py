"""A lock for each file that the studio writes: what a condition is compared with stays there until it is replaced."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakValueDictionary

_LOCKS: WeakValueDictionary[str, threading.Lock] = WeakValueDictionary()
_LOOK_UP = threading.Lock()


@contextmanager
def lock_file(file: Path) -> Iterator[None]:
    """Let one thread at a time compare and write the file, by whichever of its paths; it need not exist."""
    with _LOOK_UP:
        lock = _LOCKS.setdefault(os.path.realpath(file), threading.Lock())
    with lock:
        yield
