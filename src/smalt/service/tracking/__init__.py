"""MLflow behind smalt's own gate: the child that runs it, what lets calls through, the jobs' runs and models in it."""

from __future__ import annotations

from smalt.service.tracking.tracking import Tracking

__all__ = ["Tracking"]
