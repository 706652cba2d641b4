"""Making many files durable at once: one sync of the file system beats thousands of single ones."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection

_ONE_BY_ONE = 12


def sync_files(paths: Collection[str]) -> None:
    _sync(paths, os.O_RDONLY)


def sync_folders(paths: Collection[str]) -> None:
    _sync(paths, os.O_RDONLY | os.O_DIRECTORY)


def _sync(paths: Collection[str], flags: int) -> None:
    whole = _whole_file_system() if len(paths) > _ONE_BY_ONE else None
    for path in paths:
        handle = os.open(path, flags | os.O_CLOEXEC)
        try:
            if whole is None:
                os.fsync(handle)
            elif whole(handle) == 0:
                return
            else:
                os.fsync(handle)
        finally:
            os.close(handle)


@functools.cache
def _whole_file_system() -> Callable[[int], int] | None:
    """Linux' syncfs, or None where there is none."""
    import ctypes

    function = getattr(ctypes.CDLL(None), "syncfs", None)
    if function is None:
        return None
    return lambda handle: int(function(handle))
