"""The hand-over: steps that are sent to the launcher, and folders that are made, ahead of their turn.

The scheduler beside it (`queues.py`, `dispatch.py`) works without it; docs/internals/handover.md has its rules.
"""

from __future__ import annotations

from smalt.service.engine.handover.handover import HandOver
from smalt.service.engine.handover.no_handover import NoHandOver, StepStarter

__all__ = ["HandOver", "NoHandOver", "StepStarter"]
