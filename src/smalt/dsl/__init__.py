"""The verbs that make entities in Python."""

from __future__ import annotations

from smalt.dsl.builders import command

__all__ = ["command"]
