"""Paths that must stay inside a folder."""

from __future__ import annotations

import os
from pathlib import Path

from smalt.exceptions import RefusedError


def resolve_inside(root: str | os.PathLike[str], path: str, *, links: bool = True) -> Path:
    """Return `path` (already decoded, `/` between its parts) below `root`; raise Refused if it leads out of it.

    With `links`, the disk counts too: a link that leads out of `root` is refused.
    """
    relative = normalize_relative(path)
    if relative is None:
        raise RefusedError(f"path {path!r} leads out of its folder; write it without '..' and without a leading '/'")
    target = Path(root, relative) if relative else Path(root)
    if links:
        real, top = os.path.realpath(target), os.path.realpath(root)
        if real != top and not real.startswith(top.rstrip("/") + "/"):
            raise RefusedError(f"path {path!r} leads through a link out of its folder")
    return target


def normalize_relative(path: str) -> str | None:
    """Return `path` without empty and `.` parts; None if it is absolute, climbs with `..` or is not a file name."""
    if path.startswith("/") or not is_storable(path):
        return None
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return None if ".." in parts else "/".join(parts)


def is_storable(text: str) -> bool:
    """True if a disk can hold the name; JSON can carry texts that it cannot."""
    try:
        return b"\0" not in text.encode("utf-8", "surrogateescape")
    except UnicodeError:
        return False
