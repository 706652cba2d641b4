"""Curves in a terminal, of Braille dots or of plain characters.

plotext would draw them too. Version 5.3 takes 39 ms of CPU to import (6.1: 140 ms, 2.9 MB) and 10 ms for 1,000 points,
where this module takes 5 ms; it has no plain characters for its frame, leaves escape sequences in the text without
colours, and rounds the labels of the axes to two decimals.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

Points = Sequence[tuple[float, float]]

_ROWS = 11
_LEAST_COLUMNS = 20
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a Braille character, by row and column."""


@dataclass(frozen=True)
class _CurveStyle:
    across: int
    """Dots of one character, beside and below each other."""
    down: int
    side: str
    corner: str
    floor: str


_BRAILLE = _CurveStyle(2, 4, "┤", "└", "─")
_PLAIN = _CurveStyle(1, 1, "|", "+", "-")


def draw_curve(title: str, points: Points, x_name: str, columns: int, *, plain: bool = False) -> str:
    """Return a curve with its title and labelled axes, at most `columns` wide.

    A point whose value is not finite is a gap in the curve.
    """
    style = _PLAIN if plain else _BRAILLE
    drawn = [(x, y) for x, y in points if math.isfinite(y)]
    if not drawn:
        return f"{title}\n  no value is a finite number\n"
    low, high = _find_range([y for _, y in drawn])
    left, right = _find_range([x for x, _ in points])
    labels = [format_number(high), format_number(low / 2 + high / 2), format_number(low)]
    margin = max(len(label) for label in labels)
    width = max(_LEAST_COLUMNS, columns - margin - 3)
    canvas = _Canvas(width * style.across, _ROWS * style.down)
    for piece in _split_at_gaps(points):
        canvas.draw_line(
            [
                (
                    _scale_value(x, left, right, canvas.width),
                    canvas.height - 1 - _scale_value(y, low, high, canvas.height),
                )
                for x, y in piece
            ]
        )
    at = {0: labels[0], _ROWS // 2: labels[1], _ROWS - 1: labels[2]}
    lines = [
        f"{at.get(row, ''):>{margin}} {style.side if row in at else _get_wall(style)}{text}".rstrip()
        for row, text in enumerate(canvas.render_rows(style))
    ]
    floor = f"{'':>{margin}} {style.corner}{style.floor * width}"
    return "\n".join([title, *lines, floor, f"{'':>{margin}}  {_render_x_axis(left, right, x_name, width)}"]) + "\n"


def format_number(value: float) -> str:
    """Return a number in few characters."""
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


class _Canvas:
    """A raster of dots that are on or off."""

    def __init__(self, width: int, height: int) -> None:
        self.width = width
        self.height = height
        self._on: set[tuple[int, int]] = set()

    def draw_line(self, corners: Sequence[tuple[int, int]]) -> None:
        """Set the dots from corner to corner."""
        self._on.update(corners)
        for (x0, y0), (x1, y1) in pairwise(corners):
            steps = max(abs(x1 - x0), abs(y1 - y0))
            for step in range(1, steps):
                self._on.add((x0 + round((x1 - x0) * step / steps), y0 + round((y1 - y0) * step / steps)))

    def render_rows(self, style: _CurveStyle) -> Iterator[str]:
        for top in range(0, self.height, style.down):
            yield "".join(self._render_character(left, top, style) for left in range(0, self.width, style.across))

    def _render_character(self, left: int, top: int, style: _CurveStyle) -> str:
        if style is _PLAIN:
            return "*" if (left, top) in self._on else " "
        bits = sum(
            _DOTS[row][column]
            for row in range(style.down)
            for column in range(style.across)
            if (left + column, top + row) in self._on
        )
        return chr(0x2800 + bits) if bits else " "


def _get_wall(style: _CurveStyle) -> str:
    return "|" if style is _PLAIN else "│"


def _split_at_gaps(points: Points) -> Iterator[list[tuple[float, float]]]:
    """Yield the stretches between gaps."""
    piece: list[tuple[float, float]] = []
    for x, y in points:
        if math.isfinite(y):
            piece.append((x, y))
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _find_range(values: Sequence[float]) -> tuple[float, float]:
    """Return the least and the greatest value; a margin around them if they are equal."""
    low, high = min(values), max(values)
    if low == high:
        room = abs(low) * 0.1 or 1.0
        return low - room, high + room
    return low, high


def _scale_value(value: float, low: float, high: float, size: int) -> int:
    return min(size - 1, max(0, round((value / 2 - low / 2) / (high / 2 - low / 2) * (size - 1))))


def _render_x_axis(left: float, right: float, name: str, width: int) -> str:
    """Return the ends of the x axis with its name between them."""
    ends = (format_number(left), format_number(right))
    return ends[0] + name.center(max(len(name) + 2, width - len(ends[0]) - len(ends[1]))) + ends[1]
