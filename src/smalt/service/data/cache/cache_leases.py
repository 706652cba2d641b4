"""Leases on cached folders: a folder stays as long as one of the jobs that lease it is unfinished."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

IsBusy = Callable[[list[str]], set[str]]
"""A function from attempts' folders to those of unfinished jobs."""

_NAME = "users"


def add_lease(folder: Path, user: Path, is_busy: IsBusy) -> None:
    """Lease the folder to the job that works in the folder `user`."""
    before = _read_users(folder)
    kept = [*is_busy(before), str(user)] if before else [str(user)]
    temporary = folder / f"{_NAME}.{os.urandom(4).hex()}"
    temporary.write_text("\n".join(dict.fromkeys(kept)))
    os.replace(temporary, folder / _NAME)


def is_leased(folder: Path, is_busy: IsBusy) -> bool:
    named = _read_users(folder)
    return bool(named and is_busy(named))


def _read_users(folder: Path) -> list[str]:
    try:
        return (folder / _NAME).read_text().splitlines()
    except OSError:
        return []
