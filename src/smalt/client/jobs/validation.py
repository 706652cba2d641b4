"""Checks of jobs and components before they are sent, and the places of what the server says of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from smalt.entities.schema.problems import Path, Problem
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.validation_result import ValidationResult as ValidationResult
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


@contextmanager
def at_lines_of(noun: Any) -> Iterator[None]:
    """Tell each problem that the server finds at its line of the file, or of the program, that the noun is from."""
    try:
        yield
    except ValidationException as error:
        raise ValidationException(_located(noun, error.problems)) from None


_PLACE = re.compile(r"[^\s:]+")


def _located(noun: Any, problems: list[Located]) -> list[Located]:
    """Return the problems with their places; one whose place cannot be found stays as it is."""
    from smalt.yaml.document import Document

    file = noun.source_path
    if file is None:
        return [
            one if one.file else Located(*_line(noun, Problem(_path_of(one), "")), 0, one.message) for one in problems
        ]
    try:
        with open(file, "rb") as text:
            document = Document(text.read())
    except OSError:
        return problems
    places = vars(noun).get("_places") or ()
    return [one if one.file else _at_setting(places, one) or _at_line(document, _shown(file), one) for one in problems]


def _at_setting(places: Iterable[Any], problem: Located) -> Located | None:
    """Return the problem as one of the `--set` that put the value at the path that its message begins with."""
    where, colon, words = problem.message.partition(": ")
    if not colon or not _PLACE.fullmatch(where):
        return None
    found = [one for one in places if f"{where}.".startswith(f"{'.'.join(map(str, one.path))}.")]
    return found[-1].setting.problem(words) if found else None


def _path_of(problem: Located) -> Path:
    place, colon, _ = problem.message.partition(": ")
    return tuple(place.split(".")) if colon and _PLACE.fullmatch(place) else ()


def _at_line(document: Any, file: str, problem: Located) -> Located:
    """Return the problem at the line of the path that its message begins with, or of as much of it as is written."""
    place, colon, words = problem.message.partition(": ")
    if not colon or not _PLACE.fullmatch(place):
        return problem
    data, found, rest = document.data, [], place
    while rest and isinstance(data, Mapping):
        key = next((key for key in data if rest == str(key) or rest.startswith(f"{key}.")), None)
        if key is None:
            break
        data, rest = data[key], rest[len(str(key)) + 1 :]
        found.append(key)
    if not found:
        return problem
    line, column = document.locate(tuple(found), bool(rest))
    return Located(file, line, column, f"{rest}: {words}" if rest else words)


def _shown(file: str) -> str:
    """Return the file's path as it is shortest."""
    return min(file, os.path.relpath(file), key=len)
