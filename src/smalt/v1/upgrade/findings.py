"""Findings: a sentence for each use of SDK v1 in a program."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

State = Literal["changed", "differs", "person"]
"""`changed`: means the same. `differs`: changed, and `text` says what is not the same. `person`: left as it was."""


TODO = "TODO(smalt upgrade)"
"""The mark of the comments above what is left for a person."""


class Finding(NamedTuple):
    """A v1 name at a place of a file."""

    line: int
    column: int
    name: str
    state: State
    text: str = ""
    cell: int = 0
    """The cell of a notebook, from 1."""

    def format_line(self, file: str) -> str:
        words = {"changed": "changed", "differs": "changed", "person": "needs a person"}[self.state]
        behind = f": {self.text}" if self.text else ""
        place = f"{file}, cell {self.cell}, line {self.line}" if self.cell else f"{file}:{self.line}:{self.column}"
        return f"{place}: {self.name}: {words}{behind}{self._make_link()}"

    def _make_link(self) -> str:
        from smalt.v1.mapping import find_nearest_row

        if self.state == "changed" or find_nearest_row(self.name) is None:
            return ""
        return f" (docs/v1.md#{make_anchor(self.name)})"


def make_anchor(name: str) -> str:
    """Return the anchor of a v1 name's section in docs/v1.md: that of its class."""
    return name.split(".")[0].lower()


def count_lines(findings: Iterable[Finding]) -> dict[State, int]:
    """Return the number of lines by state; a line counts once, as the worst of its names."""
    worst: dict[tuple[int, int], State] = {}
    order: tuple[State, ...] = ("changed", "differs", "person")
    for one in findings:
        place = one.cell, one.line
        worst[place] = max(worst.get(place, "changed"), one.state, key=order.index)
    return {state: sum(1 for found in worst.values() if found == state) for state in order}
