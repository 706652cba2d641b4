"""The interface between scheduler and hand-over, and the hand-over switched off."""

from __future__ import annotations

import contextlib
from collections.abc import Collection
from typing import Protocol

from smalt.service.compute.backend import Backend
from smalt.service.compute.step import RunnableStep
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import Leaf
from smalt.service.engine.queues import LeafRun, Queues
from smalt.service.records.job_attempts import Attempt
from smalt.service.records.jobs import Job


class StepStarter(Protocol):
    """The part of the scheduler that a hand-over calls."""

    def may_go_on(self) -> bool:
        """Return False, and ask for another turn, once this turn has reused many steps."""

    def read_leaf(self, job: Job) -> Leaf: ...

    def end_if_reused(self, leaf: Leaf) -> bool:
        """Complete the job with the outputs of an identical one, if there is one; True if its end is recorded."""

    def record_step(self, run: LeafRun, step: RunnableStep, number: int, *statuses: str) -> None:
        """Record the attempt `number`, and send its step to the compute once the turn is committed."""


class NoHandOver:
    """Every step starts in its turn. `HandOver` overrides what it does earlier."""

    is_on = False

    def __init__(self, context: EngineContext, queues: Queues) -> None:
        self._context = context
        self._queues = queues
        self._ended: list[LeafRun] = []

    def reset(self, queues: Queues) -> None:
        """Go on with queues that were made again from the records."""
        self._queues = queues

    # In a turn

    def grant_free_slots(self) -> None:
        """Give free slots to the steps that wait at the compute, before any other step starts."""

    def hand_over(self, starter: StepStarter) -> None:
        """Send steps to the compute ahead of their turn, after free slots were given to the oldest leaves."""

    def pop_leaf(self, job: Job) -> Leaf | None:
        """Return the leaf of the job if it was read ahead of its turn."""
        return None

    def put_back(self, leaf: Leaf) -> None:
        """Keep a leaf whose turn has not come."""

    def note_step(self, run: LeafRun) -> None:
        """Note that a step was recorded."""

    def give_slot(self, run: LeafRun) -> None:
        """Give a slot to a step that waited at the compute and was started there."""

    def unblock_job(self, job: Job) -> bool:
        """Return True if the job, all of whose needs have completed now, waits at the compute."""
        return False

    def remove_waiting(self, job: Job) -> None:
        """Forget that the job waits at the compute, as it is about to be stopped."""

    def remove_dependents(self, job: Job) -> list[str]:
        """Take back the steps that wait for an attempt that is made again; return their ids, to be stopped."""
        return []

    def restore_waiting(self, job: Job, attempt: Attempt) -> bool:
        """Return True if the step waits at the compute without a slot, as was recorded before a reload."""
        return False

    def note_released(self) -> None:
        """Note that a job waits for only one other now."""

    def end_run(self, run: LeafRun) -> None:
        """Note that a run is over, so that its folder serves another step or is tidied up."""
        self._ended.append(run)

    def discard_leaf(self, job: Job) -> None:
        """Drop the leaf of a job that is over."""

    # When the compute reports

    def wants_turn_for_start(self) -> bool:
        """Return True if the start of a step makes room for another to be sent."""
        return False

    def may_batch(self, started: Collection[str], ended: int) -> bool:
        """Return True if no slot is idle, so that a turn for these starts and ends may wait for more of them."""
        return False

    # After a turn

    def start_granted(self) -> None:
        """Let the steps start that `grant_free_slots` gave slots, now that the turn is committed."""

    def drop_granted(self) -> None:
        """Start none of those steps: the turn was not committed."""

    @property
    def has_work(self) -> bool:
        """True if `work` has something to do even if no step was started."""
        return bool(self._ended)

    def run_prefetch(self) -> None:
        """Do what no step waits for: tidy up after those that ended."""
        while self._ended:
            release_folder(self._context, self._ended.pop())


def release_folder(context: EngineContext, run: LeafRun) -> None:
    """Remove the run's view of its environment; its folder serves no other step."""
    with contextlib.suppress(OSError):
        _find_backend(context, run).steps.recycle(run.view, str(run.step_id), is_untouched=False)


def recycle_folder(context: EngineContext, run: LeafRun) -> None:
    """Hand the folder on if the step left it as it was made; else remove the view of the environment in it."""
    with contextlib.suppress(OSError):
        _find_backend(context, run).steps.recycle(run.view, str(run.step_id), run.is_untouched)


def _find_backend(context: EngineContext, run: LeafRun) -> Backend:
    return run.leaf.backend(context, run.environment) if run.leaf else context.computes.default
