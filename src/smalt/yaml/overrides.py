"""`--set a.b.c=value`: values put into a document before it is read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from smalt.entities.problems import Path
from smalt.yaml.document import Document, scalar

_PART = re.compile(r"""\.?(?:\[(?P<index>-?\d+)\]|'(?P<single>[^']*)'|"(?P<double>[^"]*)"|(?P<word>[^.\[\]]+))""")

Overrides = Mapping[str, Any] | Sequence[tuple[str, Any]]


class Overridden:
    """A document's data with values replaced; knows which argument a path came from, and what could not be set."""

    def __init__(self, data: Any, overrides: Overrides) -> None:
        self.data = data
        self.failures: list[tuple[str, str]] = []
        self._paths: list[tuple[Path, str]] = []
        items = overrides.items() if isinstance(overrides, Mapping) else overrides
        for name, value in items:
            self._set(name, parsed(value) if isinstance(value, str) else value)

    def argument(self, path: Path) -> str | None:
        """`--set inputs.x`, where that is what put the value at a path."""
        for set_path, name in reversed(self._paths):
            if path[: len(set_path)] == set_path:
                return f"--set {name}"
        return None

    def _set(self, name: str, value: Any) -> None:
        parts = _parts(name)
        if not parts:
            self.failures.append((f"--set {name}", "it names no key; write it as a.b.c=value"))
            return
        try:
            self.data, path = _replaced(self.data, parts, value)
        except _CannotSet as error:
            self.failures.append((f"--set {name}", str(error)))
            return
        self._paths.append((path, name))


class _CannotSet(Exception):
    pass


def parsed(text: str) -> Any:
    """A value of the command line: a bare word, or YAML in braces, brackets or quotes."""
    if text[:1] in ("{", "[", '"', "'"):
        document = Document(text)
        if not document.faults:
            return document.data
    return scalar(text)


def _parts(name: str) -> list[str | int]:
    parts: list[str | int] = []
    end = 0
    for match in _PART.finditer(name):
        if match.start() != end:
            return []
        end = match.end()
        index = match["index"]
        parts.append(int(index) if index is not None else match["single"] or match["double"] or match["word"] or "")
    return parts if end == len(name) else []


def _replaced(data: Any, parts: list[str | int], value: Any) -> tuple[Any, Path]:
    """A copy with the value at the path, and the path as the data has it; what is not on the path is shared."""
    if not parts:
        return value, ()
    if isinstance(data, list):
        return _replaced_item(data, parts, value)
    if data is not None and not isinstance(data, dict):
        data = {}
    mapping = dict(data or {})
    key, rest = _key(mapping, parts)
    mapping[key], path = _replaced(mapping.get(key), rest, value)
    return mapping, (key, *path)


def _key(mapping: dict[Any, Any], parts: list[str | int]) -> tuple[Any, list[str | int]]:
    """The first key of the path; one with dots where the mapping has such a one."""
    for end in range(len(parts), 1, -1):
        joined = ".".join(str(part) for part in parts[:end])
        if joined in mapping:
            return joined, parts[end:]
    return str(parts[0]), parts[1:]


def _replaced_item(data: list[Any], parts: list[str | int], value: Any) -> tuple[Any, Path]:
    part = parts[0]
    if isinstance(part, str) and not part.lstrip("-").isdigit():
        raise _CannotSet(f"'{part}' stands where a list has items; give the number of one, from 0 to {len(data)}")
    index = int(part)
    if not -len(data) <= index <= len(data):
        raise _CannotSet(f"there is no item {index}; the list has {len(data)}, counted from 0")
    items = [*data, None] if index == len(data) else list(data)
    index %= len(items)
    items[index], path = _replaced(items[index], parts[1:], value)
    return items, (index, *path)
