"""The policy that sends steps to the launcher ahead of their turn."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Collection

from smalt.entities import Input
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.service.data.job_data import access_modes
from smalt.service.engine.context import EngineContext
from smalt.service.engine.handover.no_handover import NoHandOver, StepStarter
from smalt.service.engine.handover.prefetch import Prefetcher
from smalt.service.engine.handover.waiting_steps import WaitingSteps
from smalt.service.engine.kinds import Leaf
from smalt.service.engine.queues import LeafRun, Queues
from smalt.service.engine.slots import SlotGrant, SlotRequest
from smalt.service.engine.step_reuse import StepReuse
from smalt.service.records import job_attempts, job_needs, jobs
from smalt.service.records.job_attempts import Attempt
from smalt.service.records.jobs import Job
from smalt.wire.encoding import artifact_paths

_NO_SLOT_YET = SlotGrant(1, ())
_MOST_NEEDED = 64
_MOST_DEPENDENTS = 16
_ARTIFACTS = f"/{artifact_paths.PREFIX}"


class HandOver(NoHandOver):
    """Keep steps waiting at the launcher, which starts the next one when another ends well.

    No commit and no message lies between the two then. docs/internals/handover.md says which steps may wait there.
    """

    is_on = True

    def __init__(self, context: EngineContext, queues: Queues, reusing: StepReuse) -> None:
        super().__init__(context, queues)
        self._db = context.db
        self._reusing = reusing
        self._prefetcher = Prefetcher(context, reusing)
        self.reset(queues)

    def reset(self, queues: Queues) -> None:
        super().reset(queues)
        self._prefetcher.look_again()
        self._waiting = WaitingSteps(queues)
        self._needed: deque[int] = deque(maxlen=_MOST_NEEDED)
        """Jobs with a step at the launcher, whose dependents have not been looked at yet."""
        self._granted: list[str] = []

    def grant_free_slots(self) -> None:
        self._granted += [str(run.step_id) for run in self._waiting.grant_free_slots()]

    def hand_over(self, starter: StepStarter) -> None:
        queues, waiting, compute = self._queues, self._waiting, self._context.computes.default.runner
        while queues.ready and waiting.wants_more_waiting and compute.accepts_waiting_steps and starter.may_go_on():
            job = jobs.find_waiting(self._db, queues.ready[0])
            if job is not None and not self._queue_at_launcher(starter, job):
                return
            queues.ready.popleft()
        while self._needed and waiting.wants_more_blocked and compute.accepts_waiting_steps:
            self._hand_over_dependents(starter, self._needed.popleft())

    def pop_leaf(self, job: Job) -> Leaf | None:
        return self._prefetcher.pop(job)

    def put_back(self, leaf: Leaf) -> None:
        self._prefetcher.put_back(leaf)

    def note_step(self, run: LeafRun) -> None:
        self._needed.append(run.job.id)

    def give_slot(self, run: LeafRun) -> None:
        self._waiting.give_slot(run)

    def unblock_job(self, job: Job) -> bool:
        return self._waiting.unblock_job(job)

    def remove_waiting(self, job: Job) -> None:
        self._waiting.remove_job(job)

    def remove_dependents(self, job: Job) -> list[str]:
        blocked = [one for one in job_needs.list_dependents(self._db, job) if one.id in self._waiting.blocked]
        steps = [str(self._waiting.blocked[one.id].step_id) for one in blocked]
        for one in blocked:
            self._waiting.remove_job(one)
        return steps

    def restore_waiting(self, job: Job, attempt: Attempt) -> bool:
        (self._waiting.add_blocked if job.waiting else self._waiting.add_waiting)(job, attempt)
        return True

    def note_released(self) -> None:
        self._prefetcher.look_again()

    def end_run(self, run: LeafRun) -> None:
        self._waiting.remove_job(run.job)
        self._prefetcher.recycle(run)

    def discard_leaf(self, job: Job) -> None:
        self._prefetcher.discard(job)

    def wants_turn_for_start(self) -> bool:
        is_late = bool(self._needed) and self._waiting.wants_more_blocked  # the compute was not up in their turn
        return is_late or (bool(self._queues.ready) and self._waiting.wants_more_waiting)

    def may_batch(self, started: Collection[str], ended: int) -> bool:
        return self._waiting.have_replaced(started, ended)

    def drop_granted(self) -> None:
        self._granted = []

    def start_granted(self) -> None:
        granted, self._granted = self._granted, []
        for step_id in granted:
            self._context.computes.start_waiting(step_id)

    @property
    def has_work(self) -> bool:
        return self._prefetcher.has_work

    def run_prefetch(self) -> None:
        self._prefetcher.run(self._queues)

    def _hand_over_dependents(self, starter: StepStarter, needed_id: int) -> None:
        """Queue the leaves that wait only for this job, to start once its step did well.

        The outputs of the job have to be in their place when its command ends, and none of them may be read earlier:
        a path is known beforehand, a value is not.
        """
        needed = self._queues.runs.get(needed_id)
        if needed is None or needed.leaf is None or not needed.step_id or not needed.leaf.finishes_quickly:
            return
        if needed.queue not in (None, self._queues.local):
            return
        dependents = job_needs.list_waiting_only_for(self._db, needed.job, _MOST_DEPENDENTS)
        left = len(dependents)
        for job in dependents:
            is_local = self._queues.find_queue(job) is self._queues.local
            if self._waiting.wants_more_blocked and is_local:
                left -= self._queue_at_launcher(starter, job, (needed.step_id,))
        if not left and len(dependents) < _MOST_DEPENDENTS:
            self._prefetcher.note_without_dependents(needed.job)

    def _queue_at_launcher(self, starter: StepStarter, job: Job, after: tuple[str, ...] = ()) -> bool:
        """Queue the job at the launcher, to start once every step in `after` succeeded and a slot frees.

        False if it has to wait here: what may fail, take long or read data too early starts in its own turn.
        """
        try:
            leaf = starter.read_leaf(job)
            leaf.locate(self._context)
        except Exception:
            return False
        environment = self._context.environments.find_built(leaf.environment)
        is_early = not leaf.is_quick(self._context) or _reads_early(leaf, after) or leaf.has_movable_input()
        if (
            environment is None
            or leaf.request != SlotRequest()
            or is_early
            or self._shares_output(leaf)
            or not self._reusing.judge_within_turn(leaf, environment, is_early=bool(after))
        ):
            self._prefetcher.put_back(leaf)
            return False
        if starter.end_if_reused(leaf):
            return True
        number = job_attempts.get_last_attempt_number(self._db, job) + 1
        try:
            step, view = leaf.prepare_step(self._context, environment, _NO_SLOT_YET, number)
        except Exception:
            self._prefetcher.put_back(leaf)
            return False
        run = self._waiting.add_blocked(job) if after else self._waiting.add_waiting(job)
        run.leaf, run.environment, run.view = leaf, environment, view
        starter.record_step(run, step._replace(after=after), number, "Queued")
        return True

    def _shares_output(self, leaf: Leaf) -> bool:
        """Return True if an unfinished job writes where this one will.

        That job's output may become a registered version before this one starts.
        """
        mine = [f"{os.path.realpath(place)}/" for place in leaf.find_shared_places(self._context)]
        if not mine:
            return False
        leaves = [run.leaf for run in self._queues.runs.values() if run.leaf is not None]
        others = [f"{where.path}/" for other in leaves for where in other.written.values() if where.path is not None]
        return any(place.startswith(other) or other.startswith(place) for place in mine for other in others)


def _reads_early(leaf: Leaf, after: tuple[str, ...]) -> bool:
    """Return True if the leaf would read, before its turn, data that is not there yet or may still change.

    A copy is made and a value is read when a step is laid out; the artifacts of a step are moved at its end.
    """
    data = [value for value in leaf.entity.inputs.values() if isinstance(value, Input)]
    if after and any(value.type in PRIMITIVES or _ARTIFACTS in (value.path or "") for value in data):
        return True
    return any(value.mode in access_modes.COPIED for value in data)
