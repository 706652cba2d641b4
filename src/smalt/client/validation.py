"""Whether a job or component made in Python holds; one that was read from a file has been checked there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from smalt.entities.problems import Path, Problem
from smalt.entities.reader import Reader
from smalt.entities.validation_result import ValidationResult as ValidationResult
from smalt.exceptions import Located, ValidationException


def validated(noun: Any, raise_on_failure: bool) -> ValidationResult:
    """Read again from what it says; each problem is told at the line of the program that made the job or the step."""
    if noun.source_path is not None:
        return ValidationResult([])
    reader = _Looking()
    type(noun)._read_whole(noun.to_dict(), reader)
    problems = [Located(*_line(noun, problem), 0, str(problem)) for problem in reader.problems]
    if problems and raise_on_failure:
        raise ValidationException(problems)
    return ValidationResult(problems)


class _Looking(Reader):
    """Local files and folders must be there."""

    def __init__(self) -> None:
        super().__init__()
        self._there: set[str] = set()

    def local(self, text: str, path: Path, *, must_exist: bool = True) -> str:
        place = unquote(text.removeprefix("file://")) if text.startswith("file:///") else text.removeprefix("file:")
        where = os.path.abspath(os.path.expanduser(place))
        if must_exist and where not in self._there:
            if not os.path.exists(where):
                self.problem(path, f"there is no file or folder {where}; correct the path")
            self._there.add(where)
        return text

    def data(self, text: str, path: Path) -> str:
        return self.local(text, path)


def _line(noun: Any, problem: Problem) -> tuple[str, int]:
    """Of the innermost step that it is in, as far as a program made it."""
    line = vars(noun).get("_line") or ("", 0)
    path = problem.path
    while len(path) > 1 and path[0] == "jobs":
        steps = getattr(noun, "jobs", None)
        noun = steps.get(path[1]) if isinstance(steps, Mapping) else None
        if noun is None:
            break
        line = vars(noun).get("_line") or line
        path = path[2:]
        if path[:1] == ("component",):
            noun, path = vars(noun).get("component"), path[1:]
    return line
