"""The files below a path, each upgraded by what it is."""

from __future__ import annotations

import codecs
import difflib
import io
import os
import re
import shutil
import tokenize
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from smalt.v1.upgrade.documents import upgrade_document
from smalt.v1.upgrade.findings import TODO, Finding
from smalt.v1.upgrade.notebook import list_cell_texts, upgrade_notebook
from smalt.v1.upgrade.program import UpgradedText, upgrade_program

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


class UpgradedFile(NamedTuple):
    """A file before and after; `problem` says why it could not be read."""

    path: Path
    old: str
    new: str
    findings: list[Finding]
    problem: str = ""
    new_path: Path | None = None
    """The name of the upgraded file, if it is another one."""
    encoding: str = "utf-8"
    newline: str = "\n"

    @property
    def is_changed(self) -> bool:
        return self.new != self.old

    def encode(self) -> bytes:
        """Return the upgraded text with the encoding and the line ends that the file had."""
        text = self.new.replace("\n", self.newline)
        return text.encode(self.encoding, "replace")  # only the comments of the upgrade can have other letters

    def make_diff(self) -> str:
        """Return a unified diff; of a notebook, one of its code."""
        old, new = self.old, self.new
        if self.path.suffix == ".ipynb":
            old, new = ("\n".join(list_cell_texts(text)) + "\n" for text in (old, new))
        before, after = (text.splitlines(keepends=True) for text in (old, new))
        target = self.new_path or self.path
        return "".join(_end_lines(difflib.unified_diff(before, after, str(self.path), str(target))))


def _end_lines(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else line + "\n"


def list_files(path: Path) -> list[Path]:
    """Return the files that may be SDK v1's: the path itself, or those below it, without links to another of them."""
    if path.is_file():
        return [path]
    found = []
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(one for one in folders if one not in _SKIPPED)
        found += [Path(folder, name) for name in sorted(files) if _is_candidate(Path(name))]
    own = {one.resolve() for one in found if not one.is_symlink()}
    return [one for one in found if not one.is_symlink() or (one.exists() and one.resolve() not in own)]


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
        text, encoding, newline = _read_file(path)
    except (OSError, ValueError, SyntaxError) as error:
        return UpgradedFile(path, "", "", [], f"{path} cannot be read: {error}")
    if "azureml" not in text and path.suffix in (".py", ".ipynb") and TODO not in text:
        return None
    try:
        upgraded, new_path = _upgrade_text(path, text)
    except (SyntaxError, ValueError) as error:
        if path.suffix != ".ipynb" and not re.search(r"^\s*\"?\s*(from|import) azureml", text, re.M):
            return None
        return UpgradedFile(path, text, text, [], _describe_problem(path, error))
    if upgraded is None or (not upgraded.findings and upgraded.text == text and TODO not in text):
        return None
    return UpgradedFile(path, text, upgraded.text, upgraded.findings, "", new_path, encoding, newline)


def _read_file(path: Path) -> tuple[str, str, str]:
    """Return a file's text, its encoding and its line ends; a program says its encoding in its first lines."""
    data = path.read_bytes()
    if path.suffix == ".py":
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    else:
        encoding = "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else "utf-8"
    text = data.decode(encoding)
    newline = "\r\n" if text.count("\r\n") == text.count("\n") > 0 else "\n"
    return text.replace("\r\n", "\n"), encoding, newline


def _describe_problem(path: Path, error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"{path}:{error.lineno or 1}: this is not Python 3: {error.msg}"
    return f"{path} cannot be read: {error}"


def _upgrade_text(path: Path, text: str) -> tuple[UpgradedText | None, Path | None]:
    if path.suffix == ".py":
        return upgrade_program(text), None
    if path.suffix == ".ipynb":
        return upgrade_notebook(text), None
    return upgrade_document(path, text)
