"""The lines of a requirements file, and the files of this machine that they name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import unquote

_INCLUDE = re.compile(r"(?:-r|--requirement)[\s=]*(?P<path>\S.*)")
_LINE = re.compile(
    r"(?P<before>(?:-[cef]|--constraint|--editable|--find-links)[\s=]*|)(?P<path>.*?)"
    r"(?P<after>(?:\[[^\]]*\])?(?:\s*;.*|\s+--\S.*)?)"
)
_DIRECT = re.compile(
    r"(?P<before>[\w.-]+\s*(?:\[[^\]]*\])?\s*@\s*)(?:file:(?://)?|(?=[./]))(?P<path>[^\s;]+)(?P<after>.*)"
)
_ARCHIVES = (".whl", ".tar.gz", ".tgz", ".tar.bz2", ".zip")
_DEPTH = 10


class MissingFileError(Exception):
    """A line names a file that is not there; the message is a sentence about the line."""


class LocalRequirement(NamedTuple):
    """A line that names a file or folder, taken apart at its path."""

    before: str
    path: str
    after: str

    @property
    def is_package(self) -> bool:
        """True if the file or folder itself is installed."""
        return not self.before.startswith(("-c", "--constraint", "-f", "--find-links"))

    def with_path(self, path: str) -> str:
        """Return the line with another path in it. What was installed as editable is installed as it is now."""
        if self.before.startswith(("-e", "--editable")):
            return f"{path}{self.after}"
        if self.before.startswith("-"):
            return f"{self.before.rstrip(' =')} {path}{self.after}"
        return f"{self.before}{path}{self.after}"


def is_requirements_file(path: str) -> bool:
    """Return whether a file is a requirements file by its name, and not a conda file."""
    return path.lower().endswith((".txt", ".in"))


def split_lines(text: str) -> list[str]:
    """Return the lines of a requirements file, without comments."""
    whole = text.removeprefix("\ufeff").replace("\\\r\n", " ").replace("\\\n", " ")
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in whole.splitlines())
    return [line for line in lines if line]


def parse_include(line: str) -> str | None:
    """Return the path of a line `-r FILE`."""
    match = _INCLUDE.fullmatch(line)
    return match["path"].strip("\"' ") if match else None


def parse_local_file(line: str) -> LocalRequirement | None:
    """Return the file or folder that a line names; None where it names a package, a URL, or a file to include."""
    direct = _DIRECT.fullmatch(line)
    if direct is not None:
        return LocalRequirement(direct["before"], unquote(direct["path"]), direct["after"])
    match = _LINE.fullmatch(line)
    if match is None or not match["path"] or (line.startswith("-") and not match["before"]):
        return None
    path = match["path"].strip("\"' ")
    path = unquote(path.removeprefix("file://")) if path.startswith("file:///") else path
    looks_so = path in (".", "..") or "/" in path or path.lower().endswith(_ARCHIVES)
    if "://" in path or "@" in path.partition("/")[0] or path.startswith("azureml:"):
        return None
    return LocalRequirement(match["before"], path, match["after"]) if match["before"] or looks_so else None


def resolve_includes(
    lines: Sequence[str], folder: str, find_refusal: Callable[[str], str | None] = lambda path: None
) -> list[str]:
    """Return the lines with `-r FILE` replaced by the lines of that file, and the paths of files that are there whole.

    `folder` is where the lines stand. Raises MissingFileError for the first line that names a file that is nowhere, or
    a path for which `find_refusal` has a sentence.
    """
    return _resolve_includes(lines, folder, folder, 0, find_refusal)


def _resolve_includes(
    lines: Sequence[str], folder: str, root: str, depth: int, find_refusal: Callable[[str], str | None]
) -> list[str]:
    result: list[str] = []
    for line in lines:
        included, part = parse_include(line), parse_local_file(line)
        if included is not None and "://" not in included:
            path = _find_file(line, included, [folder], find_refusal)
            if depth >= _DEPTH:
                raise MissingFileError(
                    f"'{line}' includes files within files without end; write the packages into one list"
                )
            if not os.path.isfile(path):
                raise MissingFileError(f"'{line}' names a folder, '{path}'; name a file")
            with open(path, encoding="utf-8", errors="replace") as file:
                inner = split_lines(file.read())
            result += _resolve_includes(inner, os.path.dirname(path), root, depth + 1, find_refusal)
        elif part is not None and not os.path.isabs(part.path):
            # pip reads paths of packages from the folder that it runs in, those of constraints from their file's.
            folders = [root, folder] if part.is_package else [folder, root]
            result.append(part.with_path(_find_file(line, part.path, folders, find_refusal)))
        else:
            result.append(line)
    return result


def _find_file(line: str, path: str, folders: Sequence[str], find_refusal: Callable[[str], str | None]) -> str:
    ways = [os.path.normpath(os.path.join(folder, os.path.expanduser(path))) for folder in folders]
    for way in ways:
        refusal = find_refusal(way)
        if refusal is not None:
            raise MissingFileError(f"'{line}': {refusal}")
        if os.path.exists(way):
            return way
    raise MissingFileError(f"'{line}': there is no file or folder '{ways[0]}'")


def convert_paths(lines: Sequence[str], change: Callable[[str], str]) -> list[str]:
    """Return the lines, each whole path of a file or folder that is there changed."""
    result = []
    for line in lines:
        part = parse_local_file(line)
        is_here = part is not None and os.path.isabs(part.path) and os.path.exists(part.path)
        result.append(part.with_path(change(part.path)) if part is not None and is_here else line)
    return result
