"""The right places of keys that stand one level too high or too low."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from smalt.entities.schema.entity import Entity


_NOT_SEARCHED = frozenset({"component"})
"""The definition of a step, whose keys are no settings of the step."""
_AMBIGUOUS = frozenset({"name", "version", "type", "value", "path"})
"""Keys that so many nouns have that one of them says nothing of the place."""


class RightPlace(NamedTuple):
    """The place that a key was probably meant for."""

    hint: str
    """The end of a sentence that names it."""
    field: str
    """The key of the noun itself that has the place below it; empty if it is in the noun around."""


def find_right_place(key: object, noun: type[Entity], outer: type[Entity] | None) -> RightPlace | None:
    """Return where a key that a noun does not have belongs: below one of its keys, or around it; None if unknown.

    `outer` is the noun that has this one as the value of a key.
    """
    if _match_name(key, iter(noun._fields)):  # misspelt, and in its place
        return None
    if below := _find_below(key, noun):
        return RightPlace(f"; did you mean '{'.'.join(below)}'?", below[0])
    if outer is None:
        return None
    if around := _match_name(key, list_keys(outer)):
        return RightPlace(f"; '{around}' is a key of {outer.noun}, one level higher", "")
    if beside := _find_below(key, outer):
        return RightPlace(f"; did you mean '{'.'.join(beside)}' of {outer.noun}?", "")
    return None


def list_keys(noun: type[Entity]) -> Iterator[str]:
    """Yield the keys that a document of the noun may have."""
    return (name for name, field in noun._fields.items() if not field.from_service)


def _find_below(key: object, noun: type[Entity]) -> tuple[str, str] | None:
    """Return the key of a noun, and the key beneath that, of which the second has this name."""
    for name, field in noun._fields.items():
        is_searched = not field.from_service and name not in _NOT_SEARCHED
        for names in field.shape.list_nested_keys() if is_searched else ():
            found = _match_name(key, names)
            if found is not None and found not in _AMBIGUOUS:
                return name, found
    return None


def _match_name(key: object, names: Iterator[str]) -> str | None:
    plain = _simplify_name(str(key))
    return next((name for name in names if _simplify_name(name) == plain), None)


def _simplify_name(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
