"""From a manifest back to a folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import NamedTuple

from smalt.service.data.files.copying import cannot_write, copy_file
from smalt.service.data.snapshots.manifest import EXECUTABLE, FOLDER, LINK, Entry


class Tree(NamedTuple):
    """A manifest in the order in which a folder is made."""

    folders: list[str]
    """Parents before their children."""
    files: list[tuple[str, str, int]]
    """Path, sha256 and mode (before the umask)."""
    links: list[tuple[str, str]]
    size: int

    @classmethod
    def of(cls, entries: list[Entry]) -> Tree:
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


def make(tree: Tree, source: Callable[[str, str], str], target: str) -> None:
    """Write the folder; `source` (path, sha256) says where a file's bytes are, FileNotFoundError that they are not.

    Times are those of the writing: a constant one would make Python trust stale .pyc files."""
    try:
        os.makedirs(target, exist_ok=True)
        for folder in tree.folders:
            os.makedirs(f"{target}/{folder}", exist_ok=True)
        for path, sha, mode in tree.files:
            _file(source(path, sha), f"{target}/{path}", mode)
        for path, link in tree.links:
            os.symlink(link, f"{target}/{path}")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise cannot_write(target, error) from None


def _file(source: str, target: str, mode: int) -> None:
    try:
        copy_file(source, target, mode)
    except FileExistsError:  # left by an attempt that was cut off
        os.unlink(target)
        copy_file(source, target, mode)
