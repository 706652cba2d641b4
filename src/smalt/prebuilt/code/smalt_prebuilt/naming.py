"""Names for new columns that the table does not have yet."""

from __future__ import annotations

from collections.abc import Collection


def make_new_name(name: str, taken: Collection[str]) -> str:
    """Return the name, with a number behind it if a column has it: `price (2)`."""
    if name not in taken:
        return name
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
