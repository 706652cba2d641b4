"""The names of `mldesigner.dsl` that smalt has."""

from __future__ import annotations

from smalt.dsl._condition import condition
from smalt.dsl._do_while import do_while
from smalt.dsl._parallel_for import parallel_for
from smalt.dsl.groups import group

__all__ = ["condition", "do_while", "group", "parallel_for"]
