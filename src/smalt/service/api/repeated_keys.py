"""Keys that occur more than once in an object of a JSON text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from smalt.entities.schema.problems import format_path

_MOST = 10
"""Repetitions that are named; whoever made a text with more has one cause to mend."""

_Trail = tuple["_Trail", Any] | None
"""The keys and indexes that lead to a value, the last one first; shared, as a large text may be deep."""


class RepeatedKeys:
    """Collects repetitions while a text is parsed: `build_object` is the `object_pairs_hook`.

    The work is linear in the size of the text: anybody may send a large one.
    """

    def __init__(self) -> None:
        self._found: list[tuple[dict[str, Any], list[str]]] = []
        self._count = 0

    def build_object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs) and self._count < _MOST:
            keys = list(_find_repeated(key for key, _ in pairs))[: _MOST - self._count]
            self._count += len(keys)
            self._found.append((made, keys))
        return made

    def list_faults(self, body: Any) -> list[str]:
        """Return a sentence for each repetition, with its path in the parsed body."""
        paths = _find_paths([owner for owner, _ in self._found], body)
        return [
            f"{format_path((*paths.get(id(owner), ()), key))}: the key is given twice; give it once"
            for owner, keys in self._found
            for key in keys
        ]


def _find_repeated(keys: Iterable[str]) -> Iterable[str]:
    """Return the repeated keys, each once, in their order."""
    seen: set[str] = set()
    repeated: dict[str, None] = {}
    for key in keys:
        if key in seen:
            repeated[key] = None
        seen.add(key)
    return repeated


def _find_paths(wanted: list[dict[str, Any]], body: Any) -> dict[int, tuple[Any, ...]]:
    """Return the path of each of these objects in a body, by its id; an object that a later repetition replaced has
    none."""
    ids = {id(one) for one in wanted}
    found: dict[int, tuple[Any, ...]] = {}
    waiting: list[tuple[_Trail, Any]] = [(None, body)]
    while waiting and len(found) < len(ids):
        trail, value = waiting.pop()
        if id(value) in ids:
            found[id(value)] = _build_path(trail)
        items = value.items() if isinstance(value, dict) else enumerate(value)
        waiting.extend(((trail, key), item) for key, item in items if isinstance(item, (dict, list)))
    return found


def _build_path(trail: _Trail) -> tuple[Any, ...]:
    path: list[Any] = []
    while trail is not None:
        trail, key = trail
        path.append(key)
    return tuple(reversed(path))
