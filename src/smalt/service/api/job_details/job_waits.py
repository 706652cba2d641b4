"""Messages about what a followed job waits for: {"t": "wait", "name", "status", "waits_for"}."""

from __future__ import annotations

import math
import time
from collections.abc import Container
from typing import Any

from smalt.service.api.arm.job_shapes import get_shown_status
from smalt.service.engine.engine import Engine
from smalt.service.engine.wait_reasons import LOG_SAYS_MORE
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job

WAITING = ("NotStarted", "Queued", "Preparing")
_FIRST = 1.0
"""Seconds without a change after which a wait is told: most jobs start sooner."""
_AGAIN = 4.0
"""Seconds between looks at what it is, as the studio's."""


class WaitMessages:
    """The messages about what one followed job waits for: one when the wait begins to be long, and one for each change.

    Of a pipeline it is its first step that could start, while none of its steps runs.
    """

    def __init__(self, db: Database, engine: Engine, names: Container[int]) -> None:
        """Make the messages for a job and its descendants, whose ids are in `names`."""
        self._db = db
        self._engine = engine
        self._names = names
        self._due = 0.0
        self._told: tuple[int, str] | None = None
        self.note_change()

    def note_change(self) -> None:
        """Put the next look off: a job of the tree has just changed."""
        self._due = time.monotonic() + _FIRST

    def get_delay(self, top: Job) -> float:
        """Return the seconds until the next look; infinity for a job that waits for nothing."""
        may_wait = top.is_composite or top.status in WAITING
        return max(0.0, self._due - time.monotonic()) if may_wait else math.inf

    def find_message(self, top: Job) -> dict[str, Any] | None:
        """Return what the job waits for, if that is to be told now."""
        if self.get_delay(top) > 0:
            return None
        self._due = time.monotonic() + _AGAIN
        job = top if top.status in WAITING else jobs.find_idle_leaf(self._db, top.root_id)
        if job is None or job.id not in self._names:
            return None
        reason = self._engine.get_wait_reason(job).removesuffix(LOG_SAYS_MORE)  # the log is beside it
        if not reason or (job.id, reason) == self._told:
            return None
        self._told = job.id, reason
        return {"t": "wait", "name": job.name, "status": get_shown_status(job), "waits_for": reason}
