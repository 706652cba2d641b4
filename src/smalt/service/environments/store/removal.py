"""Removal of folders: moved out of the way at once, deleted while the server does other things."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from pathlib import Path

from smalt.service.data import remove_tree

_PREFIX = ".removed-"


def remove_folder(folder: Path, aside: Path) -> None:
    """Remove `folder` from its place at once; `aside`, a folder of the same file system, holds it until it is
    deleted.
    """
    aside.mkdir(parents=True, exist_ok=True)
    grave = tempfile.mkdtemp(prefix=_PREFIX, dir=aside)
    with contextlib.suppress(FileNotFoundError):
        os.rename(folder, f"{grave}/{folder.name}")
    _delete(grave)


def list_removed(aside: Path) -> list[Path]:
    """Return the folders that are being deleted, or were to be."""
    return sorted(aside.glob(f"{_PREFIX}*"))


def resume_removals(aside: Path) -> None:
    """Delete what a server that ended meanwhile has left in `aside`."""
    for grave in list_removed(aside):
        _delete(str(grave))


def _delete(folder: str) -> None:
    threading.Thread(target=_delete_now, args=(folder,), daemon=True).start()


def _delete_now(folder: str) -> None:
    with contextlib.suppress(OSError):
        remove_tree(folder)
