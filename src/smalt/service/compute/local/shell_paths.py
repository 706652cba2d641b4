"""Paths as commands are given them: one word each to a shell, whatever the data or the home is called."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable

from smalt.machine.home import ONE_WORD
from smalt.service.data.files.copying import make_write_error, move_tree
from smalt.service.data.job_data.output_cleanup import make_plain

_UNCLEAN = re.compile(r"[^\w.-]+")


def is_clean(path: str) -> bool:
    """Return True if a shell takes the path for one plain word."""
    return ONE_WORD.fullmatch(path) is not None


def make_clean_path(path: str, folder: str, name: str, *, is_file: bool | None = None) -> str:
    """`path` itself where it is clean, else a link to it: `folder/name`; for a file, one of its own name below that."""
    if is_clean(path):
        return path
    link = get_link_path(path, folder, name, is_file=os.path.isfile(path) if is_file is None else is_file)
    try:
        os.makedirs(os.path.dirname(link), exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if os.readlink(link) == path:
                return link
            os.unlink(link)
        os.symlink(path, link)
    except OSError as error:
        raise make_write_error(link, error) from None
    return link


def get_link_path(path: str, folder: str, name: str, *, is_file: bool) -> str:
    """Return the path of the link to `path`."""
    place = f"{folder}/{_make_clean_name(name)}"
    return f"{place}/{_make_clean_name(os.path.basename(path))}" if is_file else place


def _make_clean_name(name: str) -> str:
    """`name` with `_` for what is not clean; a name without anything clean is told by a hash."""
    stem, suffix = os.path.splitext(_UNCLEAN.sub("_", name))
    if stem.strip("._-"):
        return f"{stem}{suffix}".lstrip("-")
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:8] + suffix


def move_from_link(link: str, path: str, name: str, since: float, say: Callable[[str], None]) -> None:
    """Move to `path` what a job put in the place of the link to it."""
    if not os.path.lexists(link) or (os.path.islink(link) and os.readlink(link) == path):
        return
    make_plain(link, name, since, say)
    move_tree(link, path)
