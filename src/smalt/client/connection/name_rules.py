"""The server's rules for names, checked before a name becomes part of a path with another meaning."""

from __future__ import annotations

import re

from smalt.exceptions import ValidationException

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_LONGEST = 255
_LONGEST_JOB = 250


def check_name(kind: str, name: str) -> None:
    """Raise ValidationException if `name` cannot be the name of a `kind` ("job", "data", …)."""
    longest = _LONGEST_JOB if kind == "job" else _LONGEST
    if not _NAME.fullmatch(name) or len(name) > longest:
        noun = "data asset" if kind == "data" else kind.replace("_", " ")
        letters = "'-' and '_'" if kind == "job" else "'-', '_' and '.'"
        raise ValidationException(
            f"'{name[:100]}' is not a valid {noun} name; use at most {longest} letters, digits, {letters}, "
            "a letter or digit first"
        )


def check_version(version: str) -> None:
    if not _NAME.fullmatch(version) or len(version) > _LONGEST:
        raise ValidationException(
            f"'{version[:100]}' is not a valid version; use at most {_LONGEST} letters, digits, '-', '_' and '.'"
        )
