"""Migrations of the database, which are counted by their position."""

from __future__ import annotations

from importlib.resources import files


def test_migrations_are_numbered_without_a_gap() -> None:
    """Two of one number would change places when one is renamed, and break homes that are there."""
    names = sorted(path.name for path in files("smalt.service.records").joinpath("migrations").iterdir())
    assert [int(name.partition("_")[0]) for name in names] == list(range(1, len(names) + 1))
