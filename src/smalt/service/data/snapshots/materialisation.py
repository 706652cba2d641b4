"""Materialisation: writing a manifest back to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from smalt.service.data.files.copying import copy_file, make_write_error
from smalt.service.data.snapshots.manifest import EXECUTABLE, FOLDER, LINK, ManifestEntry


class FolderLayout(NamedTuple):
    """A manifest in the order in which a folder is written."""

    folders: list[str]
    """Parents before their children."""
    files: list[tuple[str, str, int]]
    """Path, sha256 and mode (before the umask)."""
    links: list[tuple[str, str]]
    size: int

    @classmethod
    def from_entries(cls, entries: list[ManifestEntry]) -> FolderLayout:
        folders = {entry.path for entry in entries if entry.kind == FOLDER}
        for entry in entries:
            above = entry.path.rpartition("/")[0]
            while above and above not in folders:
                folders.add(above)
                above = above.rpartition("/")[0]
        files = [
            (entry.path, entry.content, 0o777 if entry.kind == EXECUTABLE else 0o666)
            for entry in entries
            if entry.kind not in (FOLDER, LINK)
        ]
        links = [(entry.path, entry.content) for entry in entries if entry.kind == LINK]
        return cls(sorted(folders), files, links, sum(entry.size for entry in entries))


def write_folder(tree: FolderLayout, source: Callable[[str, str], str], target: str) -> None:
    """Write the folder; `source` (path, sha256) returns where a file's bytes are, or raises FileNotFoundError.

    Times are those of the writing: a constant one would make Python trust stale .pyc files.
    """
    try:
        os.makedirs(target, exist_ok=True)
        for folder in tree.folders:
            os.makedirs(f"{target}/{folder}", exist_ok=True)
        for path, sha, mode in tree.files:
            _write_file(source(path, sha), f"{target}/{path}", mode)
        for path, link in tree.links:
            os.symlink(link, f"{target}/{path}")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise make_write_error(target, error) from None


def _write_file(source: str, target: str, mode: int) -> None:
    try:
        copy_file(source, target, mode)
    except FileExistsError:  # left by an attempt that was cut off
        os.unlink(target)
        copy_file(source, target, mode)
