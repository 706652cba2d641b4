"""Plain tables: a heading, a rule, a line for each row; no package needed."""

from __future__ import annotations

import re
from typing import Any

_TIME = re.compile(r"^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z|\+00:00)$")


def render(data: Any, columns: tuple[str, ...] = ()) -> str:
    """`data`, a mapping or a list of them, as a table; with `columns` only those of them that some row has."""
    rows = [_row(item) for item in (data if isinstance(data, list) else [data])]
    heads = _heads(rows, columns)
    if not rows or not heads:
        return ""
    cells = [[_text(_at(row, head)) for head in heads] for row in rows]
    return lay_out([_title(head) for head in heads], cells)


def lay_out(titles: list[str], cells: list[list[str]]) -> str:
    """Columns under their titles, as wide as they need to be."""
    widths = [max(len(line[index]) for line in [titles, *cells]) for index in range(len(titles))]
    lines = [titles, ["-" * width for width in widths], *cells]
    return "".join(_line(line, widths) + "\n" for line in lines)


def _row(item: Any) -> dict[str, Any]:
    if isinstance(item, dict):
        return item
    if isinstance(item, list):
        return {f"column{index}": value for index, value in enumerate(item, 1)}
    return {"result": item}


def _heads(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[str]:
    chosen = [column for column in columns if any(_at(row, column) not in (None, "") for row in rows)]
    if chosen:
        return chosen
    every = dict.fromkeys(key for row in rows for key in row)
    return [key for key in every if any(_plain(row.get(key)) for row in rows)]


def _at(row: dict[str, Any], head: str) -> Any:
    """The value of a key; `a.b` is that of `b` in `a`."""
    if head in row:
        return row[head]
    outer, dot, inner = head.partition(".")
    nested = row.get(outer)
    return nested.get(inner) if dot and isinstance(nested, dict) else None


def _plain(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


def _text(value: Any) -> str:
    """One cell; a list is its length, a mapping nothing, a text its first line, a number six digits of it."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return str(len(value))
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    text = str(value).partition("\n")[0].replace("\t", " ")
    return _TIME.sub(r"\1 \2", text)


def _title(key: str) -> str:
    """`display_name` is headed "Display name"; a name that the query chose stays."""
    key = key.rpartition(".")[2]
    if key.islower() or "_" in key:
        words = key.replace("_", " ")
        return words[:1].upper() + words[1:]
    return key


def _line(cells: list[str], widths: list[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
