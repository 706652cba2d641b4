"""Write protection: registered content is read-only, for its owner too, until it has been copied to another place."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from smalt.service.data.files.copying import (
    Log,
    copy_file,
    copy_tree,
    make_temporary_name,
    make_write_error,
    remove_tree,
)
from smalt.service.data.files.durable_files import sync_files, sync_folders

_BY_OWNER, _BY_ANYONE = 0o200, 0o222
_ALL_BUT_WRITING = 0o555
_AT_CWD, _RENAME_EXCHANGE = -100, 2
"""Constants of Linux' renameat2."""


def forbid_writing(path: str | os.PathLike[str]) -> None:
    """Remove the write permission from a file, or a folder and everything in it; links stay as they are.

    The folder itself is the last: if it is read-only, everything in it was made so. A file with a second name
    gets a content of its own, as it could be written by the other name. Files of other owners, such as a
    container's root, keep their mode.
    """
    for place, status in _list_bottom_up(os.fspath(path)):
        if not status.st_mode & _BY_ANYONE:
            continue
        with contextlib.suppress(PermissionError):
            if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                make_single(place)
            os.chmod(place, stat.S_IMODE(status.st_mode) & _ALL_BUT_WRITING)


def allow_writing(path: str | os.PathLike[str]) -> None:
    """Give the owner the permission to write a file, or a folder and everything in it."""
    for place, status in _list_bottom_up(os.fspath(path)):
        if not status.st_mode & _BY_OWNER:
            with contextlib.suppress(PermissionError):
                os.chmod(place, stat.S_IMODE(status.st_mode) | _BY_OWNER)


def is_write_protected(path: str | os.PathLike[str]) -> bool:
    """True if not even the owner may write `path`, or the nearest existing folder above it."""
    try:
        return not os.stat(find_existing(path)).st_mode & _BY_OWNER
    except OSError:
        return False


def find_existing(path: str | os.PathLike[str]) -> str:
    """Return `path`, or the nearest folder above it that exists."""
    place = os.path.abspath(path)
    while not os.path.lexists(place):
        place = os.path.dirname(place)
    return place


def copy_aside(source: str | os.PathLike[str], target: str | os.PathLike[str], log: Log | None = None) -> None:
    """Copy a file or folder to the new place `target`, whole, durable and read-only, or not at all.

    A `target` that exists already is left alone.
    """
    if os.path.lexists(target):
        return
    temporary = make_temporary_name(target)
    above = find_existing(temporary.parent)
    try:
        copy_tree(source, temporary, log, read_only=True)
        put_in_place(temporary, target, above)
    except OSError as error:
        raise make_write_error(target, error) from None
    finally:
        remove_tree(temporary)


def put_in_place(
    made: str | os.PathLike[str], target: str | os.PathLike[str], above: str, *, replace: bool = False
) -> None:
    """Rename a complete file or folder to `target`, durably; `above` is the nearest folder that existed before.

    With `replace`, exchange it with what is at `target`.
    """
    sync_tree(made)
    if replace:
        replace_durably(made, target)
    else:
        os.replace(made, target)
    sync_folders([os.fspath(folder) for folder in Path(target).parents if folder.is_relative_to(above)])


def replace_durably(made: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Put a durable file or folder in the place of another, without a moment in which nothing is there if the
    system can.

    The replaced one is afterwards where the new one was, or removed.
    """
    if not os.path.lexists(target):
        os.replace(made, target)
        return
    if _exchange_names(made, target):
        return
    aside = Path(target).with_name(f".{os.getpid()}.{os.urandom(4).hex()}")
    os.replace(target, aside)
    try:
        os.replace(made, target)
    except BaseException:
        os.replace(aside, target)
        raise
    remove_tree(aside)


def _exchange_names(one: str | os.PathLike[str], other: str | os.PathLike[str]) -> bool:
    """Exchange two names atomically; return False if the system or file system cannot."""
    import ctypes  # 10 ms, for what is done when somebody damaged a version

    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    return rename is not None and not rename(_AT_CWD, os.fsencode(one), _AT_CWD, os.fsencode(other), _RENAME_EXCHANGE)


def sync_tree(path: str | os.PathLike[str]) -> None:
    """Make a file, or a folder and everything in it, durable."""
    places = list(_list_bottom_up(os.fspath(path)))
    sync_files([place for place, status in places if stat.S_ISREG(status.st_mode)])
    sync_folders([place for place, status in places if stat.S_ISDIR(status.st_mode)])


def _list_bottom_up(path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield each file and folder at and below `path`, a folder after everything in it."""
    pending = [(path, os.lstat(path), False)]
    while pending:
        place, status, is_seen = pending.pop()
        if is_seen or stat.S_ISREG(status.st_mode):
            yield place, status
        elif stat.S_ISDIR(status.st_mode):
            pending.append((place, status, True))
            with contextlib.suppress(PermissionError), os.scandir(place) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append((entry.path, entry.stat(follow_symlinks=False), False))
                    elif entry.is_file(follow_symlinks=False):
                        yield entry.path, entry.stat(follow_symlinks=False)


def make_single(path: str) -> None:
    """Replace one name of a file that has several by a copy, atomically, so that no other name leads to it."""
    copy = make_temporary_name(path)
    try:
        copy_file(path, copy)
        shutil.copystat(path, copy)
        os.replace(copy, path)
    finally:
        remove_tree(copy)
