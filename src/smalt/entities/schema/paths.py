"""Paths that programs give as objects."""

from __future__ import annotations

from typing import Any


def as_text(value: Any) -> Any:
    """Return the text of a `pathlib.Path` or the like, and any other value unchanged."""
    return value.__fspath__() if hasattr(type(value), "__fspath__") else value
