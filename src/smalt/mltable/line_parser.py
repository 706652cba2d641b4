"""A parser of delimited text, line by line, for what polars reads differently from Azure's mltable."""

from __future__ import annotations

import csv
import io
from typing import Any


def parse_rows(text: str, delimiter: str, multi_line: bool) -> list[list[str | None]]:
    """Yield the values of each row; None is nothing between delimiters, "" an empty value in quotes."""
    if multi_line:
        made = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        return [[value or None for value in row] for row in made if row]
    lines = text.replace("\r\n", "\n").split("\n")
    return [_parse_values(line, delimiter) for line in lines if line]


def _parse_values(line: str, delimiter: str) -> list[str | None]:
    if '"' not in line:
        return [value or None for value in line.split(delimiter)]
    values: list[str | None] = []
    start = 0
    while True:
        value, start = _parse_quoted(line, start, delimiter) or _parse_bare(line, start, delimiter)
        values.append(value)
        if start > len(line):
            return values


def _parse_bare(line: str, start: int, delimiter: str) -> tuple[str | None, int]:
    end = line.find(delimiter, start)
    end = len(line) if end < 0 else end
    return line[start:end] or None, end + len(delimiter)


def _parse_quoted(line: str, start: int, delimiter: str) -> tuple[str, int] | None:
    """Return a value in quotes and the position of the next; None if it is not enclosed in quotes."""
    if not line.startswith('"', start):
        return None
    end = start + 1
    while True:
        end = line.find('"', end)
        if end < 0:
            return None
        if line.startswith('""', end):
            end += 2
            continue
        after, following = _parse_bare(line, end + 1, delimiter)
        return line[start + 1 : end].replace('""', '"') + (after or ""), following


def make_header(values: list[str | None]) -> list[str]:
    """Return names of columns: stripped, ColumnN for an empty one, duplicates made unique."""
    names: list[str] = []
    for index, value in enumerate(values):
        name = (value or "").strip() or f"Column{index + 1}"
        made, count = name, 0
        while made in names:
            count += 1
            made = f"{name}_{count}"
        names.append(made)
    return names


def make_table(rows: list[list[str | None]], names: list[str], p: Any) -> Any:
    """Return rows of texts as a frame; a longer row adds columns, called ColumnN."""
    width = max((len(row) for row in rows), default=0)
    names = [*names, *(f"Column{index + 1}" for index in range(len(names), width))]
    columns: list[list[str | None]] = [[None] * len(rows) for _ in names]
    for number, row in enumerate(rows):
        for index, value in enumerate(row):
            columns[index][number] = value
    made = {name: p.Series(name, values, dtype=p.String) for name, values in zip(names, columns)}  # noqa: B905
    return p.DataFrame(made)
