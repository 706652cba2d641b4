"""Folders made at random, and what is in a folder, for comparison."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from hypothesis import strategies as st

Content = tuple[bytes, bool]

_part = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=6).filter(
    lambda name: name not in (".", "..", ".git", "__pycache__", ".amlignore", ".gitignore")
)
_path = st.lists(_part, min_size=1, max_size=3).map("/".join)
folders = st.dictionaries(_path, st.tuples(st.binary(max_size=40), st.booleans()) | st.none(), max_size=8)
"""Paths with bytes and exec bit, or None for an empty folder."""


def write(root: Path, tree: dict[str, Content | None]) -> None:
    """Make the folder anew; a path below one that is a file already is left out."""
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    for path, content in tree.items():
        target = root / path
        try:
            if content is None:
                target.mkdir(parents=True, exist_ok=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content[0])
        except (FileExistsError, NotADirectoryError, IsADirectoryError):
            continue
        target.chmod(0o755 if content[1] else 0o644)


def read(root: Path) -> dict[str, object]:
    """Every file with bytes and exec bit, link with target, and folder."""
    found: dict[str, object] = {}
    for folder, names, files in os.walk(root):
        for name in [*names, *files]:
            path = Path(folder, name)
            relative = path.relative_to(root).as_posix()
            if path.is_symlink():
                found[relative] = os.readlink(path)
            elif path.is_dir():
                found[relative] = None
            else:
                found[relative] = (path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found
