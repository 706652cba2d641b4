"""The names of `mldesigner.dsl` that smalt has."""

from __future__ import annotations

from smalt.dsl.groups import group

__all__ = ["group"]
