"""The leaf of a command, which the other leaf kinds extend: its step's spec and its data."""

from smalt.service.engine.kinds.leaf.leaf import Leaf
from smalt.service.engine.kinds.leaf.step_spec import GRACE

__all__ = ["GRACE", "Leaf"]
