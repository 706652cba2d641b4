"""The state of a followed job and its steps, built from the events of its stream."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smalt.client.jobs.sweep_progress import SweepProgress, SweepTracker
from smalt.client.jobs.wait_lines import WaitLines
from smalt.client.transfers.progress import format_duration as format_duration

OVER = frozenset({"Completed", "Failed", "Canceled"})
COMPOSITE = frozenset({"pipeline", "sweep", "parallel", "automl"})
_TAIL = 20


@dataclass
class FollowedJob:
    """A followed job or one of its descendants."""

    name: str
    node: str = ""
    parent: str | None = None
    type: str = ""
    status: str = "NotStarted"
    start: float | None = None
    end: float | None = None
    error: Any = None
    waits_for: str = ""
    reused: str = ""
    """The job whose outputs it has."""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    children: list[str] = field(default_factory=list)
    last_shown: int = 0
    """The number of the last line of its log among all lines that were shown."""
    progress: SweepProgress | None = None
    """The trials of a sweep."""
    sweep: str = ""
    """The sweep whose trial it is, or is a part of."""
    is_explained: bool = False
    """The end of its log was shown when it failed."""

    @property
    def is_over(self) -> bool:
        return self.status in OVER

    @property
    def seconds(self) -> float | None:
        if self.start is None:
            return None
        return max(0.0, (self.end or time.time()) - self.start)

    @property
    def reason(self) -> str:
        """The server's message why the job failed."""
        error = self.error.get("error", self.error) if isinstance(self.error, dict) else self.error
        message = error.get("message") if isinstance(error, dict) else error
        return str(message or "").strip()


class JobWatch:
    """All jobs of a followed tree."""

    def __init__(self, root: str) -> None:
        self.root = FollowedJob(root)
        self.jobs: dict[str, FollowedJob] = {root: self.root}
        self.status = ""
        self.tracker = SweepTracker()
        self._wait_lines = WaitLines()
        self._waiting = self.root
        """The job that the last "wait" event was about: a stream has one wait at a time."""
        self.shown = 0
        """Lines of logs that were shown."""

    def record_line(self, job: FollowedJob, line: str) -> None:
        """Record a line of the job's log that was printed."""
        job.tail.append(line)
        self.shown += 1
        job.last_shown = self.shown

    def is_tail_visible(self, job: FollowedJob) -> bool:
        """Return True if the end of the job's log is a few lines above."""
        return bool(job.tail) and self.shown - job.last_shown < _TAIL

    def apply_event(self, event: dict[str, Any]) -> tuple[FollowedJob, str]:
        """Apply a "job" event, and return the job and its previous status."""
        job = self._get_job(str(event["name"]))
        before = job.status
        parent = event.get("parent")
        if parent and job is not self.root and job.parent is None:
            job.parent = str(parent)
            self._get_job(job.parent).children.append(job.name)
        job.node = str(event.get("node") or job.node or job.name)
        job.type = str(event.get("type") or job.type).lower()
        job.status = str(event.get("status") or job.status)
        job.start = parse_time(event.get("start"), job.start)
        job.end = parse_time(event.get("end"), job.end)
        if job.status == "Canceled" and job.start == job.end:
            job.start = None  # it never began
        if job.status != before:
            job.waits_for = ""
        job.error = event.get("error") or job.error
        job.reused = str(event.get("reused") or job.reused)
        if job.status == "Completed":
            job.tail.clear()
            job.notes.clear()
        self.tracker.add_event({**event, "node": job.node})
        job.progress, job.sweep = self.tracker.sweeps.get(job.name), self.tracker.get_sweep(job.name)
        return job, before

    def apply_wait(self, event: dict[str, Any]) -> str | None:
        """Apply a "wait" event, which replaces the one before; return a line that says what the job waits for.

        None if the wait has ended, or was described before.
        """
        self.clear_wait()
        self._waiting = job = self._get_job(str(event["name"]))
        job.waits_for = str(event["waits_for"])
        return self._wait_lines.make_line(event, self.get_label(job))

    def make_delayed_wait_line(self) -> str | None:
        """Return a line about a wait that could not be said before, if it is due."""
        return self._wait_lines.make_delayed_line()

    def clear_wait(self) -> None:
        """Forget what a job waits for."""
        self._waiting.waits_for = ""

    @property
    def is_composite(self) -> bool:
        return self.root.type in COMPOSITE or len(self.jobs) > 1

    def get_label(self, job: FollowedJob) -> str:
        """Return the job's path in the tree, such as `train` or `outer/inner`; "" for the root."""
        names: list[str] = []
        here: FollowedJob | None = job
        while here is not None and here is not self.root:
            names.append(here.node or here.name)
            here = self.jobs.get(here.parent or "")
        return "/".join(reversed(names))

    def find_failures(self) -> list[FollowedJob]:
        """Return the jobs that made the others fail, which failed without a failed child, in order of time."""
        failed = [
            job
            for job in self.jobs.values()
            if job.status == "Failed" and (not job.sweep or self.jobs[job.sweep].status == "Failed")
        ]
        causes = [job for job in failed if not any(self.jobs[name].status == "Failed" for name in job.children)]
        return sorted(causes, key=lambda job: job.end or 0.0)

    def count_statuses(self) -> Counter[str]:
        """Return the number of steps (jobs without children, except the root) by status.

        A sweep counts as one step; of a followed sweep the trials are counted.
        """
        if self.root.progress is not None:
            return self.root.progress.counts
        return Counter(
            job.status
            for job in self.jobs.values()
            if job is not self.root and not job.sweep and (not job.children or job.progress is not None)
        )

    def format_counts(self) -> str:
        """Return the counts as text: `3 Completed (2 reused), 1 Failed`."""
        reused = sum(bool(job.reused) for job in self.jobs.values() if not job.sweep or job.parent == self.root.name)
        return ", ".join(
            f"{number} {status}{f' ({reused} reused)' if reused and status == 'Completed' else ''}"
            for status, number in self.count_statuses().most_common()
        )

    def _get_job(self, name: str) -> FollowedJob:
        return self.jobs.setdefault(name, FollowedJob(name))


def parse_time(value: Any, otherwise: float | None = None) -> float | None:
    """Return an event's time, a number or an ISO 8601 text, in seconds since the epoch."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return otherwise
