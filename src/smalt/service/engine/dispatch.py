"""Starts ready leaves: slots for the oldest, and what each needs before its step starts."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from functools import partial

from smalt.exceptions import Unavailable
from smalt.service.compute.step import RunnableStep
from smalt.service.engine import outcome
from smalt.service.engine.endings import Endings
from smalt.service.engine.kinds import Leaf, read_leaf
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.outputs.missing_outputs import get_preparation_error
from smalt.service.engine.queues import LeafRun, RunnerQueue
from smalt.service.engine.slots import SlotGrant
from smalt.service.engine.state import SharedState
from smalt.service.records import job_attempts, job_data, jobs
from smalt.service.records.jobs import Job

_MOST_HANDED_ON = 25  # steps that a turn starts at a runner that queues by itself: it has no slots that run out
_MOST_REUSED = 25  # steps that a turn reuses, in some 20 ms for which requests may have to wait


class Dispatcher:
    """Starts leaves. The steps that it decides on are in `steps` until the engine has committed the turn."""

    def __init__(self, state: SharedState, endings: Endings) -> None:
        self.steps: list[tuple[str, RunnableStep]] = []
        """Steps to start, each with the name of its runner."""
        self._state = state
        self._endings = endings
        self._db = state.context.db
        self._reused = 0
        self._has_deferred = False
        self._prepared: deque[tuple[int, Exception | None]] = deque()

    def clear(self) -> None:
        """Forget what was not committed: the records are read again."""
        self.steps.clear()
        self._prepared.clear()

    def fill_slots(self) -> None:
        """Give free slots to the oldest leaves; none overtakes a leaf that needs more than are free."""
        for queue in self._state.queues.by_runner.values():
            queue.put_never_started_first()
        self._state.handover.grant_free_slots()
        self._reused = 0
        self._state.step_reuse.reuse.begin_turn()
        is_local_served = True
        for queue in self._state.queues.by_runner.values():
            is_served = self._fill_queue(queue)
            is_local_served = is_local_served and (is_served or queue is not self._state.queues.local)
        if is_local_served and not self._starts_first():
            self._state.handover.hand_over(self)

    def _starts_first(self) -> bool:
        """Return True, and ask for another turn, if steps start in this one: they wait for no others to be laid out.

        The next turn hands over even if more steps start in it.
        """
        self._has_deferred = self._state.handover.is_on and bool(self.steps) and not self._has_deferred
        if self._has_deferred:
            self._state.request_turn()
        return self._has_deferred

    def _fill_queue(self, queue: RunnerQueue) -> bool:
        """Start leaves of a queue; return False if the oldest one needs more slots than are free."""
        handed_on = 0
        while queue.ready and queue.slots.any_free and self.may_go_on():
            if queue.queues_by_itself and handed_on == _MOST_HANDED_ON:
                self._state.request_turn()
                return True
            handed_on += 1
            job = jobs.find_waiting(self._db, queue.ready[0])
            if job is not None and not self._start_leaf(job, queue):
                return False
            queue.ready.popleft()
        return True

    def may_go_on(self) -> bool:
        """Return False, and ask for another turn, once this turn has reused many steps."""
        if self._reused < _MOST_REUSED:
            return True
        self._state.request_turn()
        return False

    def read_leaf(self, job: Job) -> Leaf:
        leaf = self._state.handover.pop_leaf(job)
        if leaf is None:
            entity = self._state.queues.entities.pop(job.id, None)
            leaf = read_leaf(self._state.context, job, entity)
        self._state.step_reuse.resolve_reused_inputs(leaf)
        return leaf

    def note_started(self, run: LeafRun, started_at: float, *, has_ended: bool = False) -> None:
        """Record that the process of a step is there; `started_at` is in seconds since the epoch.

        If it `has_ended`, the caller records the job's next status, and this one is written together with that.
        """
        self._state.handover.give_slot(run)
        if run.is_queued:
            self._state.changed.add(run.job.root_id)
            if has_ended:
                jobs.note_running(run.job, started_at)
            else:
                jobs.set_status(self._db, run.job, "Preparing", "Running", started_at=started_at)

    def take_prepared(self) -> None:
        """Start the leaves whose preparation has ended."""
        while self._prepared:
            job_id, error = self._prepared.popleft()
            run = self._state.queues.runs.get(job_id)
            if run is None:
                continue
            run.task = None
            self._state.changed.add(run.job.root_id)
            if error is not None:
                self._end_unprepared(run.job, run.leaf, error)
            elif run.leaf is not None and run.environment is not None and not self.end_if_reused(run.leaf):
                self._start_step(run, "Running")

    def _start_leaf(self, job: Job, queue: RunnerQueue) -> bool:
        """Give the job slots and start it, or start its preparation; return False if too few slots are free."""
        try:
            leaf = self.read_leaf(job)
            leaf.locate(self._state.context)
        except Exception as error:
            self._end_unprepared(job, None, error)
            return True
        environment = self._state.context.environments.find_built(leaf.environment)
        is_judged = environment is not None and self._state.step_reuse.judge_within_turn(leaf, environment)
        if self.end_if_reused(leaf):
            return True
        run = self._state.queues.start_run(leaf, queue)
        if run is None:
            self._state.handover.put_back(leaf)
            return False
        self._state.changed.add(job.root_id)
        run.environment = environment
        if environment is not None and is_judged and leaf.is_quick(self._state.context):
            self._start_step(run, "Queued", "Preparing", "Running")
        else:
            # A runner that queues by itself says later when the job is prepared and starts.
            jobs.set_status(self._db, job, *(["Queued"] if queue.queues_by_itself else ["Queued", "Preparing"]))
            run.task = asyncio.ensure_future(self._prepare_leaf(run, leaf))
        return True

    def _end_unprepared(self, job: Job, leaf: Leaf | None, error: Exception) -> None:
        why = get_preparation_error(self._state.context, leaf, error)
        self._endings.end_job(job, "Failed", outcome.make_error(why, "PreparationFailed"))

    def end_if_reused(self, leaf: Leaf) -> bool:
        """Complete the job with the outputs of an identical one, if there is one; True if its end is recorded."""
        try:
            if not self._state.step_reuse.apply_reuse(leaf):
                return False
        except Unavailable:  # no fault of the job: the turn is tried again
            raise
        except Exception as error:
            self._endings.end_job(leaf.job, "Failed", outcome.make_error(to_sentence(error), "OutputsFailed"))
            return True
        self._reused += 1
        self._endings.end_job(leaf.job, "Completed", None)
        if self._state.queues.plans:  # its end released a composite, and those of this turn are planned already
            self._state.request_turn()
        return True

    def _start_step(self, run: LeafRun, *statuses: str) -> None:
        leaf, environment, grant = run.leaf, run.environment, run.grant
        assert leaf is not None
        assert environment is not None
        assert grant is not None
        if run.queue is not None and run.queue.queues_by_itself:
            statuses = () if run.is_queued else ("Queued",)  # until its runner says that it started
        number = job_attempts.get_last_attempt_number(self._db, run.job) + 1
        try:
            step, run.view = leaf.prepare_step(self._state.context, environment, grant, number)
        except Exception as error:
            self._end_unprepared(run.job, leaf, error)
            return
        self.record_step(run, step, number, *statuses)

    def record_step(self, run: LeafRun, step: RunnableStep, number: int, *statuses: str) -> None:
        """Record the attempt `number`, and send its step to the compute once the turn is committed."""
        leaf, environment = run.leaf, run.environment
        assert leaf is not None
        assert environment is not None
        self._state.changed.add(run.job.root_id)
        runner = leaf.backend(self._state.context, environment).runner.name
        grant = run.grant or SlotGrant(1, ())
        stored = environment.stored_as
        job_attempts.add_attempt(
            self._db, run.job, number, runner, leaf.timeout, grant.cpus, grant.gpus, stored, step.cold_reason
        )
        self._state.queues.set_step(run, step.id, number, stored)
        self._state.context.note_use(run.job, environment)
        for note in environment.notes:
            self._state.context.say(run.job, note)
        job_data.put_data(self._db, run.job, leaf.make_data_rows())
        self._state.step_reuse.record_started(leaf, environment, is_early=bool(step.after))
        if statuses:
            jobs.set_status(self._db, run.job, *statuses)
        self.steps.append((runner, step))
        self._state.handover.note_step(run)

    async def _prepare_leaf(self, run: LeafRun, leaf: Leaf) -> None:
        """Do what takes long before a start: build the environment, fetch data, copy much code."""
        error: Exception | None = None
        try:
            say = partial(self._state.context.say, run.job)
            if "mlflow" in str(leaf.environment):
                # Its own Python may have to be installed: beside the building.
                self._state.context.tracking.start_soon()
            if not self._state.context.identity.is_ready:
                await asyncio.to_thread(self._state.context.identity.prepare)
            await leaf.refuse_changed_context(self._state.context)
            run.environment = await self._state.context.environments.get_or_build(leaf.environment, say)
            if not await self._state.step_reuse.judge_beside_loop(leaf, run.environment):
                since = time.time()
                number = job_attempts.get_last_attempt_number(self._db, run.job) + 1
                paths = await leaf.fetch_inputs(self._state.context, say, number, run.environment)
                await self._state.step_reuse.record_fetched(leaf, run.environment, paths, since)
        except Exception as caught:  # any error ends the job, which would wait for ever otherwise
            error = caught
        self._prepared.append((run.job.id, error))
        self._state.request_turn()
