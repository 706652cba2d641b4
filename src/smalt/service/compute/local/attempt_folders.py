"""The folders of an attempt, and those that one attempt hands on to the next.

Paths are plain strings: every step comes through here.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from smalt.service.compute.step import KEPT, Folders
from smalt.service.data import DataAccess

_MOST_SPARES = 64
"""As many as the steps that wait at the launcher: the ends of quick ones are settled together."""
_MOST_USES = 32
_SETTLED = 100_000_000
"""Nanoseconds after which a change shows in a time: the clock of a file system has ticks of some milliseconds."""
_VIEW = "environment"
"""The entry of an attempt's folder that is its view of the environment (environments/views/overlay_pool.py)."""

_WORKING = "wd"


class _FolderState(NamedTuple):
    """An attempt's folder as it was made."""

    stamp: tuple[Any, ...]
    claims: frozenset[str]
    """The claims in it, of the steps that used it before."""
    is_settled: bool = False
    """True if the step that has it now began so long after it was made that each change of it shows in a time."""


class SpareFolders:
    """Folders of steps without code that are over and left nothing: renaming one is cheaper than making seven.

    Only a folder that is in everything what it was when it was made is handed on (docs/internals/folders.md); any other
    stays with its job. Claims stay in a folder that is handed on: a file system that has just deleted many is slow to
    make new ones (ext4).
    """

    def __init__(self) -> None:
        self._made: dict[str, _FolderState] = {}
        self._spares: dict[str, list[tuple[str, _FolderState]]] = {}

    def note_made(self, folders: Folders) -> None:
        """Remember what a folder is that has just been made."""
        self._made[folders.folder] = _FolderState(_read_stamp(folders.folder), frozenset())

    def may_serve(self, folder: str, environment: str, claim: str) -> bool:
        """Return True if a folder is as it was made, and of use to a step with a view of that environment.

        `claim` is the name of the claim of the step that used it last.
        """
        made, spares = self._made.get(folder), self._spares.get(environment, ())
        if made is None or len(spares) >= _MOST_SPARES or len(made.claims) >= _MOST_USES:
            return False
        try:
            is_claim_a_file = stat.S_ISREG(os.lstat(f"{folder}/{claim}").st_mode)
            entries = {*made.claims, claim, _WORKING, _VIEW}
            return is_claim_a_file and _read_stamp(folder) == made.stamp and set(os.listdir(folder)) == entries
        except OSError:
            return False

    def is_untouched(self, folder: str) -> bool:
        """Return True if a folder that was handed on is certain to be as it was made: its folders are empty then."""
        made = self._made.get(folder)
        try:
            return made is not None and made.is_settled and _read_stamp(folder) == made.stamp
        except OSError:
            return False

    def add_spare(self, folder: str, environment: str, claim: str) -> None:
        """Hand on a folder that may serve."""
        made = self._made.pop(folder)
        made = made._replace(claims=made.claims | {claim})
        self._spares.setdefault(environment, []).append((folder, made))

    def remove_spare(self, folder: str) -> None:
        """Let the folder serve no other."""
        self._made.pop(folder, None)

    def take_spare(self, folder: str, environment: str) -> str | None:
        """Return the earlier name of the folder that is called `folder` now; None where there is none."""
        spares = self._spares.get(environment, [])
        while spares:
            spare, made = spares.pop()
            try:
                if _read_stamp(spare) != made.stamp:  # by a process that outlived its step
                    continue
            except OSError:
                continue
            try:
                os.rename(spare, folder)
            except OSError:  # there is something at `folder` already
                spares.append((spare, made))
                return None
            self._made[folder] = made._replace(is_settled=made.is_settled or _is_old(made.stamp))
            return spare
        return None


def _read_stamp(folder: str) -> tuple[Any, ...]:
    """Return what changes when an attempt's folder is not as it was made, without following a link.

    The time of the last change tells of entries, modes, owners and attributes; of the folder itself it is left out, as
    claims and renaming change it.
    """
    top = os.lstat(folder)
    found: list[Any] = [top[:3], top[4:6]]  # mode, inode, device; owner, group
    for name in (_WORKING, *(f"{_WORKING}/{kept}" for kept in KEPT)):
        one = os.lstat(f"{folder}/{name}")
        found += (one[:6], one.st_ctime_ns)
    return tuple(found)


def _is_old(stamp: tuple[Any, ...]) -> bool:
    """Return True if the last change in a stamp lies so far back that a further one has another time."""
    return bool(time.time_ns() - max(stamp[3::2]) > _SETTLED)


def make_folders(
    folders: Folders, data: DataAccess, code: str | None, spares: SpareFolders, environment: str
) -> str | None:
    """Make them, with the code in place; what is there already stays. The spare one that they were before, if any."""
    spare = spares.take_spare(folders.folder, environment) if code is None else None
    if spare is None:
        is_new = copy_code(folders, data, code)
        for name in KEPT:
            _make_folder(f"{folders.cwd}/{name}")
        if is_new and code is None:
            spares.note_made(folders)
    _make_folder(folders.artifacts)
    _make_folder(f"{folders.artifacts}/user_logs")
    return spare


def copy_code(folders: Folders, data: DataAccess, code: str | None) -> bool:
    """Make the attempt's folder with the job's own copy of its code, whole or not at all; whether it was not there."""
    is_new = _make_folder(folders.folder)
    if code is None:
        _make_folder(folders.cwd)
    elif not os.path.isdir(folders.cwd):
        partial = f"{folders.folder}/wd.partial"
        data.snapshots.write_to(code, partial)
        os.rename(partial, folders.cwd)
    return is_new


def keep_results(folders: Folders, data: DataAccess, known: Sequence[str] | None = None) -> bool:
    """Move what the command left in outputs/ and logs/ to where it is kept; return whether it left nothing anywhere.

    `known` are those of the two with something in them, where that was looked at already.
    """
    left = [name for name in KEPT if _has_content(f"{folders.cwd}/{name}")] if known is None else known
    for name in left:
        data.move_into(f"{folders.cwd}/{name}", f"{folders.artifacts}/{name}")
    try:
        return not left and sorted(os.listdir(folders.cwd)) == sorted(KEPT)
    except OSError:
        return False


def _has_content(path: str) -> bool:
    """Return True if a folder has entries, or something else stands in its place."""
    try:
        return bool(os.listdir(path)) if stat.S_ISDIR(os.lstat(path).st_mode) else True
    except (FileNotFoundError, NotADirectoryError):
        return False


def _make_folder(path: str) -> bool:
    """Make a folder, with those above it; whether it was not there."""
    try:
        os.mkdir(path)
    except FileExistsError:
        return False
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)
    return True
