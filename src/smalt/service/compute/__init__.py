"""Backends, on which steps run: their protocols, the registry that finds a job's, and one folder per backend.

The engine (`service/engine`) decides what is to run, in which order and how often; compute never imports it.
"""

from __future__ import annotations

from smalt.service.compute.backend import Backend, Capacity, Exit, Runner
from smalt.service.compute.local.launcher_client import LauncherClient
from smalt.service.compute.registry import Computes
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import RunnableStep

__all__ = ["Backend", "Capacity", "Computes", "Exit", "LauncherClient", "RunnableStep", "Runner", "StepSpec"]
