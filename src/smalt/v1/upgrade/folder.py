"""The files below a path, each upgraded by what it is."""

from __future__ import annotations

import difflib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.v1.upgrade.findings import Finding
from smalt.v1.upgrade.program import UpgradedText

_SKIPPED = frozenset(
    [
        "__pycache__",
        "node_modules",
        "site-packages",
        "build",
        "dist",
        ".git",
        ".venv",
        "venv",
        ".ipynb_checkpoints",
        ".mypy_cache",
    ]
)
TODO = "TODO(smalt upgrade)"


class UpgradedFile(NamedTuple):
    """A file before and after; `problem` says why it could not be read."""

    path: Path
    old: str
    new: str
    findings: list[Finding]
    problem: str = ""
    new_path: Path | None = None
    """The name of the upgraded file, if it is another one."""

    @property
    def is_changed(self) -> bool:
        return self.new != self.old

    def make_diff(self) -> str:
        """Return a unified diff; of a notebook, one of its code."""
        old, new = self.old, self.new
        if self.path.suffix == ".ipynb":
            from smalt.v1.upgrade.notebook import list_cell_texts

            old, new = ("\n".join(list_cell_texts(text)) + "\n" for text in (old, new))
        before, after = (text.splitlines(keepends=True) for text in (old, new))
        target = self.new_path or self.path
        return "".join(_end_lines(difflib.unified_diff(before, after, str(self.path), str(target))))


def _end_lines(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else line + "\n"


def list_files(path: Path) -> list[Path]:
    """Return the files that may be SDK v1's: the path itself, or those below it."""
    if path.is_file():
        return [path]
    found = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(one for one in folders if one not in _SKIPPED)
        found += [Path(folder, name) for name in sorted(files) if _is_candidate(Path(name))]
    return found


def copy_folder(source: Path, target: Path) -> None:
    """Copy what else a program needs beside it, such as its scripts and data."""
    inner = target.resolve()

    def list_ignored(folder: str, names: list[str]) -> list[str]:
        return [name for name in names if name in _SKIPPED or Path(folder, name).resolve() == inner]

    shutil.copytree(source, target, ignore=list_ignored, dirs_exist_ok=True)


def _is_candidate(path: Path) -> bool:
    if path.name.endswith(".executed.ipynb"):
        return False
    return path.suffix in (".py", ".ipynb", ".runconfig", ".yml", ".yaml")


def upgrade_file(path: Path) -> UpgradedFile | None:
    """Return a file in v2; None if it has nothing of SDK v1."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return UpgradedFile(path, "", "", [], f"{path} cannot be read: {error}")
    if "azureml" not in text and path.suffix in (".py", ".ipynb") and TODO not in text:
        return None
    try:
        upgraded, new_path = _upgrade_text(path, text)
    except (SyntaxError, ValueError) as error:
        if not re.search(r"^\s*\"?\s*(from|import) azureml", text, re.M):
            return None
        return UpgradedFile(path, text, text, [], f"{path} cannot be read: {error}")
    if upgraded is None or (not upgraded.findings and upgraded.text == text and TODO not in text):
        return None
    return UpgradedFile(path, text, upgraded.text, upgraded.findings, new_path=new_path)


def _upgrade_text(path: Path, text: str) -> tuple[UpgradedText | None, Path | None]:
    if path.suffix == ".py":
        from smalt.v1.upgrade.program import upgrade_program

        return upgrade_program(text), None
    if path.suffix == ".ipynb":
        from smalt.v1.upgrade.notebook import upgrade_notebook

        return upgrade_notebook(text), None
    from smalt.v1.upgrade.documents import upgrade_document

    return upgrade_document(path, text)
