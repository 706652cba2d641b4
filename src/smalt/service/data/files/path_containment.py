"""Keeping a path inside a folder."""

from __future__ import annotations

import os
from pathlib import Path

from smalt.exceptions import Refused


def contained(root: str | os.PathLike[str], path: str, *, links: bool = True) -> Path:
    """`path` (already decoded, `/` between its parts) below `root`; refused when it leads out of it.

    With `links`, what is on the disk counts too: a link that leads out of `root` is refused.
    """
    relative = inside(path)
    if relative is None:
        raise Refused(f"path {path!r} leads out of its folder; write it without '..' and without a leading '/'")
    target = Path(root, relative) if relative else Path(root)
    if links:
        real, top = os.path.realpath(target), os.path.realpath(root)
        if real != top and not real.startswith(top.rstrip("/") + "/"):
            raise Refused(f"path {path!r} leads through a link out of its folder")
    return target


def inside(path: str) -> str | None:
    """`path` without empty and `.` parts, or None when it is absolute, climbs with `..` or can be no file name."""
    if path.startswith("/") or not can_be_named(path):
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)


def can_be_named(text: str) -> bool:
    """Whether a disk can hold the name; JSON can carry texts that it cannot."""
    try:
        return b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return False
