"""Programs that are run cold and warm, and the files that hold them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

_MARK = "#: "
_FILE = f"{_MARK}file "


class Program(NamedTuple):
    name: str
    text: str
    files: dict[str, str]
    """More files of its code."""
    command: str = "python program.py"
    arguments: str = ""
    assigned: str = ""
    """Variables that the command sets itself, each with a space after it."""
    variables: dict[str, str] = {}
    is_stopped: bool = False
    """It is stopped once its log says `begun`."""
    is_trial: bool = False
    starts: str = "started warm"
    """The beginning of what the log says of its start, once there is a parent."""


def read_programs(name: str) -> list[Program]:
    """Read a file of programs: each begins with `#: NAME {…}`, each of its further files with `#: file PATH`."""
    found: list[tuple[str, dict[str, Any], dict[str, str]]] = []
    path = ""
    for line in Path(__file__).with_name(name).read_text().splitlines(keepends=True):
        if line.startswith(_FILE):
            path = line[len(_FILE) :].strip()
            found[-1][2][path] = ""
        elif line.startswith(_MARK):
            title, _, more = line[len(_MARK) :].strip().partition(" ")
            path = "program.py"
            found.append((title, json.loads(more or "{}"), {path: ""}))
        else:
            found[-1][2][path] += line
    return [Program(title, files.pop("program.py"), files, **more) for title, more, files in found]
