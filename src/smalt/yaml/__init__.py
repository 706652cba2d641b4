"""Files to entities and back, with every error at its line and column."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.yaml.loading import load, load_text

if TYPE_CHECKING:
    from smalt.entities.schema.json_schema import json_schema
    from smalt.yaml.dumping import dump

__all__ = ["dump", "json_schema", "load", "load_text"]


def __getattr__(name: str) -> Any:
    """Import what only some commands need when it is first used."""
    if name == "dump":
        from smalt.yaml.dumping import dump

        return dump
    if name == "json_schema":
        from smalt.entities.schema.json_schema import json_schema

        return json_schema
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
