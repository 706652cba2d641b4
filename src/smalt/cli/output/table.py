"""Plain tables with a heading, a rule and a line for each row, fitted to a terminal's width, without a package."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

_TIME = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)$")
_GAP = "  "
_NARROWEST = 8
"""Characters that a shortened column keeps."""
_COLOURS = {
    "Failed": "\033[31m", "Completed": "\033[32m", "Succeeded": "\033[32m", "Canceled": "\033[33m",
    "CancelRequested": "\033[33m", "NotResponding": "\033[31m", "Running": "\033[36m", "Queued": "\033[2m",
    "NotStarted": "\033[2m", "Preparing": "\033[36m", "Finalizing": "\033[36m",
}  # fmt: skip
_END = "\033[0m"


class TableScreen(NamedTuple):
    """The place where a table is shown: a terminal with a width and perhaps colours; without a width, a pipe."""

    width: int | None = None
    has_colours: bool = False


PIPE = TableScreen()


def render_table(data: Any, columns: tuple[str, ...] = (), screen: TableScreen = PIPE) -> str:
    """Return a mapping or a list of mappings as a table; of `columns` only those that some row has."""
    rows = [_to_row(item) for item in (data if isinstance(data, list) else [data])]
    heads = _choose_columns(rows, columns)
    if not rows or not heads:
        return ""
    cells = [
        [_render_value(_get_value(row, head), is_local=screen.width is not None) for head in heads] for row in rows
    ]
    return render_columns([_format_title(head) for head in heads], cells, screen)


def render_columns(titles: list[str], cells: list[list[str]], screen: TableScreen = PIPE) -> str:
    """Return columns under their titles, as wide as their cells, or narrower to fit the screen."""
    widths = [max(len(line[index]) for line in [titles, *cells]) for index in range(len(titles))]
    if screen.width is not None:
        widths = fit_widths(widths, screen.width)
    lines = [_render_line(titles, widths), _render_line(["-" * width for width in widths], widths)]
    lines += [_render_line(line, widths, screen.has_colours) for line in cells]
    if missing := titles[len(widths) :]:
        lines += textwrap.wrap(f"({', '.join(missing)}: see --output json)", screen.width or len(lines[0]))
    return "".join(f"{line}\n" for line in lines)


def fit_widths(widths: Sequence[int], room: int) -> list[int]:
    """Return widths that fit: the widest columns except the first are shortened, then the last ones left out."""
    found = list(widths)
    while len(found) > 1:
        over = sum(found) + len(_GAP) * (len(found) - 1) - room
        if over <= 0:
            break
        widest = max(range(1, len(found)), key=found.__getitem__)
        if found[widest] > _NARROWEST:
            found[widest] -= 1
        else:
            found.pop()
    return found


def to_local_time(text: str) -> str:
    """Return a time in UTC in this machine's time zone; any other text unchanged."""
    if not _TIME.match(text):
        return text
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    return f"{moment:%Y-%m-%d %H:%M} {moment:%Z}"


def _to_row(item: Any) -> dict[str, Any]:
    if isinstance(item, dict):
        return item
    if isinstance(item, list):
        return {f"column{index}": value for index, value in enumerate(item, 1)}
    return {"result": item}


def _choose_columns(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> list[str]:
    chosen = [column for column in columns if any(_get_value(row, column) not in (None, "") for row in rows)]
    if chosen:
        return chosen
    every = dict.fromkeys(key for row in rows for key in row)
    return [key for key in every if any(_is_scalar(row.get(key)) for row in rows)]


def _get_value(row: dict[str, Any], head: str) -> Any:
    """Return the value of a key; `a.b` means the key `b` in `a`."""
    if head in row:
        return row[head]
    outer, dot, inner = head.partition(".")
    nested = row.get(outer)
    return nested.get(inner) if dot and isinstance(nested, dict) else None


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, (dict, list))


def _render_value(value: Any, *, is_local: bool) -> str:
    """Return a cell: a list as its length, a mapping as "", a text's first line, a number with six digits."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, list):
        return str(len(value))
    if value is None or isinstance(value, dict):
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.6g}"
    text = str(value).partition("\n")[0].replace("\t", " ")
    return to_local_time(text) if is_local else text


def _format_title(key: str) -> str:
    """Return `Display name` for `display_name`; a name that a query chose stays unchanged."""
    key = key.rpartition(".")[2]
    if key.islower() or "_" in key:
        words = key.replace("_", " ")
        return words[:1].upper() + words[1:]
    return key


def _render_line(cells: list[str], widths: list[int], has_colours: bool = False) -> str:
    shown = [_render_cell(cell, width, has_colours) for cell, width in zip(cells, widths, strict=False)]
    return _GAP.join(shown).rstrip()


def _render_cell(cell: str, width: int, has_colours: bool) -> str:
    text = cell if len(cell) <= width else f"{cell[: width - 1]}…"
    colour = _COLOURS.get(cell) if has_colours else None
    return f"{colour}{text}{_END}{' ' * (width - len(text))}" if colour else text.ljust(width)
