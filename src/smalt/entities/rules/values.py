"""Checks that values fit the inputs that they are given to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import Path, Problem, format_value, join_words
from smalt.entities.syntax.literals import PRIMITIVES, Literal, convert, to_text

if TYPE_CHECKING:
    from smalt.entities.jobs.inputs import Input
    from smalt.entities.schema.reader import Reader

_A = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "a boolean (true or false)"}
_FITS = {("integer", "number")}


def check_literal(value: Literal, declared: Input, path: Path, reader: Reader, label: str = "") -> None:
    """Check a literal against the declared input; for declared data, text may be its path."""
    label = label or f"the input '{path[-1]}'"
    if declared.type not in PRIMITIVES:
        if declared.type is not None and not isinstance(value, str):
            reader.add_problem(path, f"{label} takes data ({declared.type}), not {format_value(value)}")
        return
    converted = convert(value, declared.type)
    if isinstance(converted, Problem):
        reader.add_problem(path, f"{label} must be {_A[declared.type]}, not {format_value(value)}")
        return
    allowed = [to_text(_convert_allowed(item, declared.type)) for item in declared.enum or ()]
    if allowed and to_text(converted) not in allowed:
        reader.add_problem(
            path, f"{label} must be {join_words(allowed)}, not {format_value(value)}{_suggest_quotes(value, allowed)}"
        )
    if not isinstance(converted, (str, bool)):
        low, high = _to_number(declared.min), _to_number(declared.max)
        if low is not None and converted < low:
            reader.add_problem(path, f"{label} must be at least {declared.min}, not {converted}")
        if high is not None and converted > high:
            reader.add_problem(path, f"{label} must be at most {declared.max}, not {converted}")


def convert_path(inputs: dict[str, Any], name: str, declared: Input, path: Path, reader: Reader) -> None:
    """Replace text from a file by an Input with that path if the input is declared as data."""
    from smalt.entities.jobs.inputs import DataPath, Input

    value = inputs.get(name)
    if reader.from_file and isinstance(value, str) and "${{" not in value and declared.type not in (None, *PRIMITIVES):
        found = DataPath().read_value(value, path, reader)
        inputs[name] = Input(type=declared.type, path=found) if found is not None else value


def _suggest_quotes(value: Literal, allowed: list[str]) -> str:
    """Return advice for a YAML boolean that was probably meant as one of the allowed texts."""
    spelt = {True: ("true", "yes", "on", "y"), False: ("false", "no", "off", "n")}
    words = spelt[value] if isinstance(value, bool) else ()
    meant = [text for text in allowed if text.lower() in words]
    return f"; write it in quotes: '{meant[0]}'" if meant else ""


def _convert_allowed(item: Literal, type: str) -> Literal:
    converted = convert(item, type)
    return item if isinstance(converted, Problem) else converted


def _to_number(bound: Literal | None) -> float | None:
    converted = None if bound is None else convert(bound, "number")
    return converted if isinstance(converted, (int, float)) else None


def check_types(
    given: str | None, declared: str | None, path: Path, reader: Reader, source: str, name: str | None = None
) -> None:
    """Check the type of a bound value against the declared type; two types of data are never compared.

    `name` is the input's, if it is not the last part of `path`.
    """
    if given is None or declared is None or given == declared:
        return
    primitive, wanted = given in PRIMITIVES, declared in PRIMITIVES
    if (not primitive and not wanted) or (primitive and declared == "string") or (given, declared) in _FITS:
        return
    want = _A[declared] if wanted else f"data ({declared})"
    have = _A[given] if primitive else f"data ({given})"
    reader.add_problem(path, f"the input '{name or path[-1]}' must be {want}, but {source} is {have}")


def check_default(declared: Input, path: Path, reader: Reader) -> None:
    """Check a component's default, allowed values and range against the declared type and each other."""
    if not reader.on_wire:
        _check_limits(declared, path, reader)
    if declared.default is not None and declared.type in PRIMITIVES:
        check_literal(declared.default, declared, (*path, "default"), reader, f"the default of '{path[-1]}'")


def _check_limits(declared: Input, path: Path, reader: Reader) -> None:
    """Report limits that make no sense for the type, or allow no value."""
    type = str(declared.type)
    for key in ("min", "max"):
        bound = getattr(declared, key)
        if bound is not None and type not in ("integer", "number"):
            reader.add_problem(
                (*path, key), f"'{key}' is for inputs that are an integer or a number, not {type}", at_key=True
            )
        elif bound is not None and _to_number(bound) is None:
            reader.add_problem((*path, key), f"'{key}' must be a number, not {format_value(bound)}")
    low, high = _to_number(declared.min), _to_number(declared.max)
    if low is not None and high is not None and low > high:
        reader.add_problem(
            (*path, "max"), f"'max' ({declared.max}) is less than 'min' ({declared.min}); no value can satisfy both"
        )
    if declared.enum and type not in PRIMITIVES:
        reader.add_problem((*path, "enum"), f"'enum' is for inputs that are literals, not {type}", at_key=True)
    for index, item in enumerate(declared.enum or () if type in PRIMITIVES else ()):
        if isinstance(convert(item, type), Problem):
            words = f"an allowed value of '{path[-1]}' must be {_A[type]}, not {format_value(item)}"
            reader.add_problem((*path, "enum", index), words)
