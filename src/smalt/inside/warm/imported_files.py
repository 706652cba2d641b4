"""The files that a parent has imported, and whether they are still what they were then."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    Stamp = tuple[int, int, int, int]
    Stamps = dict[str, Stamp | None]


def read_stamps(begun: int) -> Stamps:
    """Return the stamp of each file that was imported, and of each folder of `sys.path`, to which others may be added.

    What changed after `begun`, the time in nanoseconds before the imports, has no stamp: its old text may be what was
    imported.
    """
    paths = {*_list_files(), *(path for path in sys.path if path)}
    stamps = {path: _read_stamp(path) for path in paths}
    return {path: None if stamp[1] >= begun else stamp for path, stamp in stamps.items()}


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


def _read_stamp(path: str) -> Stamp:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0, 0)
    return (found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size)
