"""Which jobs use a folder of a cache: it stays as long as one of them is unfinished."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

IsBusy = Callable[[list[str]], set[str]]
"""Of folders of attempts, those whose jobs are unfinished."""

_NAME = "users"


def note(folder: Path, user: Path, is_busy: IsBusy) -> None:
    """From now on the job that works in the folder `user` uses this one."""
    before = _named(folder)
    kept = [*is_busy(before), str(user)] if before else [str(user)]
    temporary = folder / f"{_NAME}.{os.urandom(4).hex()}"
    temporary.write_text("\n".join(dict.fromkeys(kept)))
    os.replace(temporary, folder / _NAME)


def is_used(folder: Path, is_busy: IsBusy) -> bool:
    named = _named(folder)
    return bool(named and is_busy(named))


def _named(folder: Path) -> list[str]:
    try:
        return (folder / _NAME).read_text().splitlines()
    except OSError:
        return []
