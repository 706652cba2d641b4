"""Which Python is asked for, and which of those at hand is nearest to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from smalt.exceptions import Refused

Minor = tuple[int, int]
"""A Python as environments tell them apart: (3, 10)."""

NEWEST = "newest"
DEFAULT: Minor = (3, 10)
"""The Python of the service's own images, for who asks for none."""

_CLAUSE = re.compile(
    r"(===|==|~=|!=|>=|<=|=|>|<)?\s*(\d+)(?:\.(\d+|\*))?(?:\.(\d+|\*))?(?:\.?(?:\d+|\*|a|b|rc|dev|post))*"
)


_EQUAL = ("", "=", "==", "===", "~=")


class Clause(NamedTuple):
    operator: str
    major: int
    minor: int | None
    patch: int | None

    def allows(self, python: Minor) -> bool:
        if self.minor is None:
            return _holds(self.operator, python[0], self.major)
        here, asked = rank(python), rank((self.major, self.minor))
        if self.operator == "~=" and self.patch is None:
            return python[0] == self.major and here >= asked
        if self.patch is None or self.operator in _EQUAL:
            return _holds(self.operator, here, asked)
        # Within the minor version that the clause names, the patch version is left open.
        return self.operator == "!=" or here == asked or _holds(self.operator, here, asked)


class AskedPython:
    """A Python version as people write it: "3.8", "3.8.12", ">=3.8,<3.10", "newest", or "" for any.

    Two Pythons of one minor version count as the same: they run the same packages.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._clauses = [] if self.text in ("", NEWEST) else _clauses(self.text)

    def __str__(self) -> str:
        match = re.fullmatch(r"=*(\d[\d.]*?)(\.\*)?", self.text)
        return match[1] if match else self.text

    def allows(self, python: Minor) -> bool:
        return all(clause.allows(python) for clause in self._clauses)

    def nearest(self, available: Sequence[Minor]) -> Minor:
        """The newest that is allowed, else the one fewest versions away, the newer of two."""
        allowed = [python for python in available if self.allows(python)]
        if allowed and self.text:
            return max(allowed)
        wanted = self._wanted()
        return min(available, key=lambda python: (abs(rank(python) - wanted), -rank(python)))

    def _wanted(self) -> int:
        if not self._clauses:
            return rank(DEFAULT)
        clause = next((clause for clause in self._clauses if clause.operator != "!="), self._clauses[0])
        return rank((clause.major, clause.minor or 0))


def rank(python: Minor) -> int:
    """A number that grows with the version, so that distances can be told."""
    return (python[0] - 3) * 100 + python[1]


def _clauses(text: str) -> list[Clause]:
    clauses = []
    for part in text.split(","):
        match = _CLAUSE.fullmatch(part.strip())
        if match is None:
            raise Refused(f"'{text}' is not a Python version; write it as 3.10 or as >=3.8,<3.11")
        operator, major, minor, patch = match.groups()
        clauses.append(Clause(operator or "", int(major), _number(minor), _number(patch)))
    return clauses


def _number(text: str | None) -> int | None:
    return int(text) if text and text != "*" else None


def _holds(operator: str, here: int, asked: int) -> bool:
    if operator in _EQUAL:
        return here == asked
    if operator == "!=":
        return here != asked
    if operator == ">=":
        return here >= asked
    if operator == "<=":
        return here <= asked
    return here > asked if operator == ">" else here < asked
