"""Settings that nothing reads: a `--set` that changes nothing is a mistake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.entities.steps.bindings import OPEN_INPUTS, OPEN_OUTPUTS, find_component
from smalt.yaml.overrides import Place

_SINGULAR = {"inputs": "input", "outputs": "output", "jobs": "step"}
_VARIABLES = {"inputs": "AZURE_ML_INPUT_", "outputs": "AZURE_ML_OUTPUT_"}
_PIPELINES = ("pipeline",)
_OPEN = {"inputs": OPEN_INPUTS, "outputs": OPEN_OUTPUTS}


def find_unread(entity: Entity | None, places: Sequence[Place]) -> list[tuple[Place, str]]:
    """Each setting that sets what nothing reads, with the sentence that says so."""
    if entity is None:
        return []
    found = [(place, _explain_value(entity, place, 0, places)) for place in places]
    return [(place, why) for place, why in found if why is not None]


def _explain_value(noun: Entity, place: Place, at: int, places: Sequence[Place]) -> str | None:
    """Return the sentence about setting the key at this part of a place's path, or beneath it."""
    key, rest = place.path[at], place.path[at + 1 :]
    field = noun._fields.get(key)
    if field is None:
        return _explain_key(noun, key) if noun._is_open and key != "$schema" else None  # else the reader has told of it
    if field.from_service:
        return f"'{key}' is what the service says of {noun.noun}; it cannot be set"
    value = vars(noun).get(key)
    if not rest:
        return None
    if isinstance(value, Entity):
        return _explain_value(value, place, at + 1, places)
    if isinstance(value, Mapping) and key in _SINGULAR and place.known <= at + 1:
        is_whole = len(rest) == 1
        return None if _is_read(noun, key, rest[0], is_whole) else _explain_name(noun, key, at, place, places)
    below = value.get(rest[0]) if isinstance(value, Mapping) else None
    if isinstance(value, list) and isinstance(rest[0], int) and rest[0] < len(value):
        below = value[rest[0]]
    return _explain_value(below, place, at + 2, places) if isinstance(below, Entity) and len(rest) > 1 else None


def _explain_key(noun: Entity, key: Any) -> str:
    hint = did_you_mean(key, noun._fields) or f"; it may have {join_words(noun._fields, 'and')}"
    return f"unknown key '{key}' in {noun.noun}{hint}"


def _explain_name(noun: Entity, key: str, at: int, place: Place, places: Sequence[Place]) -> str:
    new = {
        other.path[at + 1] for other in places if other.path[: at + 1] == place.path[: at + 1] and _is_new(other, at)
    }
    known = [name for name in {**vars(noun)[key], **_get_declared(noun, key)} if name not in new]
    there = f"; there is {join_words((f'{name!r}' for name in known), 'and')}" if known else "; there is none"
    return f"no such {_SINGULAR[key]}{did_you_mean(place.path[at + 1], known) or there}"


def _is_new(place: Place, at: int) -> bool:
    return len(place.path) > at + 1 and place.known <= at + 1


def _get_declared(noun: Entity, key: str) -> Mapping[str, Any]:
    component = find_component(noun)
    return {} if component is None or key == "jobs" else getattr(component, key)


def _is_read(noun: Entity, key: str, name: Any, is_whole: bool) -> bool:
    """Return True if something reads a step, input or output that the document does not have."""
    if key == "jobs":
        return is_whole
    if isinstance(noun, Component) and is_whole:
        return True
    values = vars(noun)
    component = find_component(noun)
    given = values.get("component") or values.get("trial")
    if component is not None:
        return name in getattr(component, key) or component.type in _OPEN[key]
    if isinstance(given, str) or values.get("type") in _OPEN[key]:
        return True
    return _is_named(noun, key, str(name))


def _is_named(noun: Entity, key: str, name: str) -> bool:
    """Return True if a text of the noun names it: `${{inputs.NAME}}`, in a pipeline `${{parent.inputs.NAME}}`."""
    before = r"parent\." if vars(noun).get("type") in _PIPELINES else ""
    pattern = rf"\$\{{\{{\s*{before}{key}\.{re.escape(name)}[\s.}}]|{_VARIABLES[key]}{re.escape(name)}\b"
    return any(re.search(pattern, text) for text in _list_texts(noun.to_dict()))


def _list_texts(data: Any) -> Iterable[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, Mapping):
        for item in data.values():
            yield from _list_texts(item)
    elif isinstance(data, (list, tuple)):
        for item in data:
            yield from _list_texts(item)
