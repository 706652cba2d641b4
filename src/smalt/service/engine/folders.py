"""Where an attempt at a job works, and where what it leaves is kept. Plain strings: every step comes through here."""

from __future__ import annotations

import contextlib
import os
from typing import NamedTuple

from smalt.service.data import Data

_MOST_SPARES = 16
_MOST_USES = 32
_OWN = 2  # entries of an untouched folder besides claims: the working folder and the view of the environment

KEPT = ("outputs", "logs")
"""Folders of the working folder that exist beforehand and are kept with the job."""


class Folders(NamedTuple):
    folder: str
    """The attempt's own: its claim, its copies of inputs, its view of the environment."""
    cwd: str
    """Where the command runs: the job's copy of its code."""
    artifacts: str
    """What is kept of the job, as the service lays it out."""

    @property
    def log(self) -> str:
        return f"{self.artifacts}/user_logs/std_log.txt"


class Spares:
    """Folders of steps without code that are over and left nothing: renaming one is cheaper than making seven.

    Their claims stay, as a file system that has just deleted many is slow to make new ones (ext4).
    """

    def __init__(self) -> None:
        self._folders: dict[str, list[tuple[str, int]]] = {}
        self._uses: dict[str, int] = {}

    def wants(self, folder: str, environment: str) -> bool:
        """Whether one more with a view of that environment is of use."""
        return len(self._folders.get(environment, ())) < _MOST_SPARES and self._uses.get(folder, 0) < _MOST_USES

    def add(self, folder: str, environment: str) -> None:
        self._folders.setdefault(environment, []).append((folder, self._uses.pop(folder, 0)))

    def forget(self, folder: str) -> None:
        """It serves no other."""
        self._uses.pop(folder, None)

    def take(self, folder: str, environment: str) -> str | None:
        """What the one was called that is called `folder` now; None where there is none."""
        spares = self._folders.get(environment, [])
        while spares:
            spare, uses = spares.pop()
            with contextlib.suppress(OSError):
                os.rename(spare, folder)
                self._uses[folder] = uses + 1
                return spare
        return None


def make(folders: Folders, data: Data, code: str | None, spares: Spares, environment: str) -> str | None:
    """Make them, with the code in place; what is there already stays. The spare one that they were before, if any."""
    spare = spares.take(folders.folder, environment) if code is None else None
    if spare is None:
        copy_code(folders, data, code)
        for name in KEPT:
            _mkdir(f"{folders.cwd}/{name}")
    _mkdir(folders.artifacts)
    _mkdir(f"{folders.artifacts}/user_logs")
    return spare


def copy_code(folders: Folders, data: Data, code: str | None) -> None:
    """The job's own copy of its code, whole or not there at all."""
    _mkdir(folders.folder)
    if code is None:
        _mkdir(folders.cwd)
    elif not os.path.isdir(folders.cwd):
        partial = f"{folders.folder}/wd.partial"
        data.snapshots.materialise(code, partial)
        os.rename(partial, folders.cwd)


def keep(folders: Folders, data: Data) -> bool:
    """Move what the command left in outputs/ and logs/ to where it is kept; whether it left nothing anywhere."""
    left = [name for name in KEPT if not _is_empty(f"{folders.cwd}/{name}")]
    for name in left:
        data.move_into(f"{folders.cwd}/{name}", f"{folders.artifacts}/{name}")
    try:
        if left or sorted(os.listdir(folders.cwd)) != sorted(KEPT):
            return False
        return sum(not name.startswith("claim.") for name in os.listdir(folders.folder)) <= _OWN
    except OSError:
        return False


def _is_empty(folder: str) -> bool:
    try:
        return not os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return True


def _mkdir(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)
