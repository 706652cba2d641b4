"""Clients that follow a job by polling its details."""

from __future__ import annotations

import time

from smalt.service.records.jobs import Job

_LONGEST_PAUSE = 90.0
"""Seconds; azure-ai-ml asks every 60 s at the least."""
_MOST = 4096


class JobFollowers:
    """Recognises the first poll of a client that follows a job.

    `jobs.stream` of azure-ai-ml prints the log from its second poll on, so a client that begins after the job's end
    must not see the end in the first answer. A poll does not name its stream: caller and job identify it.
    """

    def __init__(self) -> None:
        self._asked: dict[tuple[str, int], float] = {}

    def is_late_start(self, principal: str, job: Job) -> bool:
        """True if this poll is the first of a stream and the job is over.

        Two concurrent streams of one caller cost one of them an extra poll or, if one begins as the other ends, its
        log.
        """
        now, key = time.monotonic(), (principal, job.id)
        before = self._asked.pop(key, None)
        follows = before is not None and now - before < _LONGEST_PAUSE
        if not (job.is_over and follows):
            self._asked[key] = now
            self._remove_stale(now)
        return job.is_over and not follows

    def _remove_stale(self, now: float) -> None:
        if len(self._asked) > _MOST:
            self._asked = {key: asked for key, asked in self._asked.items() if now - asked < _LONGEST_PAUSE}
