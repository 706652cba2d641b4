"""Errors of what a component was given, each a sentence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

_MOST_NAMES = 30


class ComponentError(Exception):
    """An error that the user can mend; its text is one sentence."""


def join_names(names: Iterable[str]) -> str:
    """Return the names in quotes with commas between them; of many, the first ones."""
    every = [f"'{name}'" for name in names]
    shown = ", ".join(every[:_MOST_NAMES])
    return f"{shown} and {len(every) - _MOST_NAMES} more" if len(every) > _MOST_NAMES else shown


def make_column_error(name: str, columns: Sequence[str], where: str) -> ComponentError:
    """Return the error for a column that a table does not have."""
    near = get_close_matches(name, columns, 1)
    hint = f" (did you mean '{near[0]}'?)" if near else ""
    return ComponentError(
        f"{where}: there is no column '{name}'{hint}; the columns are {join_names(columns) or 'none'}"
    )
