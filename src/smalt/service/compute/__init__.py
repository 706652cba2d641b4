"""Where a step's processes run: one module per backend behind one small protocol."""

from __future__ import annotations

from smalt.service.compute.backend import Capacity, Compute, Exit, Step
from smalt.service.compute.local.backend import LocalCompute

__all__ = ["Capacity", "Compute", "Exit", "LocalCompute", "Step"]
