"""The table of SDK v1's names and their forms in v2.

docs/v1.md, the sentences for names that are not served, and the upgrade use it. Each module has `ROWS` for the names
of its part; of a name that stands in several, the first counts.
"""

from __future__ import annotations

from functools import cache

from smalt.v1.mapping import computes, core, data, others, pipelines
from smalt.v1.mapping.rows import MappedName, State

__all__ = ["MappedName", "State", "find_row", "list_rows"]


def list_rows() -> list[MappedName]:
    found: dict[str, MappedName] = {}
    for part in (core, computes, data, pipelines, others):
        for row in part.ROWS:
            found.setdefault(row.name, row)
    return list(found.values())


@cache
def _index_rows() -> dict[str, MappedName]:
    return {row.name: row for row in list_rows()}


def find_row(name: str) -> MappedName | None:
    """Return the row of `Class`, `Class.member` or `function`."""
    return _index_rows().get(name)


def find_nearest_row(name: str) -> MappedName | None:
    """Return the row of a name, else that of what it is a member of."""
    while name:
        row = find_row(name)
        if row is not None:
            return row
        name = name.rpartition(".")[0]
    return None
