"""Write protection of a built environment: all jobs share its files, and what one writes must reach no other.

Only Python's bytecode is written by jobs: each `__pycache__` is a link to a folder beside what is protected, so that
a module is compiled once for all of them.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from smalt.service.data.files.write_protection import forbid_writing, is_write_protected

log = logging.getLogger("smalt.environments")

_BYTECODE = "bytecode"
_CACHE = "__pycache__"


def protect_environment(folder: Path) -> None:
    """Make `venv` of an environment's folder read-only, every file its own: none shared with a package cache."""
    _move_bytecode(folder / "venv" / "lib", folder / _BYTECODE)
    forbid_writing(folder / "venv")


def protect_earlier(folders: Iterable[Path]) -> None:
    """Protect environments that an earlier smalt built, in a thread: jobs may run in them meanwhile."""
    found = [folder for folder in folders if (folder / "venv").is_dir() and not is_write_protected(folder / "venv")]
    if found:
        threading.Thread(target=_protect_all, args=(found,), daemon=True).start()


def _protect_all(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            protect_environment(folder)
        except OSError as error:
            if folder.exists():  # else it was removed meanwhile
                log.warning("environment %s is not protected yet; the next start tries again: %s", folder.name, error)


def _move_bytecode(library: Path, bytecode: Path) -> None:
    """Put a link in place of the `__pycache__` of each folder with modules, to a numbered folder.

    There are more than a thousand, so that each costs as few calls as can be.
    """
    bytecode.mkdir(exist_ok=True)
    taken = [int(name) for name in os.listdir(bytecode) if name.isdecimal()]  # by a move that was killed
    numbers = itertools.count(max(taken, default=-1) + 1)
    top, up = len(os.fspath(library)), os.path.relpath(bytecode, library)
    for place, folders, files in os.walk(library):
        own, is_folder = f"{place}/{_CACHE}", _CACHE in folders
        if is_folder:
            folders.remove(_CACHE)
            if os.path.islink(own):
                continue
        elif _CACHE in files or not any(name.endswith(".py") for name in files):
            continue
        number = next(numbers)
        if is_folder:
            os.rename(own, f"{bytecode}/{number}")
        else:
            os.mkdir(f"{bytecode}/{number}")
        os.symlink(f"{'../' * place.count('/', top)}{up}/{number}", own)
