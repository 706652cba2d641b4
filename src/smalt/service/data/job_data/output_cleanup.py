"""Cleanup of outputs, so that they hold plain data: files, folders, and links that stay inside. Everything else is
mended or reported.

A link that leads out of an output would mean nothing to a later reader, or on another machine, so it becomes a
copy of its target. An entry without content (a dangling link, a loop, a FIFO, a socket, a device) is left out.
A file with a second name (a hard link) becomes a copy of its own: a write to the other name would change the
output. For a job that is canceled nothing is copied: its links are left out.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from enum import Enum

from smalt.exceptions import RefusedError, SmaltError
from smalt.machine.ignore_rules import is_link_inside
from smalt.service.data.files.copy_cancellation import CopyStopped
from smalt.service.data.files.copying import copy_tree, make_temporary_name, remove_tree
from smalt.service.data.files.write_protection import make_single

Say = Callable[[str], None]

_KINDS = {
    stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket", stat.S_IFBLK: "a device", stat.S_IFCHR: "a device",
}  # fmt: skip
_KERNEL = ("/proc/", "/sys/", "/dev/")
"""Files there may have no end, or let a reader wait for ever."""


class TooManyEntries(Exception):
    """A folder has more entries than may be examined."""


class PathKind(Enum):
    """The kind of data at a path."""

    NOTHING = "neither a file nor a folder with something in it"
    PLAIN = "only files of one name and folders"
    OTHER = "anything else, or more than was to be looked at"


def examine_path(path: str | os.PathLike[str], most: int) -> PathKind:
    """Return the kind of data at `path`, examining at most so many entries."""
    place = os.fspath(path)
    try:
        status = os.lstat(place)
        if not stat.S_ISDIR(status.st_mode):
            return PathKind.PLAIN if stat.S_ISREG(status.st_mode) and status.st_nlink == 1 else PathKind.OTHER
        if not os.listdir(place):  # most steps leave most places empty
            return PathKind.NOTHING
        return PathKind.PLAIN if next(_find_odd(place, most), None) is None else PathKind.OTHER
    except (TooManyEntries, OSError):
        return PathKind.OTHER if os.path.lexists(place) else PathKind.NOTHING


def make_plain(path: str | os.PathLike[str], name: str, since: float, say: Say) -> None:
    """Turn the entries written at `path` since then into plain data; `name` is what sentences call it.

    Entries from before belong to their owner. Raise Refused if the place itself has no content.
    """
    place = os.fspath(path)
    with contextlib.suppress(FileNotFoundError):
        status = os.lstat(place)
        kind = stat.S_IFMT(status.st_mode) if status.st_ctime >= since else stat.S_IFREG
        if kind in _KINDS:
            raise RefusedError(f"{name} is {_KINDS[kind]}; write a file or a folder there")
        if stat.S_ISLNK(kind):
            _resolve_top(place, name, say)
        elif stat.S_ISREG(status.st_mode) and status.st_nlink > 1 and status.st_ctime >= since:
            with contextlib.suppress(CopyStopped):
                make_single(place)
    if not os.path.isdir(place):
        return
    for entry in list(_find_odd(place, None)):
        if os.lstat(entry).st_ctime >= since:
            _mend_entry(place, entry, name, say)


def _find_odd(top: str, most: int | None) -> Iterator[str]:
    """Yield the entries below `top` that are links, files with a second name, or neither files nor folders."""
    left = most
    pending = [top]
    while pending:
        with contextlib.suppress(PermissionError), os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif not entry.is_file(follow_symlinks=False) or entry.stat(follow_symlinks=False).st_nlink > 1:
                    yield entry.path
                if left is not None:
                    left -= 1
                    if left < 0:
                        raise TooManyEntries


def _resolve_top(place: str, name: str, say: Say) -> None:
    target = os.readlink(place)
    why = _explain_empty(place, os.path.dirname(place))
    if why is not None:
        raise RefusedError(f"{name} was replaced by a link to {target}, which {why}; write a file or a folder there")
    say(f"{name} was replaced by a link to {target}; what that leads to is copied in its place")
    try:
        _replace_link(place, say)
    except CopyStopped as error:
        os.unlink(place)
        say(f"{name} was left out: {error}")


def _mend_entry(top: str, entry: str, name: str, say: Say) -> None:
    inner = os.path.relpath(entry, top)
    status = os.lstat(entry)
    kind = stat.S_IFMT(status.st_mode)
    if stat.S_ISREG(kind):
        if status.st_nlink > 1:  # of the names in one output, the last is single by now
            with contextlib.suppress(CopyStopped):  # nobody reads it then
                make_single(entry)
        return
    if not stat.S_ISLNK(kind):
        os.unlink(entry)
        say(f"{name}: {inner} was left out, as it is {_KINDS.get(kind, 'no file')}")
        return
    target = os.readlink(entry)
    why = _explain_empty(entry, top)
    if why is not None:
        os.unlink(entry)
        say(f"{name}: {inner} was left out, as it is a link to {target}, which {why}")
        return
    real, root = os.path.realpath(entry), os.path.realpath(top)
    if not real.startswith(f"{root}/"):
        try:
            _replace_link(entry, say)
        except SmaltError as error:
            os.unlink(entry)
            say(f"{name}: {inner} was left out, as it is a link to {target}: {error}")
    elif not is_link_inside(inner, target):  # absolute, or by way of other links: it would not be right elsewhere
        text = os.path.relpath(real, os.path.realpath(os.path.dirname(entry)))
        os.unlink(entry)
        os.symlink(text, entry)


def _explain_empty(link: str, top: str) -> str | None:
    """Return why the link has no content of its own, in words that follow "which"; None if it has."""
    try:
        kind = stat.S_IFMT(os.stat(link).st_mode)
    except FileNotFoundError:
        return "leads nowhere"
    except OSError as error:
        return f"cannot be followed ({error.strerror})"
    if kind in _KINDS:
        return f"is {_KINDS[kind]}"
    real, holder = os.path.realpath(link), os.path.realpath(os.path.dirname(link))
    if f"{real}/".startswith(_KERNEL):
        return "is a file of the kernel, not data"
    if stat.S_ISDIR(kind) and f"{holder}/".startswith(f"{real.rstrip('/')}/"):
        return "holds it"
    return None


def _replace_link(link: str, say: Say) -> None:
    """Replace the link by a copy of its target."""
    copy = make_temporary_name(link)
    try:
        copy_tree(os.path.realpath(link), copy, say)
        os.unlink(link)
        os.replace(copy, link)
    finally:
        remove_tree(copy)
