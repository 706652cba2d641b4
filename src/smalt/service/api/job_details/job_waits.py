"""Messages about what a followed job waits for: {"t": "wait", "name", "status", "waits_for"}.

A stream has at most one wait at a time: each message replaces the one before, and an empty "waits_for" ends it.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Container
from typing import Any, NamedTuple

from smalt.service.api.arm.job_shapes import get_shown_status
from smalt.service.engine.engine import Engine
from smalt.service.engine.wait_descriptions import LOG_SAYS_MORE, describe_needs
from smalt.service.records import jobs
from smalt.service.records.database import Database
from smalt.service.records.jobs import WAITING, Job

_FIRST = 1.0
"""Seconds without a change after which a wait is reported: most jobs start sooner."""
_AGAIN = 4.0
"""Seconds between looks at what it is, as the studio's."""


class Wait(NamedTuple):
    """A wait of a job, and the reason."""

    job_id: int
    reason: str


class WaitReporter:
    """Reports what one followed job waits for: when the wait has lasted a second, at each change, and at its end.

    Of a pipeline it is the step that starts next, while none of its steps runs.
    """

    def __init__(self, db: Database, engine: Engine, names: Container[int]) -> None:
        """Make the reporter for a job and its descendants, whose ids are in `names`."""
        self._db = db
        self._engine = engine
        self._names = names
        self._due = 0.0
        self._last_reported: Wait | None = None
        """The wait that the reader knows of; None if it has ended."""
        self.note_change()

    def note_change(self) -> None:
        """Put the next look off: a job of the tree has just changed."""
        self._due = time.monotonic() + _FIRST

    def get_delay(self, top: Job) -> float:
        """Return the seconds until the next look; infinity for a job that waits for nothing."""
        may_wait = top.is_composite or top.status in WAITING
        return max(0.0, self._due - time.monotonic()) if may_wait else math.inf

    async def find_message(self, top: Job) -> dict[str, Any] | None:
        """Return what the job waits for, or that it no longer waits, if that is to be reported now."""
        if self._last_reported is not None and self._has_ended(self._last_reported):
            return self._report_end()
        if self.get_delay(top) > 0:
            return None
        self._due = time.monotonic() + _AGAIN
        job = top if top.status in WAITING else self._engine.find_waiting_leaf(self._names)
        reason = "" if job is None else await self._find_reason(job)
        if job is None or not reason:
            return self._report_end()
        if Wait(job.id, reason) == self._last_reported:
            return None
        self._last_reported = Wait(job.id, reason)
        return _build_message(job, reason)

    def _has_ended(self, wait: Wait) -> bool:
        """Return True if the job has started since, or another one of the tree has."""
        job = jobs.find_job(self._db, wait.job_id)
        return job is None or job.status not in WAITING or self._engine.runs_any(self._names)

    def _report_end(self) -> dict[str, Any] | None:
        """Return the message that nothing waits any more; None if the reader knows."""
        last, self._last_reported = self._last_reported, None
        job = None if last is None else jobs.find_job(self._db, last.job_id)
        return None if job is None else _build_message(job, "")

    async def _find_reason(self, job: Job) -> str:
        """Return what the job waits for; its siblings, which may be many, are read in a thread."""
        if job.waiting:
            return await asyncio.to_thread(self._describe_needs, job)
        return self._engine.get_wait_reason(job).removesuffix(LOG_SAYS_MORE)  # the log is beside it

    def _describe_needs(self, job: Job) -> str:
        with self._db.open_reader() as db:
            return describe_needs(db, job)


def _build_message(job: Job, reason: str) -> dict[str, Any]:
    return {"t": "wait", "name": job.name, "status": get_shown_status(job), "waits_for": reason}
