"""Errors of the AutoML program."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

_LONGEST = 40


class Remark(NamedTuple):
    """A sentence about one field of an AutoML job, with the path of the field's key."""

    path: tuple[str | int, ...]
    text: str


class AutoMLError(Exception):
    """An error of what the user gave: each line is one sentence."""

    exit_code = 2


class NoModelError(AutoMLError):
    """The search ended without a model."""

    exit_code = 1


def show_value(value: Any) -> str:
    """Return a value of a table as a sentence has it: short, a text in quotes, a number without NumPy's type."""
    value = value.item() if hasattr(value, "item") else value
    return str(value) if isinstance(value, bool | int | float) or value is None else f"'{shorten(str(value))}'"


def join_columns(columns: Sequence[str], most: int = 8) -> str:
    """Return the names of some columns, and how many others there are."""
    more = len(columns) - most
    return ", ".join(map(shorten, columns[:most])) + (f" and {more} more" if more > 0 else "")


def shorten(text: str) -> str:
    """Return a text of one line that a terminal can show: the file it is from may be no table."""
    text = "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
