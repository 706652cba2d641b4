"""Marks of supervised containers: a locked file for each, so that an orphan is known by its unlocked file."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from smalt.runner import contain

_NOT_THERE = re.compile(r"no (such )?container", re.IGNORECASE)
"""A pattern of what Docker and Podman say of a name that no container has."""


@contextlib.contextmanager
def hold_mark(mark: Path) -> Iterator[None]:
    """Hold a mark while the container of its name exists; a mark that nobody locks is an orphan's."""
    mark.parent.mkdir(parents=True, exist_ok=True)
    with contain.hold_mark(str(mark)):
        yield


def list_orphans(marks: Path) -> list[Path]:
    """Return the marks of containers whose supervisor was killed."""
    found = []
    for mark in sorted(marks.glob("smalt-*")):
        with _lock_if_orphaned(mark) as is_orphaned:
            if is_orphaned:
                found.append(mark)
    return found


def remove_orphans(marks: Path, removal: Sequence[str]) -> None:
    """Remove the containers whose supervisor was killed; `removal` is the engine's command for that.

    The mark of one that could not be removed stays, for the next time.
    """
    for mark in list_orphans(marks):
        with _lock_if_orphaned(mark) as is_orphaned:
            if is_orphaned and _remove_container(mark.name, removal):
                mark.unlink(missing_ok=True)
                for left in Path(contain.get_pid_folder(str(marks))).glob(f"{mark.name}.*"):
                    left.unlink(missing_ok=True)


def _remove_container(name: str, removal: Sequence[str]) -> bool:
    """Return True if the container is removed, or was not there."""
    done = subprocess.run([*removal, name], capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return done.returncode == 0 or bool(_NOT_THERE.search(done.stderr))


@contextlib.contextmanager
def _lock_if_orphaned(mark: Path) -> Iterator[bool]:
    """Yield True if nobody supervises the mark's container, and keep others from removing it meanwhile."""
    try:
        handle = os.open(mark, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        yield False
        return
    try:
        yield _try_lock(handle)
    finally:
        os.close(handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
