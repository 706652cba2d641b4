"""The header of a delimited file, as the program reads the table, and as the server looks at it before."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from itertools import chain
from pathlib import Path
from typing import NamedTuple

SUFFIXES = (".csv", ".tsv", ".txt")
"""The endings of delimited files."""
_SEPARATORS = ",\t;|"
_HEAD = 1 << 20
"""The bytes of a file in which its header is looked for."""
_QUOTED = re.compile(r'"[^"]*"')


class TableHeader(NamedTuple):
    """The separator of a delimited file, and the names of its columns; none if the file is empty."""

    separator: str
    columns: list[str]


def read_header(path: Path) -> TableHeader:
    """Read the first line that is not blank; a column without a name gets the one that pandas gives it."""
    with path.open("rb") as file:
        text = _decode_head(file.read(_HEAD))
    lines = iter(io.StringIO(text, newline=""))
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        return TableHeader(_SEPARATORS[0], [])
    separator = max(_SEPARATORS, key=_QUOTED.sub("", first).count)
    try:
        names = next(csv.reader(chain([first], lines), delimiter=separator))
    except csv.Error:  # it is no text
        names = first.strip().split(separator)
    return TableHeader(separator, [name or f"Unnamed: {index}" for index, name in enumerate(names)])


def list_repeated(columns: list[str]) -> list[str]:
    """Return the names that more than one column has."""
    return [name for name, count in Counter(columns).items() if count > 1]


def _decode_head(head: bytes) -> str:
    if len(head) == _HEAD:
        head = head[: head.rfind(b"\n") + 1] or head
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError:
        return head.decode("latin-1")
