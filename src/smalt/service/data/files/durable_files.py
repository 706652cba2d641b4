"""Files that a crash does not tear. For many at once, one sync of the file system beats thousands of single ones."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Collection, Iterable

from smalt.service.data.files.copying import make_write_error

_ONE_BY_ONE = 12


class NewFile:
    """A file being written; errors of the disk become one sentence, others pass through."""

    def __init__(self, path: str | os.PathLike[str], mode: int = 0o666) -> None:
        self._path = path
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            self._file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb", buffering=0)
        except OSError as error:
            raise make_write_error(path, error) from None

    def write(self, block: bytes) -> None:
        view = memoryview(block)
        try:
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise make_write_error(self._path, error) from None

    def finish(self, target: str | os.PathLike[str]) -> None:
        """Make the file durable and give it its name."""
        try:
            os.fsync(self._file.fileno())
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(self._path, target)
            sync_folders([os.path.dirname(target)])
        except OSError as error:
            raise make_write_error(target, error) from None

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the file unless it was finished."""
        self._file.close()
        if os.path.lexists(self._path):
            os.unlink(self._path)


def write_durably(
    temporary: str | os.PathLike[str], target: str | os.PathLike[str], blocks: Iterable[bytes], mode: int = 0o666
) -> int:
    """Write `target` by way of `temporary`, whole or not at all; return its size."""
    size = 0
    with NewFile(temporary, mode) as file:
        for block in blocks:
            file.write(block)
            size += len(block)
        file.finish(target)
    return size


def sync_files(paths: Collection[str]) -> None:
    _sync_paths(paths, os.O_RDONLY)


def sync_folders(paths: Collection[str]) -> None:
    _sync_paths(paths, os.O_RDONLY | os.O_DIRECTORY)


def _sync_paths(paths: Collection[str], flags: int) -> None:
    whole = _get_syncfs() if len(paths) > _ONE_BY_ONE else None
    for path in paths:
        handle = os.open(path, flags | os.O_CLOEXEC)
        try:
            if whole is not None and whole(handle) == 0:
                return
            os.fsync(handle)
        finally:
            os.close(handle)


@functools.cache
def _get_syncfs() -> Callable[[int], int] | None:
    """Return Linux' syncfs; None on other systems."""
    import ctypes

    function = getattr(ctypes.CDLL(None), "syncfs", None)
    if function is None:
        return None
    return lambda handle: int(function(handle))
