"""Python versions: the one that an environment declares, and the nearest of those on this machine."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from smalt.exceptions import RefusedError

Minor = tuple[int, int]
"""A Python as environments tell them apart: (3, 10)."""

NEWEST = "newest"
DEFAULT: Minor = (3, 10)
"""The Python of the service's own images, for who asks for none."""

_CLAUSE = re.compile(
    r"(===|==|~=|!=|>=|<=|=|>|<)?\s*(\d+)(?:\.(\d+|\*))?(?:\.(\d+|\*))?(?:\.?(?:\d+|\*|a|b|rc|dev|post))*"
)


_EQUAL = ("", "=", "==", "===", "~=")


class VersionClause(NamedTuple):
    """A clause of a version constraint, such as `>=3.8`."""

    operator: str
    major: int
    minor: int | None
    patch: int | None

    def allows(self, python: Minor) -> bool:
        if self.minor is None:
            return _is_satisfied(self.operator, python[0], self.major)
        here, asked = get_rank(python), get_rank((self.major, self.minor))
        if self.operator == "~=" and self.patch is None:
            return python[0] == self.major and here >= asked
        if self.patch is None or self.operator in _EQUAL:
            return _is_satisfied(self.operator, here, asked)
        # Within the minor version that the clause names, the patch version is left open.
        return self.operator == "!=" or here == asked or _is_satisfied(self.operator, here, asked)


class PythonConstraint:
    """A Python version as people write it: "3.8", "3.8.12", ">=3.8,<3.10", "newest", or "" for any.

    Two Pythons of one minor version are equal: they run the same packages.
    """

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._clauses = [] if self.text in ("", NEWEST) else _parse_clauses(self.text)

    def __str__(self) -> str:
        match = re.fullmatch(r"=*(\d[\d.]*?)(\.\*)?", self.text)
        return match[1] if match else self.text

    def allows(self, python: Minor) -> bool:
        return all(clause.allows(python) for clause in self._clauses)

    def find_nearest(self, available: Sequence[Minor]) -> Minor:
        """Return the newest allowed version, else the one fewest versions away; of two, the newer."""
        allowed = [python for python in available if self.allows(python)]
        if allowed and self.text:
            return max(allowed)
        wanted = self._get_wanted_rank()
        return min(available, key=lambda python: (abs(get_rank(python) - wanted), -get_rank(python)))

    def _get_wanted_rank(self) -> int:
        if not self._clauses:
            return get_rank(DEFAULT)
        clause = next((clause for clause in self._clauses if clause.operator != "!="), self._clauses[0])
        return get_rank((clause.major, clause.minor or 0))


def get_rank(python: Minor) -> int:
    """Return a number that grows with the version, so that distances can be computed."""
    return (python[0] - 3) * 100 + python[1]


def _parse_clauses(text: str) -> list[VersionClause]:
    clauses = []
    for part in text.split(","):
        match = _CLAUSE.fullmatch(part.strip())
        if match is None:
            raise RefusedError(f"'{text}' is not a Python version; write it as 3.10 or as >=3.8,<3.11")
        operator, major, minor, patch = match.groups()
        clauses.append(VersionClause(operator or "", int(major), _parse_number(minor), _parse_number(patch)))
    return clauses


def _parse_number(text: str | None) -> int | None:
    return int(text) if text and text != "*" else None


def _is_satisfied(operator: str, here: int, asked: int) -> bool:
    if operator in _EQUAL:
        return here == asked
    if operator == "!=":
        return here != asked
    if operator == ">=":
        return here >= asked
    if operator == "<=":
        return here <= asked
    return here > asked if operator == ">" else here < asked
