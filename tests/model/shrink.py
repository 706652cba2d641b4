"""Make a failing script smaller while it fails, and show it so that it can become a test."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from typing import Any

import yaml

Script = list[dict[str, Any]]
KEPT = frozenset(
    {"type", "do", "command", "name", "environment", "path", "w", "o", "outputs", "version", "document", "text"}
)
"""Keys without which an operation or a document is another thing."""


def shrink(script: Script, fails: Callable[[Script], bool], seconds: float) -> Script:
    """Return a smaller script that fails too: operations, then parts of what is left, are taken out one by one."""
    end = time.monotonic() + seconds
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(script):
            if time.monotonic() > end:
                return script
            if _fails(candidate, fails):
                script, smaller = candidate, True
                break
    return script


def _fails(candidate: Script, fails: Callable[[Script], bool]) -> bool:
    try:
        return fails(candidate)
    except (LookupError, TypeError, AttributeError, ValueError):  # a script that makes no sense any more
        return False


def show(script: Script) -> str:
    """Return the script as text: one operation an entry, documents as YAML."""
    return "\n".join(yaml.safe_dump([one], sort_keys=False, width=160).rstrip() for one in script)


def _smaller(script: Script) -> Iterator[Script]:
    """Yield the script with less: first halves, then single operations from the end, then keys of documents."""
    for size in (len(script) // 2, len(script) // 4, 1):
        if size:
            for start in range(len(script) - size, -1, -size):
                yield script[:start] + script[start + size :]
    for number, operation in enumerate(script):
        for path in _removable(operation, ()):
            made = copy.deepcopy(script)
            _remove(made[number], path)
            yield made


def _removable(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield paths of what a document can do without: whole steps first, then what is in them."""
    if isinstance(value, dict):
        for key in value:
            if (path and key not in KEPT) or key == "during":
                yield (*path, key)
        for key in value:
            yield from _removable(value[key], (*path, key))
    if isinstance(value, list):
        for index in reversed(range(len(value)) if len(value) > 1 else ()):
            yield (*path, index)
        for index in range(len(value)):
            yield from _removable(value[index], (*path, index))


def _remove(operation: Any, path: tuple[Any, ...]) -> None:
    """Remove what is at a path, and from the commands what names it."""
    document = operation
    for key in path[:-1]:
        document = document[key]
    del document[path[-1]]
    _tidy(operation)


def _tidy(value: Any) -> None:
    if isinstance(value, dict) and "command" in value:
        for side in ("inputs", "outputs"):
            there = value.get(side) or {}
            names = [name for name in ("d", "t", "u", "n", "w.") if not any(one.startswith(name) for one in there)]
            gone = [f"${{{{{side}.{name}" for name in names]
            words = value["command"].split(" ")
            value["command"] = " ".join(word for word in words if not any(one in word for one in gone))
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _tidy(one)
