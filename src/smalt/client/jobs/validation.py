"""Checks of jobs and components before they are sent, and the places of the problems that the server finds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from smalt.entities.schema.problems import Path, Problem
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.validation_result import ValidationResult as ValidationResult
from smalt.exceptions import LocatedProblem, ValidationException

if TYPE_CHECKING:
    from smalt.yaml.document import Document


def validate_entity(noun: Any, raise_on_failure: bool) -> ValidationResult:
    """Validate an entity built by a program; each problem has the program's line that made the job or step.

    An entity from a file was validated when it was read. Raises ValidationException if `raise_on_failure`.
    """
    if noun.source_path is not None:
        return ValidationResult([])
    reader = _ExistenceReader()
    type(noun)._read_document(noun.to_dict(), reader)
    problems = [LocatedProblem(*_find_line(noun, problem), 0, str(problem)) for problem in reader.problems]
    if problems and raise_on_failure:
        raise ValidationException(problems)
    return ValidationResult(problems)


class _ExistenceReader(Reader):
    """A reader that reports local files and folders that do not exist."""

    def __init__(self) -> None:
        super().__init__()
        self._there: set[str] = set()

    def resolve_path(self, text: str, path: Path, *, must_exist: bool = True) -> str:
        place = unquote(text.removeprefix("file://")) if text.startswith("file:///") else text.removeprefix("file:")
        where = os.path.abspath(os.path.expanduser(place))
        if must_exist and where not in self._there:
            if not os.path.exists(where):
                self.add_problem(path, f"there is no file or folder {where}; correct the path")
            self._there.add(where)
        return text

    def resolve_data_path(self, text: str, path: Path) -> str:
        return self.resolve_path(text, path)


def _find_line(noun: Any, problem: Problem) -> tuple[str, int]:
    """Return file and line of the innermost step with the problem that a program made."""
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
def locate_problems(noun: Any) -> Iterator[None]:
    """Add to each problem that the server finds its line in the file or program that the entity is from."""
    try:
        yield
    except ValidationException as error:
        raise ValidationException(add_places(noun, error.problems)) from None


_PLACE = re.compile(r"[^\s:]+")


def add_places(noun: Any, problems: list[LocatedProblem]) -> list[LocatedProblem]:
    """Return the problems with their places; a problem whose place is unknown stays unchanged."""
    from smalt.yaml.document import Document

    file = noun.source_path
    if file is None:
        return [
            one if one.file else LocatedProblem(*_find_line(noun, Problem(_parse_path(one), "")), 0, one.message)
            for one in problems
        ]
    try:
        with open(file, "rb") as text:
            document = Document(text.read())
    except OSError:
        return problems
    places = vars(noun).get("_places") or ()
    return [
        one if one.file else _locate_at_setting(places, one) or locate_in_document(document, _shorten_path(file), one)
        for one in problems
    ]


def _locate_at_setting(places: Iterable[Any], problem: LocatedProblem) -> LocatedProblem | None:
    """Return the problem as one of the `--set` that set the value at the path in its message; None if none did."""
    where, colon, words = problem.message.partition(": ")
    if not colon or not _PLACE.fullmatch(where):
        return None
    found = [one for one in places if f"{where}.".startswith(f"{'.'.join(map(str, one.path))}.")]
    return found[-1].setting.make_problem(words) if found else None


def _parse_path(problem: LocatedProblem) -> Path:
    place, colon, _ = problem.message.partition(": ")
    return tuple(place.split(".")) if colon and _PLACE.fullmatch(place) else ()


def locate_in_document(document: Document, file: str, problem: LocatedProblem) -> LocatedProblem:
    """Return the problem at the line of the path in its message, or of the part of the path that the file has."""
    place, colon, words = problem.message.partition(": ")
    if not colon or not _PLACE.fullmatch(place):
        return problem
    data, found, rest = document.data, [], place
    while rest and isinstance(data, (Mapping, list)):
        keys = {str(key): key for key in data} if isinstance(data, Mapping) else {f"[{i}]": i for i in range(len(data))}
        text = next((text for text in keys if rest == text or rest.startswith((f"{text}.", f"{text}["))), None)
        if text is None:
            break
        key: Any = keys[text]
        data, rest = data[key], rest[len(text) :].removeprefix(".")
        found.append(key)
    if not found:
        return problem
    line, column = document.find_position(tuple(found), bool(rest))
    return LocatedProblem(file, line, column, f"{rest}: {words}" if rest else words)


def _shorten_path(file: str) -> str:
    """Return the shorter of the file's absolute and relative paths."""
    return min(file, os.path.relpath(file), key=len)
