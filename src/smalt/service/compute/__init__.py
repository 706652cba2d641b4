"""Where a step's processes run: one module per backend behind one small protocol."""

from __future__ import annotations

from smalt.service.compute.backend import Capacity, Compute, Exit, Step
from smalt.service.compute.local.launcher_client import LauncherClient

__all__ = ["Capacity", "Compute", "Exit", "LauncherClient", "Step"]
