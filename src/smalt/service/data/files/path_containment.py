"""Paths that must stay inside a folder."""

from __future__ import annotations

import os
from pathlib import Path

from smalt.exceptions import RefusedError

_LONGEST_NAME, _LONGEST_PATH = 255, 4095
"""In bytes, as Linux has them."""


def resolve_inside(root: str | os.PathLike[str], path: str, *, links: bool = True) -> Path:
    """Return `path` (already decoded, `/` between its parts) below `root`; raise Refused if it leads out of it.

    With `links`, the disk counts too: a link that leads out of `root` is refused.
    """
    relative = normalize_relative(path)
    if relative is None:
        raise RefusedError(f"path {path!r} leads out of its folder; write it without '..' and without a leading '/'")
    target = Path(root, relative) if relative else Path(root)
    if max(map(len, os.fsencode(relative).split(b"/"))) > _LONGEST_NAME or len(os.fsencode(target)) > _LONGEST_PATH:
        raise make_length_error(target)
    if links:
        real, top = os.path.realpath(target), os.path.realpath(root)
        if real != top and not real.startswith(top.rstrip("/") + "/"):
            raise RefusedError(f"path {path!r} leads through a link out of its folder")
    return target


def make_length_error(path: str | os.PathLike[str]) -> RefusedError:
    """Return the error for a path that no disk can hold."""
    name = max(os.fspath(path).split("/"), key=len)
    if len(os.fsencode(name)) <= _LONGEST_NAME:
        return RefusedError(f"the path {os.fspath(path)[:40]}… is too long for a file; nest its folders less deeply")
    return RefusedError(f"the name {name[:40]}… is too long for a file; choose one of at most {_LONGEST_NAME} bytes")


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
