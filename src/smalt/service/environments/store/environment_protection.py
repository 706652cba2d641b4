"""Write protection of a built environment: all jobs share its files, and what one writes must reach no other.

Only Python's bytecode is written by jobs: each `__pycache__` is a link to a folder beside what is protected, so that
a module is compiled once for all of them.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from smalt.service.data import remove_tree
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
    """Put a link in place of the `__pycache__` of each folder with modules."""
    for place, folders, files in os.walk(library):
        own = os.path.join(place, _CACHE)
        if _CACHE in folders:
            folders.remove(_CACHE)
        elif not any(name.endswith(".py") for name in files):
            continue
        if os.path.islink(own):
            continue
        target = bytecode / os.path.relpath(place, library) / _CACHE
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.isdir(own) and target.exists():  # killed before the link was made, after which Python wrote another
            remove_tree(own)
        elif os.path.isdir(own):
            os.rename(own, target)
        else:
            target.mkdir(exist_ok=True)
        os.symlink(os.path.relpath(target, place), own)
