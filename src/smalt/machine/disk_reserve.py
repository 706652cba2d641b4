"""Room on the disk of a home, and some that is kept for what server and launcher must write. Standard library only.

The reserve is one file. Whoever must write and finds the disk full gives a portion of it back to the disk, and tries
again; the server fills it when there is room.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

RESERVED = 8 << 20
PORTION = 2 << 20
LITTLE = 4 << 20
"""Bytes below which a disk counts as full."""
_PLENTY = 4 * RESERVED
_PIECE = b"\0" * (1 << 20)


class DiskSpace(NamedTuple):
    """The size of a disk, and the space that is free on it, in bytes."""

    free: int
    size: int

    @classmethod
    def measure(cls, folder: str | os.PathLike[str]) -> DiskSpace:
        found = os.statvfs(folder)
        return cls(found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize)

    def __str__(self) -> str:
        return f"{self.free / 1e6:,.1f} MB of {self.size / 1e6:,.0f} MB are free"

    @property
    def is_full(self) -> bool:
        return self.free < LITTLE


class DiskReserve:
    """The file of a home that keeps room."""

    def __init__(self, home: str | os.PathLike[str]) -> None:
        self._home = home
        self._path = Path(home, "reserve")

    def fill(self) -> None:
        """Keep as much as there should be, where the disk has plenty; an OSError where it cannot be kept."""
        size = self.read_size()
        if size >= RESERVED or DiskSpace.measure(self._home).free < _PLENTY:
            return
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, RESERVED)
                return
            os.lseek(handle, size, os.SEEK_SET)
            while size < RESERVED:
                size += os.write(handle, _PIECE[: RESERVED - size])
        finally:
            os.close(handle)

    def release(self) -> bool:
        """Give a portion back; False where nothing is left."""
        size = self.read_size()
        if not size:
            return False
        try:
            os.truncate(self._path, max(0, size - PORTION))
        except OSError:
            return False
        return True

    def release_where_full(self) -> bool:
        return DiskSpace.measure(self._home).is_full and self.release()

    def read_size(self) -> int:
        try:
            return self._path.stat().st_size
        except OSError:
            return 0
