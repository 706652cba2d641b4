"""MLflow behind smalt's access checks: its process, the requests that reach it, and the jobs' runs and models in it.

What MLflow's clients may ask is decided here; smalt's own routes over metrics belong to `service/api/native`.
"""

from __future__ import annotations

from smalt.service.tracking.tracking import Tracking

__all__ = ["Tracking"]
