"""The steps that wait at the launcher without a slot."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from smalt.service.engine.queues import LeafRun, Queues
from smalt.service.engine.slots import SlotRequest
from smalt.service.records.job_attempts import Attempt
from smalt.service.records.jobs import Job

_WAITING_EACH, _MOST_WAITING = 16, 64
"""Steps that wait for each that runs, and for all: enough for the ends of quick ones to share a commit."""


class WaitingSteps:
    """Steps at the launcher that have no slot yet, in the two queues that the launcher itself keeps.

    A step in `waiting` starts when another ends well, or when the engine gives it a slot. A step in `blocked` was
    handed over before the step that it needs has ended; it joins `waiting` once that has completed.
    """

    def __init__(self, queues: Queues) -> None:
        self._queues = queues
        self.waiting: dict[int, LeafRun] = {}
        """By job, oldest first."""
        self.blocked: dict[int, LeafRun] = {}
        """By job."""

    @property
    def wants_more_waiting(self) -> bool:
        """True if every slot is taken and too few steps wait for those that run."""
        return self._queues.slots.all_taken and len(self.waiting) < self._limit

    @property
    def wants_more_blocked(self) -> bool:
        return len(self.blocked) < self._limit

    def have_replaced(self, started: Collection[str], ended: int) -> bool:
        """Return True if every ended step was already replaced by a waiting one and enough still wait."""
        steps = self._queues.steps
        replaced = sum(step_id in steps and not steps[step_id].grant for step_id in started)
        left = len(self.waiting) + len(self.blocked) - replaced
        return ended <= replaced and 2 * left >= self._limit

    @property
    def _limit(self) -> int:
        """The number of steps that may wait for those that run."""
        most, running = min(self._queues.slots.cpus, _MOST_WAITING // _WAITING_EACH), 0
        for run in self._queues.runs.values():  # those that run are the oldest, so the first few are enough
            if run.grant and run.step_id and not run.task and run.queue in (None, self._queues.local):
                running += 1
            if running >= most:
                break
        return _WAITING_EACH * running

    def add_waiting(self, job: Job, attempt: Attempt | None = None) -> LeafRun:
        """Add a leaf that waits only for a slot."""
        run = self.waiting[job.id] = self._add_run(job, attempt)
        return run

    def add_blocked(self, job: Job, attempt: Attempt | None = None) -> LeafRun:
        """Add a leaf that needs another, which has not ended."""
        run = self.blocked[job.id] = self._add_run(job, attempt)
        return run

    def _add_run(self, job: Job, attempt: Attempt | None) -> LeafRun:
        run = self._queues.runs[job.id] = LeafRun(job, None)
        if attempt:
            self._queues.set_step(run, attempt.step_id, attempt.number, attempt.environment)
        return run

    def unblock_job(self, job: Job) -> bool:
        """Let the job wait for a slot if it was blocked; return True if it was handed over."""
        if job.id in self.blocked:
            self.waiting[job.id] = self.blocked.pop(job.id)
        return job.id in self._queues.runs

    def remove_job(self, job: Job) -> None:
        self.waiting.pop(job.id, None)
        self.blocked.pop(job.id, None)

    def grant_free_slots(self) -> Iterator[LeafRun]:
        """Give free slots to the oldest; yield each that got one."""
        slots = self._queues.slots
        while self.waiting and slots.any_free:
            run = self.waiting.pop(next(iter(self.waiting)))
            run.grant = slots.take_free(SlotRequest())
            yield run

    def give_slot(self, run: LeafRun) -> None:
        """Give a slot to a step that the launcher has started, even if none is free: it took the place of another."""
        self.remove_job(run.job)
        if run.grant is None:
            run.grant = self._queues.slots.take_any(SlotRequest())
