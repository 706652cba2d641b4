"""Stamps: descriptions of a file or folder by the file system, and the search for the entry that changed since."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator

from smalt.service.records.stamps import ContentStamp


def make_stamp(path: str) -> ContentStamp:
    """Return the stamp of a file, or a folder with all its entries; nothing is read. OSError if it does not exist."""
    found = sorted(_list_entries(path), key=lambda pair: pair[0])
    plain = [
        f"{name}\0" if stat.S_ISDIR(status.st_mode) else f"{name}\0{status.st_size} {status.st_mtime_ns}"
        for name, status in found
    ]
    exact = [f"{status.st_ctime_ns} {status.st_ino} {status.st_mode}" for _, status in found]
    newest = max(status.st_ctime_ns for _, status in found)
    return ContentStamp(_hash_lines(plain + exact), _hash_lines(plain), len(found), newest)


def _hash_lines(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def find_changed(path: str, moment: int) -> str:
    """Return the path of an entry that changed after a moment: the file written last, if there is one."""
    later = [
        (not stat.S_ISREG(status.st_mode), status.st_mtime_ns <= moment, -status.st_ctime_ns, name)
        for name, status in _list_entries(path)
        if max(status.st_ctime_ns, status.st_mtime_ns) > moment
    ]
    return os.path.join(path, min(later)[3]).rstrip("/") if later else path


def _list_entries(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield each entry at and below `path` by its path below that; links are not followed."""
    status = os.lstat(path)
    yield "", status
    folders = [""] if stat.S_ISDIR(status.st_mode) else []
    while folders:
        prefix = folders.pop()
        with os.scandir(f"{path}/{prefix}") as found:
            for entry in found:
                status = entry.stat(follow_symlinks=False)
                yield prefix + entry.name, status
                if stat.S_ISDIR(status.st_mode):
                    folders.append(f"{prefix}{entry.name}/")
