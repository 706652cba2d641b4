"""Folders that are done with: out of the way at once, removed while the server does other things."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path

from smalt.service.data import remove_tree

_PREFIX = ".removed-"


def discard(folder: Path, aside: Path) -> None:
    """Nobody finds `folder` any more; `aside` is a folder of the same file system that holds it until it is gone."""
    aside.mkdir(parents=True, exist_ok=True)
    grave = tempfile.mkdtemp(prefix=_PREFIX, dir=aside)
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, f"{grave}/{folder.name}")
    _remove(grave)


def graves(aside: Path) -> list[Path]:
    """What is being removed, or was to be."""
    return sorted(aside.glob(f"{_PREFIX}*"))


def sweep(aside: Path) -> None:
    """Remove what a server that ended meanwhile has left in `aside`."""
    for grave in graves(aside):
        _remove(str(grave))


def _remove(folder: str) -> None:
    threading.Thread(target=_remove_now, args=(folder,), daemon=True).start()


def _remove_now(folder: str) -> None:
    with contextlib.suppress(OSError):
        remove_tree(folder)
