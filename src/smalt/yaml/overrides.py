"""`--set a.b.c=value`, and `params_override`: values put into a document before it is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from smalt.entities.schema.problems import Path, format_value
from smalt.entities.schema.reader import WrittenValue
from smalt.exceptions import LocatedProblem
from smalt.yaml.document import Document, list_plain_texts, parse_scalar

_PART = re.compile(r"""\.?(?:\[(?P<index>-?\d+)\]|'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<word>[^.\[\]]+))""")

_PREFIXES = frozenset({"smalt", "azureml", "mlflow"})
"""Beginnings, before a dot, of the names of tools' properties."""


class Setting(NamedTuple):
    """A value for a place of a document, and the argument that says it, such as `--set inputs.x`."""

    argument: str
    name: str
    value: Any
    is_typed: bool = False
    """True if the value is text of a command line, which each field converts."""
    line: tuple[str, int] = ("", 0)
    """The line of the program that gives it, where a program does."""

    def make_problem(self, message: str) -> LocatedProblem:
        """A problem with the value, told at the argument, or at the line of the program."""
        file, line = self.line
        return (
            LocatedProblem(file, line, 0, f"{self.argument}: {message}")
            if file
            else LocatedProblem(self.argument, 0, 0, message)
        )


Overrides = Mapping[str, Any] | Sequence["tuple[str, Any] | Setting"]


class Place(NamedTuple):
    """The place where a setting put its value."""

    path: Path
    setting: Setting
    known: int
    """So many of the path's parts were in the document."""

    def is_made_at(self, path: Path) -> bool:
        """Return True if the setting itself put something at a path."""
        within = path[: len(self.path)] == self.path
        return within or (self.path[: len(path)] == path and len(path) > self.known)


class Overridden:
    """A document's data with values replaced; knows which argument a path came from, and what could not be set."""

    def __init__(self, data: Any, overrides: Overrides) -> None:
        self.data = data
        self.failures: list[LocatedProblem] = []
        self.places: list[Place] = []
        self.written: dict[Path, WrittenValue] = {}
        for setting in _list_settings(overrides):
            self._apply_setting(setting)

    def find_place(self, path: Path) -> Place | None:
        """The last setting that put a value at a path, or around it, or made what is there to put one into it."""
        return next((place for place in reversed(self.places) if place.is_made_at(path)), None)

    def _apply_setting(self, setting: Setting) -> None:
        parts = split_name(setting.name)
        if not parts:
            self.failures.append(setting.make_problem("it names no key; write it as a.b.c=value"))
            return
        value, texts = _parse_value(setting.value) if setting.is_typed else (setting.value, {})
        try:
            changed = _replace_value(self.data, parts, value)
        except _CannotSet as error:
            self.failures.append(setting.make_problem(str(error)))
            return
        self.data = changed.data
        self.places.append(Place(changed.path, setting, changed.known))
        for path in [path for path in self.written if path[: len(changed.path)] == changed.path]:
            del self.written[path]
        for path, text in texts.items():
            at = (*changed.path, *path)
            self.written[at] = WrittenValue(text, None if path else changed.before)


def _list_settings(overrides: Overrides) -> Iterator[Setting]:
    for one in overrides.items() if isinstance(overrides, Mapping) else overrides:
        if isinstance(one, Setting):
            yield one
        else:
            name, value = one
            yield Setting(f"--set {name}", name, value, isinstance(value, str))


class _CannotSet(Exception):
    pass


def _parse_value(text: str) -> tuple[Any, dict[Path, str]]:
    """A value of the command line, as YAML reads it, and the texts that its parts are written as."""
    if text[:1] in ("{", "[", '"', "'"):
        document = Document(text)
        if not document.faults:
            whole = {} if isinstance(document.data, str) else {(): text}
            return document.data, {**whole, **dict(list_plain_texts(document.root))}
    return parse_scalar(text), {(): text}


def split_name(name: str) -> list[str | int]:
    """Return the keys and indices that a dotted name is made of; nothing where it is not one."""
    parts: list[str | int] = []
    end = 0
    for match in _PART.finditer(name):
        if match.start() != end:
            return []
        end = match.end()
        index = match["index"]
        parts.append(int(index) if index is not None else match["single"] or match["double"] or match["word"] or "")
    return parts if end == len(name) else []


class _Replaced(NamedTuple):
    """A copy of data with a value replaced; what is not on the path is shared."""

    data: Any
    path: Path
    known: int
    before: Any


def _replace_value(data: Any, parts: list[str | int], value: Any, path: Path = (), known: int = 0) -> _Replaced:
    """`path` is the way to `data`, of which so many parts are in the document."""
    if not parts:
        return _Replaced(value, path, known, data)
    if isinstance(data, list) or (data is None and isinstance(parts[0], int)):
        data = data or []
        return _replace_item(data, parts, value, path, known)
    if data is not None and not isinstance(data, dict):
        raise _CannotSet(f"'{path[-1] if path else 'it'}' is {format_value(data)}, which has no keys; set it whole")
    mapping = dict(data or {})
    key, rest = _split_first_key(mapping, parts, path)
    is_known = key in mapping and known == len(path)
    changed = _replace_value(mapping.get(key), rest, value, (*path, key), known + is_known)
    mapping[key] = changed.data
    return changed._replace(data=mapping)


def _split_first_key(mapping: dict[Any, Any], parts: list[str | int], path: Path) -> tuple[Any, list[str | int]]:
    """The first key of the path; one with dots where the mapping has such a one, or where its values are texts."""
    for end in range(len(parts), 1, -1):
        joined = ".".join(str(part) for part in parts[:end])
        if joined in mapping:
            return joined, parts[end:]
    if _has_texts(path, parts[0]) and all(isinstance(part, str) for part in parts):
        return ".".join(map(str, parts)), []
    return str(parts[0]), parts[1:]


def _has_texts(path: Path, key: str | int) -> bool:
    """True for the `tags` and `properties` of a job or a step: texts, whose keys often have dots (`smalt.warm`).

    Other nouns have `properties` with mappings in them, so there only the prefixes of tools count.
    """
    is_step = len(path) == 3 and path[0] == "jobs"
    if path[-1:] == ("properties",):
        return is_step or (len(path) == 1 and key in _PREFIXES)
    return path[-1:] == ("tags",) and (is_step or len(path) == 1)


def _replace_item(data: list[Any], parts: list[str | int], value: Any, path: Path, known: int) -> _Replaced:
    part = parts[0]
    if isinstance(part, str) and not part.lstrip("-").isdigit():
        raise _CannotSet(f"'{part}' stands where a list has items; give the number of one, from 0 to {len(data)}")
    index = int(part)
    if not -len(data) <= index <= len(data):
        raise _CannotSet(f"there is no item {index}; the list has {len(data)}, counted from 0")
    is_known = index < len(data) and known == len(path)
    items = [*data, None] if index == len(data) else list(data)
    index %= len(items)
    changed = _replace_value(items[index], parts[1:], value, (*path, index), known + is_known)
    items[index] = changed.data
    return changed._replace(data=items)
