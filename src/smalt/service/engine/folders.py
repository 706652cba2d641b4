"""Where an attempt at a job works, and where what it leaves is kept. Plain strings: every step comes through here."""

from __future__ import annotations

import os
from typing import NamedTuple

from smalt.service.data import Data

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


def make(folders: Folders, data: Data, code: str | None) -> None:
    """Make them, with the code in place; what is there already stays."""
    copy_code(folders, data, code)
    for name in KEPT:
        _mkdir(f"{folders.cwd}/{name}")
    _mkdir(folders.artifacts)
    _mkdir(f"{folders.artifacts}/user_logs")


def copy_code(folders: Folders, data: Data, code: str | None) -> None:
    """The job's own copy of its code, whole or not there at all."""
    _mkdir(folders.folder)
    if code is None:
        _mkdir(folders.cwd)
    elif not os.path.isdir(folders.cwd):
        partial = f"{folders.folder}/wd.partial"
        data.snapshots.materialise(code, partial)
        os.rename(partial, folders.cwd)


def keep(folders: Folders, data: Data) -> None:
    """Move what the command left in outputs/ and logs/ to where it is kept."""
    for name in KEPT:
        try:
            with os.scandir(f"{folders.cwd}/{name}") as entries:
                empty = next(entries, None) is None
        except (FileNotFoundError, NotADirectoryError):
            continue
        if not empty:
            data.move_into(f"{folders.cwd}/{name}", f"{folders.artifacts}/{name}")


def _mkdir(path: str) -> None:
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    except FileNotFoundError:
        os.makedirs(path, exist_ok=True)
