"""What is known of a job that is being followed, from the events of its stream."""

from __future__ import annotations

import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smalt.client.transfers.progress import duration as duration

OVER = frozenset({"Completed", "Failed", "Canceled"})
COMPOSITE = frozenset({"pipeline", "sweep", "parallel", "automl"})
_TAIL = 20


@dataclass
class Followed:
    """One job of the tree: the job itself or a descendant of it."""

    name: str
    node: str = ""
    parent: str | None = None
    type: str = ""
    status: str = "NotStarted"
    start: float | None = None
    end: float | None = None
    error: Any = None
    reused: str = ""
    """The job whose outputs it has."""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    notes: deque[str] = field(default_factory=lambda: deque(maxlen=_TAIL))
    children: list[str] = field(default_factory=list)
    last_shown: int = 0
    """The number of the last line of its log among all lines that were shown."""

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
        """Why it failed, in the server's words."""
        error = self.error.get("error", self.error) if isinstance(self.error, dict) else self.error
        message = error.get("message") if isinstance(error, dict) else error
        return str(message or "").strip()


class Watch:
    """All jobs of one tree."""

    def __init__(self, root: str) -> None:
        self.root = Followed(root)
        self.jobs: dict[str, Followed] = {root: self.root}
        self.status = ""
        self.shown = 0
        """Lines of logs that were shown."""

    def show(self, job: Followed, line: str) -> None:
        """Note a line of the job's log that is shown."""
        job.tail.append(line)
        self.shown += 1
        job.last_shown = self.shown

    def is_still_seen(self, job: Followed) -> bool:
        """Return whether the end of the job's log stands a few lines above."""
        return bool(job.tail) and self.shown - job.last_shown < _TAIL

    def update(self, event: dict[str, Any]) -> tuple[Followed, str]:
        """Take a "job" event; the job and the status that it had."""
        job = self._job(str(event["name"]))
        before = job.status
        parent = event.get("parent")
        if parent and job is not self.root and job.parent is None:
            job.parent = str(parent)
            self._job(job.parent).children.append(job.name)
        job.node = str(event.get("node") or job.node or job.name)
        job.type = str(event.get("type") or job.type).lower()
        job.status = str(event.get("status") or job.status)
        job.start = seconds_since_epoch(event.get("start"), job.start)
        job.end = seconds_since_epoch(event.get("end"), job.end)
        if job.status == "Canceled" and job.start == job.end:
            job.start = None  # it never began
        job.error = event.get("error") or job.error
        job.reused = str(event.get("reused") or job.reused)
        if job.status == "Completed":
            job.tail.clear()
            job.notes.clear()
        return job, before

    @property
    def is_composite(self) -> bool:
        return self.root.type in COMPOSITE or len(self.jobs) > 1

    def label(self, job: Followed) -> str:
        """Where it stands in the tree: `train`, `outer/inner`; nothing for the job itself."""
        names: list[str] = []
        here: Followed | None = job
        while here is not None and here is not self.root:
            names.append(here.node or here.name)
            here = self.jobs.get(here.parent or "")
        return "/".join(reversed(names))

    def failures(self) -> list[Followed]:
        """The jobs whose failing made the others fail: failed, with no failed child; in order of time."""
        failed = [job for job in self.jobs.values() if job.status == "Failed"]
        causes = [job for job in failed if not any(self.jobs[name].status == "Failed" for name in job.children)]
        return sorted(causes, key=lambda job: job.end or 0.0)

    def counts(self) -> Counter[str]:
        """How many of the steps (jobs without children, the job itself left out) are in each state."""
        return Counter(job.status for job in self.jobs.values() if job is not self.root and not job.children)

    def told_counts(self) -> str:
        """The same in words, `3 Completed (2 reused), 1 Failed`."""
        reused = sum(bool(job.reused) for job in self.jobs.values())
        return ", ".join(
            f"{number} {status}{f' ({reused} reused)' if reused and status == 'Completed' else ''}"
            for status, number in self.counts().most_common()
        )

    def _job(self, name: str) -> Followed:
        return self.jobs.setdefault(name, Followed(name))


def seconds_since_epoch(value: Any, otherwise: float | None = None) -> float | None:
    """A time of an event, which is a number or an ISO 8601 text."""
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).timestamp()
    return otherwise
