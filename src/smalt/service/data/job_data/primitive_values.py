"""The values that steps write as outputs of a primitive type: a file, or in a folder the file `output`."""

from __future__ import annotations

from pathlib import Path

from smalt.entities.schema.problems import Problem, format_value
from smalt.entities.syntax.literals import convert
from smalt.exceptions import ValidationException

_A = {"integer": "an integer", "number": "a number", "boolean": "a boolean (true or false)", "string": "a string"}

_LONGEST = 1_000_000
"""Bytes of a value, which becomes a part of command lines."""


def value_at(path: Path, type: str | None, what: str, missing: str) -> str:
    """The value that a step wrote at `path`.

    `what` names it in the sentence where it is not of its type; `missing` is the sentence where there is none.
    """
    file = Path(path, "output") if path.is_dir() else path
    try:
        if not file.is_file() or file.stat().st_size > _LONGEST:  # a FIFO in its place would hold up the server
            raise ValidationException(missing)
        text = file.read_text().rstrip("\n")
    except (OSError, UnicodeDecodeError):
        raise ValidationException(missing) from None
    if "\0" in text:
        raise ValidationException(f"{what} has a NUL character, which no command can be given")
    if isinstance(convert(text, type or "string"), Problem):
        raise ValidationException(f"{what} must be {_A[str(type)]}, and {format_value(text)} was written")
    return text if type == "string" else text.strip()


def value_read(what: str, path: Path, type: str | None) -> str:
    """The value for an input, which `what` names, that an earlier step has written."""
    missing = f"{what} is the value that an earlier step wrote to {path}/output, which has no such text"
    return value_at(path, type, what, missing)


def check_output(name: str, path: Path, type: str | None) -> None:
    """Refuse what the step itself wrote as its output, so that it fails and not the step that reads it."""
    place = f"${{{{outputs.{name}}}}}/output"
    missing = f"it wrote no value for its output '{name}' ({type}), which is to be text in the file '{place}'"
    value_at(path, type, f"its output '{name}'", missing)
