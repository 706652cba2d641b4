"""Plain tables: a heading, a rule, a line for each row; no package needed. On a terminal they fit its width."""

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


class Screen(NamedTuple):
    """Where a table is shown: on a terminal of a width, with colours or not; or, without a width, in a pipe."""

    width: int | None = None
    has_colours: bool = False


PIPE = Screen()


def render(data: Any, columns: tuple[str, ...] = (), screen: Screen = PIPE) -> str:
    """Return `data`, a mapping or a list of them, as a table; with `columns` only those of them that some row has."""
    rows = [_row(item) for item in (data if isinstance(data, list) else [data])]
    heads = _heads(rows, columns)
    if not rows or not heads:
        return ""
    cells = [[_text(_at(row, head), is_local=screen.width is not None) for head in heads] for row in rows]
    return lay_out([_title(head) for head in heads], cells, screen)


def lay_out(titles: list[str], cells: list[list[str]], screen: Screen = PIPE) -> str:
    """Return columns under their titles, as wide as they need to be; narrower where the screen is."""
    widths = [max(len(line[index]) for line in [titles, *cells]) for index in range(len(titles))]
    if screen.width is not None:
        widths = fitted(widths, screen.width)
    lines = [_line(titles, widths), _line(["-" * width for width in widths], widths)]
    lines += [_line(line, widths, screen.has_colours) for line in cells]
    if missing := titles[len(widths) :]:
        lines += textwrap.wrap(f"({', '.join(missing)}: see --output json)", screen.width or len(lines[0]))
    return "".join(f"{line}\n" for line in lines)


def fitted(widths: Sequence[int], room: int) -> list[int]:
    """Return widths that fit: the widest columns but the first are shortened; then the last ones are left out."""
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


def local_time(text: str) -> str:
    """Return a time in UTC as this machine's clocks show it, with the zone; any other text as it is."""
    if not _TIME.match(text):
        return text
    moment = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    return f"{moment:%Y-%m-%d %H:%M} {moment:%Z}"


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


def _text(value: Any, *, is_local: bool) -> str:
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
    return local_time(text) if is_local else text


def _title(key: str) -> str:
    """`display_name` is headed "Display name"; a name that the query chose stays."""
    key = key.rpartition(".")[2]
    if key.islower() or "_" in key:
        words = key.replace("_", " ")
        return words[:1].upper() + words[1:]
    return key


def _line(cells: list[str], widths: list[int], has_colours: bool = False) -> str:
    shown = [_cell(cell, width, has_colours) for cell, width in zip(cells, widths, strict=False)]
    return _GAP.join(shown).rstrip()


def _cell(cell: str, width: int, has_colours: bool) -> str:
    text = cell if len(cell) <= width else f"{cell[: width - 1]}…"
    colour = _COLOURS.get(cell) if has_colours else None
    return f"{colour}{text}{_END}{' ' * (width - len(text))}" if colour else text.ljust(width)
