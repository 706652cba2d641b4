"""Expressions in commands and arguments must name inputs and outputs that there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.expression import Expression, bindings
from smalt.entities.problems import Path, did_you_mean, nearest

if TYPE_CHECKING:
    from smalt.entities.reader import Reader

Names = dict[str, Collection[str]]
"""The names that there are, by kind of expression: "inputs", "outputs", "search_space"."""

_SINGULAR = {"inputs": "input", "outputs": "output", "search_space": "parameter of the search space"}


def check(text: object, names: Names, owner: str, path: Path, reader: Reader) -> None:
    """Tell of each expression of a text that names nothing of its `owner`, such as "this command job"."""
    if not isinstance(text, str) or "${{" not in text:
        return
    for expression in dict.fromkeys(bindings(text)):
        if expression.kind in names:
            if not has(expression, names[expression.kind]):
                hint = did_you_mean(expression.name, names[expression.kind])
                word = _SINGULAR[expression.kind]
                reader.problem(path, f"'{expression.text}' names no {word} of {owner}{hint}")
        elif expression.kind == "search_space":
            reader.problem(path, f"'{expression.text}' has a meaning only in the trial of a sweep")
        elif expression.kind == "unknown":
            first, _, rest = expression.name.partition(".")
            near = nearest(first, (*names, "parent"))
            if near and rest:
                hint = f"; did you mean '${{{{{near}.{rest}}}}}'?"
                reader.problem(path, f"'{expression.text}' is no expression that smalt knows{hint}")


def check_own(owner: Any, words: str, texts: Mapping[str, object], path: Path, reader: Reader) -> None:
    """Texts, by their dotted keys, that may name the inputs and outputs of what they stand in."""
    names: Names = {"inputs": owner.inputs, "outputs": owner.outputs}
    for key, text in texts.items():
        check(text, names, words, (*path, *key.split(".")), reader)


def has(expression: Expression, names: Collection[str]) -> bool:
    """Whether a name is there; a dot in it may be part of it."""
    return expression.name in names or (bool(expression.rest) and f"{expression.name}.{expression.rest}" in names)
