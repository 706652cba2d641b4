"""The files that a parent has imported, and whether they are still what they were then."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    Stamp = tuple[int, int, int, int]
    Stamps = dict[str, Stamp | None]


_COARSE = 50_000_000
"""Nanoseconds by which a file system's clock may be behind."""


def list_folders() -> dict[str, list[str]]:
    """Return what is in each folder of `sys.path` but `__pycache__`, which imports make."""
    return {path: _list_names(path) for path in sys.path if path}


def read_stamps(begun: int, listed: dict[str, list[str]]) -> Stamps:
    """Return the stamp of each file that was imported, and of each folder of `sys.path`, to which others may be added.

    `begun` is the time in nanoseconds before the imports, and `listed` what was in the folders then. What changed after
    that has no stamp: its old text may be what was imported.
    """
    stamps: Stamps = {}
    for path in _list_files():
        stamp = _read_stamp(path)
        stamps[path] = None if stamp[1] >= begun - _COARSE else stamp
    for path in (path for path in sys.path if path):
        stamp = _read_stamp(path)  # before the look: what comes after both is seen by the next one
        stamps[path] = stamp if listed.get(path) == _list_names(path) else None
    return stamps


def have_changed(stamps: Stamps) -> bool:
    """Return True if another Python might import something else now."""
    return any(_read_stamp(path) != stamp for path, stamp in stamps.items())


def _list_files() -> list[str]:
    found = []
    for module in list(sys.modules.values()):
        if issubclass(type(module), type(sys)):  # isinstance believes what an object, such as cffi's, says it is
            # Not by getattr: a lazy module would be imported by it.
            file = object.__getattribute__(module, "__dict__").get("__file__")
            if isinstance(file, str):
                found.append(file)
    return found


def _list_names(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name != "__pycache__")
    except OSError:
        return []


def _read_stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0, 0)
    # uv links the files of its cache into environments: each further link would be a change of all of them.
    changed = found.st_ctime_ns if found.st_nlink == 1 else 0
    return (found.st_mtime_ns, changed, found.st_ino, found.st_size)
