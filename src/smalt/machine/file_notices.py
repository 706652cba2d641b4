"""Linux's notices of what is done to files (inotify). Standard library only."""

from __future__ import annotations

import ctypes
import os
import struct
import weakref
from collections.abc import Iterator

OPENED, WRITTEN, ATTRIBUTES, CLOSED_WRITTEN, REMOVED, MOVED = 0x20, 0x02, 0x04, 0x08, 0x400, 0x800
ADDED = 0x80 | 0x100
"""An entry of a folder was moved there or created."""
LOST = 0x40 | 0x200
"""An entry of a folder was moved away or deleted."""
OVERFLOW = 0x4000
"""More happened than the kernel keeps: some notices are lost."""
_NO_FOLLOW = 0x02000000
_EVENT = struct.Struct("iIII")
_LIMIT = "/proc/sys/fs/inotify/max_user_watches"


class FileNotices:
    """The notices of files, by the number that each file got. They are there before the call that caused them returns.

    A file is known by its inode: what is done by another of its names, or by a descriptor, is noticed as well.
    """

    def __init__(self) -> None:
        """Raise OSError where the system has no notices to give."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        if not hasattr(self._libc, "inotify_init1"):
            raise OSError("this system has no inotify")
        self._add = self._libc.inotify_add_watch
        self._fd = int(self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))
        if self._fd < 0:
            raise _make_error()
        weakref.finalize(self, os.close, self._fd)

    def fileno(self) -> int:
        """Return the descriptor, which is readable when there are notices."""
        return self._fd

    def add_file(self, path: str, kinds: int) -> int:
        """Give notices of these kinds for a file, or for a link itself; return its number."""
        number = int(self._add(self._fd, os.fsencode(path), kinds | _NO_FOLLOW))
        if number < 0:
            raise _make_error()
        return number

    def remove_file(self, number: int) -> None:
        """Give no more notices for a file."""
        self._libc.inotify_rm_watch(self._fd, number)

    def read_notices(self) -> Iterator[tuple[int, int]]:
        """Yield number and kinds of all notices that are there."""
        for number, kinds, _ in self.read_named_notices():
            yield number, kinds

    def read_named_notices(self) -> Iterator[tuple[int, int, str]]:
        """Yield number, kinds and name of all notices that are there; the name is of an entry of a folder, or empty."""
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                number, kinds, _, length = _EVENT.unpack_from(data, at)
                name = os.fsdecode(data[at + _EVENT.size : at + _EVENT.size + length].rstrip(b"\0"))
                at += _EVENT.size + length
                yield number, kinds, name


def read_most_files() -> int:
    """Return the number of files for which all of this user's programs together can have notices."""
    try:
        with open(_LIMIT) as file:
            return int(file.read())
    except (OSError, ValueError):
        return 0


def _make_error() -> OSError:
    number = ctypes.get_errno()
    return OSError(number, os.strerror(number))
