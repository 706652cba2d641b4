"""Conversions of literal values, equal to those of the service."""

from __future__ import annotations

from smalt.entities.schema.problems import Problem, format_value

Literal = str | int | float | bool

PRIMITIVES = ("string", "integer", "number", "boolean")


def to_text(value: object) -> str:
    """Return a literal as commands and the wire have it: `True`, `0.5`, `text`."""
    return value if isinstance(value, str) else str(value)


_PYTHON = {bool: "boolean", int: "integer", float: "number", str: "string"}


def find_literal_type(value: object) -> str | None:
    """Return the type of an input with this value, such as `boolean` for True, or None."""
    return next((_PYTHON[base] for base in type(value).__mro__ if base in _PYTHON), None)


def parse_written_literal(value: Literal | None, text: str, before: object) -> Literal:
    """Return the literal that a command line's `text` means, which YAML reads as `value`.

    It is the text, unless it replaces a boolean or is a number spelt as Python spells it.
    """
    if isinstance(value, bool):
        return value if isinstance(before, bool) else text
    if isinstance(value, (int, float)) and not isinstance(before, str) and str(value) == text:
        return value
    return text


def convert(value: Literal, type: str) -> Literal | Problem:
    """Return a literal converted to the declared type, or a Problem."""
    if type == "string":
        return to_text(value)
    if type == "boolean":
        converted: Literal | None = _to_boolean(value)
    elif type == "integer":
        converted = _to_integer(value)
    elif type == "number":
        converted = _to_number(value)
    else:
        return value
    return Problem((), f"{format_value(value)} is not {_WORDS[type]}") if converted is None else converted


_WORDS = {"integer": "an integer", "number": "a number", "boolean": "a boolean (true or false)"}


def _to_boolean(value: Literal) -> bool | None:
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.strip().lower()) if isinstance(value, str) else None


_BOOLEANS = {
    "true": True, "false": False, "yes": True, "no": False, "on": True, "off": False, "1": True, "0": False,
}  # fmt: skip


def _to_integer(value: Literal) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        return int(value) if value.is_integer() else None
    try:
        return int(value)
    except ValueError:
        return None


def _to_number(value: Literal) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return None
