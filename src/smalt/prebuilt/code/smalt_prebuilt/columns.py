"""Lists of columns, as parameters name them.

price, make          names, with commas between; "a, b" in quotes is one name
engine-*             all names that fit, with * and ?
@numeric             all columns of a kind: @all, @numeric, @text, @categorical, @boolean, @datetime
@all, !price         without price
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from fnmatch import fnmatchcase

import polars as pl

from .problems import ComponentError, make_column_error

KINDS: dict[str, Callable[[pl.DataType], bool]] = {
    "@all": lambda type: True,
    "@numeric": lambda type: type.is_numeric(),
    "@text": lambda type: type == pl.String,
    "@categorical": lambda type: type in (pl.Categorical, pl.Enum),
    "@boolean": lambda type: type == pl.Boolean,
    "@datetime": lambda type: type.is_temporal(),
}


def choose_columns(frame: pl.DataFrame, text: str, where: str) -> list[str]:
    """Return the columns that a list names, in the list's order and each once; `where` is the parameter's name."""
    chosen: dict[str, None] = {}
    entries = split_names(text, where)
    if entries and all(_is_exclusion(frame, entry) for entry in entries):
        chosen = dict.fromkeys(frame.columns)
    for entry in entries:
        if _is_exclusion(frame, entry):
            for name in _find_columns(frame, entry[1:].strip(), where):
                chosen.pop(name, None)
        else:
            chosen.update(dict.fromkeys(_find_columns(frame, entry, where)))
    return [*chosen]


def find_column(frame: pl.DataFrame, name: str, where: str) -> str:
    """Return the name if the table has such a column, else raise ComponentError."""
    if not name:
        raise ComponentError(f"{where} is needed: the name of a column")
    if name not in frame.columns:
        raise make_column_error(name, frame.columns, where)
    return name


def split_names(text: str, where: str) -> list[str]:
    """Split a list at its commas and line ends; a name with a comma stands in quotes."""
    lines = [line for line in text.splitlines() if line.strip()]
    try:
        found = [one.strip() for row in csv.reader(lines, skipinitialspace=True, strict=True) for one in row]
    except csv.Error as error:
        raise ComponentError(f"{where} is no list of names: {error}") from None
    return [name for name in found if name]


def _is_exclusion(frame: pl.DataFrame, entry: str) -> bool:
    return entry.startswith("!") and entry not in frame.columns


def _find_columns(frame: pl.DataFrame, entry: str, where: str) -> list[str]:
    if entry in frame.columns:
        return [entry]
    if entry.startswith("@"):
        if entry not in KINDS:
            raise ComponentError(f"{where}: '{entry}' is no kind of columns; the kinds are {', '.join(KINDS)}")
        return [name for name, type in frame.schema.items() if KINDS[entry](type)]
    found = [name for name in frame.columns if fnmatchcase(name, entry)] if set(entry) & {"*", "?"} else []
    if not found:
        raise make_column_error(entry, frame.columns, where)
    return found
