"""From ready to a process: slots for the oldest leaves, what they need, and what follows a step that ends well."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from smalt.entities import Input
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.exceptions import Unavailable
from smalt.service.compute.backend import Step
from smalt.service.data.job_data import access_modes
from smalt.service.engine import outcome
from smalt.service.engine.context import Rooms
from smalt.service.engine.handover.prefetch import Ahead
from smalt.service.engine.kinds import command
from smalt.service.engine.outcome import sentence
from smalt.service.engine.outputs.missing_outputs import why_not_prepared
from smalt.service.engine.queues import Board, Run
from smalt.service.engine.slots import Grant, Request
from smalt.service.engine.step_reuse import Reusing
from smalt.service.environments import Realised
from smalt.service.records import jobs
from smalt.service.records.jobs import Job

End = Callable[[Job, str, "dict[str, Any] | None"], None]

_NO_SLOT_YET = Grant(1, ())
_MOST_DEPENDENTS = 16
_ARTIFACTS = "/ExperimentRun/dcid."
_REUSED_AT_ONCE = 25  # some 20 ms, for which answers may have to wait


class Starting:
    """What it decides is in `steps` and `goes` until the engine has committed it.

    `end` ends a job in this turn, `wake` asks for one, `changed` are the root jobs whose watchers are to be woken.
    """

    def __init__(
        self,
        rooms: Rooms,
        board: Board,
        ahead: Ahead,
        reusing: Reusing,
        changed: set[int],
        end: End,
        wake: Callable[[], None],
    ) -> None:
        self.steps: list[Step] = []
        """To be handed over."""
        self.goes: list[str] = []
        """Handed over before; they need not wait for another's end any longer."""
        self._rooms = rooms
        self._db = rooms.db
        self._board = board
        self._ahead = ahead
        self._reusing = reusing
        self._reused = 0
        self._changed = changed
        self._end = end
        self._wake = wake
        self._prepared: deque[tuple[int, Exception | None]] = deque()

    def fill(self) -> None:
        """Give free slots to the oldest leaves; while none is free, hand over what is to start when one will be."""
        board = self._board
        board.ready.extendleft(reversed(board.again))
        board.again.clear()
        for run in board.let_go():
            self.goes.append(str(run.step_id))
        self._reused = 0
        self._reusing.reuse.begin_turn()
        while board.ready and board.slots.any_free and self._may_go_on:
            job = jobs.get_job(self._db, board.ready[0])
            if not job.is_over and not self._begin(job):
                return
            board.ready.popleft()
        while board.ready and board.is_followed and self._rooms.compute.hands_over and self._may_go_on:
            job = jobs.get_job(self._db, board.ready[0])
            if not job.is_over and not self._hand_over(job):
                return
            board.ready.popleft()
        while board.leaders and board.may_come and self._rooms.compute.hands_over:
            self._hand_over_dependents(board.leaders.popleft())

    @property
    def _may_go_on(self) -> bool:
        """Many steps that are reused are for several turns."""
        if self._reused < _REUSED_AT_ONCE:
            return True
        self._wake()
        return False

    def read(self, job: Job) -> command.Leaf:
        known = self._ahead.take(job)
        leaf = known or command.Leaf.read(
            self._rooms, job, self._rooms.workspace(job), self._board.entities.pop(job.id, None)
        )
        self._reusing.follow(leaf)
        return leaf

    def started(self, run: Run, when: float) -> None:
        """The process of a step that waited is there, whether or not it was given a slot before."""
        self._board.admit(run)
        if run.is_queued:
            self._changed.add(run.job.root_id)
            jobs.set_status(self._db, run.job, "Preparing", "Running", started_at=when)

    def take_prepared(self) -> None:
        while self._prepared:
            job_id, error = self._prepared.popleft()
            run = self._board.runs.get(job_id)
            if run is None:
                continue
            run.task = None
            self._changed.add(run.job.root_id)
            if error is not None:
                self._end_unprepared(run.job, run.leaf, error)
            elif run.leaf is not None and run.environment is not None and not self._is_reused(run.leaf):
                self._launch(run, run.leaf, run.environment, ("Running",))

    def _begin(self, job: Job) -> bool:
        """Give the job a slot and start it, or start preparing it; False when no slot fits."""
        try:
            leaf = self.read(job)
            leaf.locate(self._rooms)
        except Exception as error:
            self._end_unprepared(job, None, error)
            return True
        environment = self._rooms.environments.cached(leaf.environment)
        is_judged = environment is not None and self._reusing.judge_at_once(leaf, environment)
        if self._is_reused(leaf):
            return True
        run = self._board.take(leaf)
        if run is None:
            self._ahead.keep(leaf)
            return False
        self._changed.add(job.root_id)
        run.environment = environment
        if run.environment is not None and is_judged and leaf.is_quick(self._rooms):
            self._launch(run, leaf, run.environment, ("Queued", "Preparing", "Running"))
        else:
            jobs.set_status(self._db, job, "Queued", "Preparing")
            run.task = asyncio.ensure_future(self._prepare(run, leaf))
        return True

    def _end_unprepared(self, job: Job, leaf: command.Leaf | None, error: Exception) -> None:
        self._end(job, "Failed", outcome.failed(why_not_prepared(self._rooms, leaf, error), "PreparationFailed"))

    def _is_reused(self, leaf: command.Leaf) -> bool:
        """Whether the job has the outputs of another, and is over."""
        try:
            if not self._reusing.take(leaf):
                return False
        except Unavailable:  # no fault of the job: the turn is tried again
            raise
        except Exception as error:
            self._end(leaf.job, "Failed", outcome.failed(sentence(error), "OutputsFailed"))
            return True
        self._reused += 1
        self._end(leaf.job, "Completed", None)
        if self._board.plans:  # what needed it is a composite, and those of this turn are planned
            self._wake()
        return True

    def _launch(self, run: Run, leaf: command.Leaf, environment: Realised, statuses: tuple[str, ...]) -> None:
        number = jobs.get_last_attempt_number(self._db, run.job) + 1
        step_id = jobs.make_step_id(run.job, number)
        try:
            step, run.view = command.step(self._rooms, leaf, environment, run.grant or _NO_SLOT_YET, number, step_id)
        except Exception as error:
            self._end_unprepared(run.job, run.leaf, error)
            return
        self._record(run, leaf, environment, step, number, statuses)

    def _hand_over_dependents(self, leader_id: int) -> None:
        """What needs nothing but that job, which has a step at the launcher, follows once it did well.

        Only where the leader's outputs are where they are to be when its command ends, and where none of them is
        read before: a path is known, a value is not.
        """
        leader = self._board.runs.get(leader_id)
        if leader is None or leader.leaf is None or not leader.step_id or not leader.leaf.finishes_quickly:
            return
        for job_id in jobs.list_waiting_only_for(self._db, leader.job, _MOST_DEPENDENTS):
            job = jobs.get_job(self._db, job_id)
            if self._board.may_come and not job.is_over:
                self._hand_over(job, (leader.step_id,))

    def _hand_over(self, job: Job, after: tuple[str, ...] = ()) -> bool:
        """Let the job follow the next step that ends well, once those `after` which it comes did; else False.

        What may fail, take long or read data before its time waits for its own turn.
        """
        try:
            leaf = self.read(job)
            leaf.locate(self._rooms)
        except Exception:
            return False
        environment = self._rooms.environments.cached(leaf.environment)
        is_early = not leaf.is_quick(self._rooms) or _reads(leaf, after) or command.may_be_moved(leaf)
        if environment is None or leaf.request != Request() or is_early or self._writes_beside(leaf):
            self._ahead.keep(leaf)
            return False
        if not self._reusing.judge_at_once(leaf, environment, is_early=bool(after)):
            self._ahead.keep(leaf)
            return False
        if self._is_reused(leaf):
            return True
        number = jobs.get_last_attempt_number(self._db, job) + 1
        step_id = jobs.make_step_id(job, number)
        try:
            step, view = command.step(self._rooms, leaf, environment, _NO_SLOT_YET, number, step_id)
        except Exception:
            self._ahead.keep(leaf)
            return False
        run = self._board.come(job) if after else self._board.wait(job)
        run.leaf, run.environment, run.view = leaf, environment, view
        self._changed.add(job.root_id)
        self._record(run, leaf, environment, replace(step, after=after), number, ("Queued",))
        return True

    def _writes_beside(self, leaf: command.Leaf) -> bool:
        """Whether a job that is not over writes where this one will: that may be registered before this one starts."""
        mine = [f"{os.path.realpath(place)}/" for place in command.shared_places(self._rooms, leaf)]
        if not mine:
            return False
        runs = [run.leaf for run in self._board.runs.values() if run.leaf is not None]
        theirs = [f"{location.path}/" for one in runs for location in one.written.values() if location.path is not None]
        return any(one.startswith(other) or other.startswith(one) for one in mine for other in theirs)

    def _record(
        self, run: Run, leaf: command.Leaf, environment: Realised, step: Step, number: int, statuses: tuple[str, ...]
    ) -> None:
        jobs.add_attempt(self._db, run.job, number, "local", leaf.timeout)
        self._board.start(run, step.id, number)
        self._rooms.note_use(run.job, environment)
        for note in environment.notes:
            self._rooms.say(run.job, note)
        jobs.put_data(self._db, run.job, command.data_rows(leaf))
        self._reusing.started(leaf, environment, is_early=bool(step.after))
        jobs.set_status(self._db, run.job, *statuses)
        self.steps.append(step)
        self._board.leaders.append(run.job.id)

    async def _prepare(self, run: Run, leaf: command.Leaf) -> None:
        """What takes long before a start: the environment, data from elsewhere, much code."""
        error: Exception | None = None
        try:
            say = partial(self._rooms.say, run.job)
            if "mlflow" in str(leaf.environment):
                self._rooms.tracking.warm()  # its own Python may have to be installed: beside the building
            if not self._rooms.identity.is_ready:
                await asyncio.to_thread(self._rooms.identity.prepare)
            await command.refuse_changed_context(self._rooms, leaf)
            run.environment = await self._rooms.environments.realise(leaf.environment, say)
            if not await self._reusing.judge(leaf, run.environment):
                since = time.time()
                paths = await command.fetch(self._rooms, leaf, say, jobs.get_last_attempt_number(self._db, run.job) + 1)
                await self._reusing.look_at_fetched(leaf, run.environment, paths, since)
        except Exception as caught:  # whatever it is, the job must not wait for ever
            error = caught
        self._prepared.append((run.job.id, error))
        self._wake()


def _reads(leaf: command.Leaf, after: tuple[str, ...]) -> bool:
    """Whether it reads what is not there, or may change, before its turn: a copy is made then, and a value read.

    So it is with the artifacts of what it comes after, to which ./outputs of that step is moved at its end.
    """
    data = [value for value in leaf.entity.inputs.values() if isinstance(value, Input)]
    if after and any(value.type in PRIMITIVES or _ARTIFACTS in (value.path or "") for value in data):
        return True
    return any(value.mode in access_modes.COPIED for value in data)
