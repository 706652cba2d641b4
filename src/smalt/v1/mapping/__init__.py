"""The table of SDK v1's names and their forms in v2.

docs/v1.md, the sentences for names that are not served, and the upgrade use it. `core`, `data` and `pipelines`
each have `ROWS` for the names of their part.
"""

from __future__ import annotations

from functools import cache

from smalt.v1.mapping import core
from smalt.v1.mapping.rows import MappedName, State

__all__ = ["MappedName", "State", "find_row", "list_rows"]


def list_rows() -> list[MappedName]:
    return [*core.ROWS]


@cache
def _index_rows() -> dict[str, MappedName]:
    return {row.name: row for row in list_rows()}


def find_row(name: str) -> MappedName | None:
    """Return the row of `Class`, `Class.member` or `function`."""
    return _index_rows().get(name)
