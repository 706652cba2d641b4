"""Signatures of nouns in Python: the parameters of the official SDK's classes, in its order and with its defaults.

Fields say what a noun has; this table says which of them may be positional, what is set when nothing is given, and
what help shows. A noun that is not in the table takes its fields by name. `tests/surface` compares the table with the
official SDK, and checks that each parameter arrives.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import inspect


@lru_cache(maxsize=1)
def _read_table() -> str:
    """Return the table, one `Class(parameters)` after the other; it is read when the first noun is called."""
    with open(f"{os.path.splitext(__file__)[0]}.txt", encoding="utf-8") as file:
        return file.read()


class NounParameters(NamedTuple):
    text: str
    positional: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = {}
    """The values set when nothing is given, without those that read as unset: None, False, 0."""
    is_open: bool = False
    """True if further names are accepted and ignored."""

    @property
    def names(self) -> set[str]:
        """Return the names of all parameters."""
        return {part.lstrip("*").partition("=")[0] for part in self.text.split(", ")}

    def bind_arguments(self, callee: str, arguments: tuple[Any, ...], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return all values by name; raise TypeError as a function would."""
        if len(arguments) > len(self.positional):
            most = f"at most {len(self.positional)}" if self.positional else "no"
            raise TypeError(f"{callee} takes {most} arguments without a name, not {len(arguments)}")
        given = dict(zip(self.positional, arguments, strict=False))
        for name in given:
            if name in values:
                raise TypeError(f"{callee} is given '{name}' twice")
        return {**given, **values}


_KNOWN: dict[type, NounParameters] = {}
_NONE = NounParameters("")


def find_parameters(noun: type) -> NounParameters:
    """Return the parameters of the official class with the noun's name; a program's subclass has those of its noun."""
    found = _KNOWN.get(noun)
    if found is None:
        ours = next(base for base in noun.__mro__ if base.__module__.startswith("smalt."))
        match = re.search(rf"^{ours.__name__}\((.*?)\)$", _read_table(), re.MULTILINE | re.DOTALL)
        found = _KNOWN[noun] = _parse_signature(" ".join(match[1].split())) if match else _NONE
    return found


def _parse_signature(text: str) -> NounParameters:
    positional: list[str] = []
    defaults: dict[str, Any] = {}
    by_name = False
    for part in text.split(", "):
        name, equals, default = part.partition("=")
        if part.startswith("*"):
            by_name = True
            continue
        if not by_name and name:
            positional.append(name)
        if equals and _parse_literal(default):
            defaults[name] = _parse_literal(default)
    return NounParameters(text, tuple(positional), defaults, "**" in text)


def _parse_literal(text: str) -> Any:
    if text[0] in "'\"":
        return text[1:-1]
    words = {"None": None, "True": True, "False": False}
    return words[text] if text in words else float(text) if "." in text else int(text)


class NounSignature:
    """The `__signature__` of a noun, which help and editors show."""

    def __get__(self, instance: Any, owner: type) -> inspect.Signature:
        import inspect

        if instance is not None:
            raise AttributeError("__signature__")
        initializer = owner.__init__  # type: ignore[misc]
        known = find_parameters(owner)
        if known is _NONE or not initializer.__module__.startswith("smalt."):
            own = inspect.signature(initializer)
            return own.replace(parameters=list(own.parameters.values())[1:])
        kind: Any = inspect.Parameter.POSITIONAL_OR_KEYWORD
        shown: list[inspect.Parameter] = []
        for part in known.text.split(", ") if known.text else ():
            name, equals, default = part.partition("=")
            if part.startswith("**"):
                shown.append(inspect.Parameter(name[2:], inspect.Parameter.VAR_KEYWORD))
            elif part.startswith("*"):
                kind = inspect.Parameter.KEYWORD_ONLY
                if name[1:]:
                    shown.append(inspect.Parameter(name[1:], inspect.Parameter.VAR_POSITIONAL))
            else:
                value = _parse_literal(default) if equals else inspect.Parameter.empty
                shown.append(inspect.Parameter(name, kind, default=value))
        return inspect.Signature(shown)
