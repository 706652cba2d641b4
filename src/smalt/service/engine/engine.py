"""The state machine: one turn takes what happened, commits what follows from it, and only then acts.

It lives on the server's event loop and is the only writer of job states. What it keeps in memory (the queues, the
slots) can be made again from the records at any time; `_reload` does so at the start and after a failed commit.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from functools import partial
from typing import Any, cast

from smalt.exceptions import SmaltError, Unavailable
from smalt.processes import Process
from smalt.service.compute.base import Exit, Reason, Step
from smalt.service.engine import family, outcome, submission
from smalt.service.engine.ahead import Ahead
from smalt.service.engine.board import Board, Run
from smalt.service.engine.family import Ending
from smalt.service.engine.kinds import COMPOSITES, LEAVES, command
from smalt.service.engine.registration import register_outputs, register_when_possible
from smalt.service.engine.rooms import Rooms
from smalt.service.engine.watch import Watch
from smalt.service.environments import Realised
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

log = logging.getLogger("smalt.engine")

_PLANNED_AT_ONCE = 25  # some 5 ms, for which answers may have to wait
_RETRY_AFTER = 1.0  # seconds until records that could not be written are tried again


class Engine:
    """Takes jobs, runs them, settles them. All methods are called on the event loop's thread."""

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.watch = Watch()
        self._db = rooms.db
        self._board = Board(rooms.compute.capacity)
        self._families = family.Families(rooms.db)
        self._exits: list[Exit] = []
        self._processes: dict[str, tuple[Any, ...]] = {}
        self._prepared: deque[tuple[int, Exception | None]] = deque()
        self._finished: deque[tuple[int, dict[str, Any] | None]] = deque()
        self._looking: dict[int, asyncio.Future[None]] = {}
        self._looked: deque[tuple[Job, str]] = deque()
        self._changed: set[int] = set()
        self._ahead = Ahead(rooms)
        self._starts: list[Step] = []
        self._stops: list[str] = []
        self._waking = False
        self._closed = False
        self._stalled = False
        self._told = False

    @property
    def unfinished(self) -> int:
        return jobs.count_unfinished(self._db)

    async def open(self) -> None:
        """Settle what an earlier server left, before anyone is answered."""
        self.rooms.environments.sweep()
        await self.rooms.compute.open(self._on_started, self._on_exit)
        steps = [attempt.step_id for attempt in jobs.open_attempts(self._db)]
        states = await self.rooms.compute.recover(steps)
        running = {step_id for step_id, state in states.items() if state == "running"}
        self._exits.extend(state for state in states.values() if isinstance(state, Exit))
        self._reload(running)
        self._turn()

    async def close(self) -> None:
        """Stop turning; the steps go on under the launcher."""
        self._closed = True
        self._board.abandon()
        await self.rooms.compute.close()

    def submit(self, workspace: Workspace, name: str, properties: dict[str, Any], principal: str) -> Job:
        """Accept a job: durable when this returns. The same PUT again gives the same job, another one Conflict."""
        with self._db.transaction():
            job, is_new, remote, entity = submission.accept(self.rooms, workspace, name, properties, principal)
        if is_new:
            self._board.accepted(job, entity)
            if remote and job.type in COMPOSITES:
                self._looking[job.id] = asyncio.ensure_future(self._look_for(job, remote))
            else:
                self._board.queue(job)
            self._changed.add(job.root_id)
            self._wake()
        return job

    def cancel(self, job: Job) -> None:
        """Ask the job, and all below it, to end; durable when this returns."""
        if job.is_over:
            return
        try:
            with self._db.transaction():
                self._cancel(job)
        except Exception as error:
            self._stall(error, [])
            raise
        self._act()
        self._wake()

    async def _look_for(self, job: Job, remote: list[str]) -> None:
        """A pipeline's inputs elsewhere on the network must be there before its first step starts."""
        workspace = self.rooms.workspace(job)
        try:
            problems = [await asyncio.to_thread(self.rooms.data.check, uri, workspace) for uri in remote]
        except Exception as error:  # whatever it is, the job must not wait for ever
            problems = [_sentence(error)]
        del self._looking[job.id]
        self._looked.append((job, "; ".join(problem for problem in problems if problem)))
        self._wake()

    def _take_looked(self) -> None:
        while self._looked:
            job, problem = self._looked.popleft()
            if problem:
                self._end(job, "Failed", outcome.failed(problem, "InputMissing"))
            else:
                self._board.queue(job)

    def _on_started(self, step_id: str, process: Process) -> None:
        """Kept until the next commit: recovery asks the launcher, not this."""
        identity = (process.host, process.boot_id, process.pid_namespace, process.pid, process.start_time)
        self._processes[step_id] = (*identity, time.time())

    def _on_exit(self, exit: Exit) -> None:
        self._exits.append(exit)
        self._wake()

    def _wake(self) -> None:
        if not self._waking and not self._closed:
            self._waking = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        self._waking = False
        if self._closed or self._stalled:
            return
        exits, self._exits = self._exits, []
        try:
            with self._db.transaction():
                for exit in exits:
                    self._take_exit(exit)
                self._note_processes()
                self._take_looked()
                self._take_finished()
                self._take_prepared()
                self._place()
        except Exception as error:
            self._stall(error, exits)
            return
        self.rooms.compute.acknowledge([exit.step_id for exit in exits])
        self._act()

    def _act(self) -> None:
        """Do what has been committed."""
        starts, self._starts = self._starts, []
        stops, self._stops = self._stops, []
        if starts:
            self.rooms.compute.start(starts)
        for step_id in stops:
            self.rooms.compute.stop(step_id, command.GRACE)
        changed, self._changed = self._changed, set()
        self.watch.wake(changed)
        if starts or self._ahead.has_work:
            asyncio.get_running_loop().call_soon(self._look_ahead)
        busy = self._board.busy or bool(self._looking)
        if busy != self._told:
            self._told = busy
            self.rooms.compute.set_unfinished(int(self._told))

    def _look_ahead(self) -> None:
        if not (self._closed or self._stalled):
            self._ahead.work(self._board)

    def _stall(self, error: Exception, exits: list[Exit]) -> None:
        """The turn could not be committed: nothing was acted on; look at the records anew in a while."""
        log.error("%s", error, exc_info=None if isinstance(error, Unavailable) else error)
        self._exits = exits + self._exits
        self._starts, self._stops = [], []
        self._board.abandon()
        self._stalled = True

        def again() -> None:
            self._stalled = False
            self._reload({attempt.step_id for attempt in jobs.open_attempts(self._db)})
            self._turn()

        asyncio.get_running_loop().call_later(_RETRY_AFTER, again)

    def _reload(self, running: set[str]) -> None:
        """Make the queues and slots from the records; `running` are the steps that the compute runs."""
        self._board = Board(self.rooms.compute.capacity)
        self._prepared.clear()
        self._finished.clear()
        self._families.clear()
        attempts = {attempt.job_id: attempt for attempt in jobs.open_attempts(self._db)}
        exited = {exit.step_id for exit in self._exits}
        for job in jobs.unfinished(self._db):
            attempt = attempts.get(job.id)
            if attempt:
                self._board.hold(job, attempt)
                if attempt.step_id not in running | exited:
                    self._exits.append(_never_started(attempt.step_id))
                elif job.cancel_requested and attempt.step_id in running:
                    self._stops.append(attempt.step_id)
            elif job.status == "Finalizing" and job.type in LEAVES:
                self._finish_again(job)
            elif job.type in LEAVES or not job.planned:
                if job.id not in self._looking:
                    self._board.queue(job)
            elif job.open == 0:
                with self._db.transaction():
                    self._end(*self._parent_end(job.id))

    def _finish_again(self, job: Job) -> None:
        """A crash came between the exit and the end of storing outputs; storing them again is harmless."""
        run = self._board.hold(job)
        last = jobs.attempts(self._db, job.id)[-1]
        reason = cast("Reason", last.reason or "exited")
        exit = Exit(last.step_id, last.exit_code, last.signal, reason, None, None, last.ended_at or 0.0, None)
        run.task = asyncio.ensure_future(self._finish(run, exit, last.number))

    def _note_processes(self) -> None:
        """Of steps that still run; a step that is over has its identity noted with its end."""
        for step_id, identity in self._processes.items():
            jobs.note_process(self._db, step_id, identity)
        self._processes.clear()

    def _place(self) -> None:
        """Plan what is to be planned, and fill the free slots."""
        board = self._board
        half = []
        while board.plans:
            job = jobs.get(self._db, board.plans.popleft())
            if not self._plan(job):
                half.append(job.id)
        if half:
            board.plans.extend(half)
            self._wake()
        while board.ready and board.slots.any_free:
            job = jobs.get(self._db, board.ready[0])
            if not job.is_over and not self._begin(job):
                return
            board.ready.popleft()

    def _plan(self, job: Job) -> bool:
        """Go on with the job's plan; whether nothing is left to plan."""
        if job.is_over or job.planned:
            self._board.planning.pop(job.id, None)
            return True
        try:
            plan = self._board.planning.pop(job.id, None) or family.Plan(
                self.rooms, job, self._board.pipelines.pop(job.id, None)
            )
            if not plan.advance(_PLANNED_AT_ONCE):
                self._board.planning[job.id] = plan
                return False
        except (SmaltError, OSError) as error:
            self._end(job, "Failed", outcome.failed(_sentence(error), "PlanningFailed"))
            return True
        children, entities = plan.record(job)  # what the records refuse is no fault of the job: the turn is tried again
        self._changed.add(job.root_id)
        self._board.remember(entities)
        for child in children:
            self._board.queue(child)
        if not children:
            self._end(*self._parent_end(job.id))
        return True

    def _begin(self, job: Job) -> bool:
        """Give the job a slot and start it, or start preparing it; False when no slot fits."""
        try:
            leaf = self._read(job)
        except (SmaltError, OSError) as error:
            self._end(job, "Failed", outcome.failed(_sentence(error), "PreparationFailed"))
            return True
        run = self._board.take(leaf)
        if run is None:
            return False
        self._changed.add(job.root_id)
        run.environment = self.rooms.environments.cached(leaf.environment)
        if run.environment is not None and leaf.is_quick(self.rooms):
            self._launch(run, leaf, run.environment, ("Queued", "Preparing", "Running"))
        else:
            jobs.set_status(self._db, job, "Queued", "Preparing")
            run.task = asyncio.ensure_future(self._prepare(run, leaf))
        return True

    def _launch(self, run: Run, leaf: command.Leaf, environment: Realised, statuses: tuple[str, ...]) -> None:
        number = jobs.last_attempt(self._db, run.job) + 1
        step_id = jobs.attempt(self._db, run.job, number, "local", leaf.timeout)
        try:
            step, run.view = command.step(self.rooms, leaf, environment, run.grant, number, step_id)
        except (SmaltError, OSError) as error:
            jobs.end_attempt(self._db, step_id, None, None, "never started", 0.0)
            self._end(run.job, "Failed", outcome.failed(_sentence(error), "PreparationFailed"))
            return
        self._board.start(run, step_id, number)
        for note in environment.notes:
            self.rooms.say(run.job, note)
        jobs.put_data(self._db, run.job, command.data_rows(leaf))
        jobs.set_status(self._db, run.job, *statuses)
        self._starts.append(step)

    async def _prepare(self, run: Run, leaf: command.Leaf) -> None:
        """What takes long before a start: the environment, data from elsewhere, much code."""
        error: Exception | None = None
        try:
            say = partial(self.rooms.say, run.job)
            run.environment = await self.rooms.environments.realise(leaf.environment, say)
            await command.fetch(self.rooms, leaf, say, jobs.last_attempt(self._db, run.job) + 1)
        except Exception as caught:  # whatever it is, the job must not wait for ever
            error = caught
        self._prepared.append((run.job.id, error))
        self._wake()

    def _take_prepared(self) -> None:
        while self._prepared:
            job_id, error = self._prepared.popleft()
            run = self._board.runs.get(job_id)
            if run is None:
                continue
            self._changed.add(run.job.root_id)
            if error is not None:
                self._end(run.job, "Failed", outcome.failed(_sentence(error), "PreparationFailed"))
            elif run.leaf is not None and run.environment is not None:
                self._launch(run, run.leaf, run.environment, ("Running",))

    def _take_exit(self, exit: Exit) -> None:
        run = self._board.steps.get(exit.step_id) or self._hold_unknown(exit.step_id)
        if run is None:
            return
        process = self._processes.pop(exit.step_id, None)
        jobs.end_attempt(self._db, exit.step_id, exit.code, exit.signal, exit.reason, exit.ended, process)
        self._changed.add(run.job.root_id)
        if not run.job.cancel_requested and self._again(run, exit):
            self._free(run.job)
            jobs.set_status(self._db, run.job, "Queued")
            self._board.ready.append(run.job.id)
            return
        self._settle(run, exit, run.number)

    def _again(self, run: Run, exit: Exit) -> bool:
        """A step that never ran, or whose retries allow it, gets another attempt."""
        if exit.reason == "never started":
            return True
        if outcome.error_of(exit, None) is None:
            return False
        try:
            run.leaf = run.leaf or self._read(run.job)
        except (SmaltError, OSError):  # what it names is gone: settling it says so
            return False
        return run.number <= command.retries(run.leaf.entity)

    def _hold_unknown(self, step_id: str) -> Run | None:
        """The run of a step that only the records know; None when its end is recorded already."""
        attempt = jobs.open_attempt(self._db, step_id)
        return self._board.hold(jobs.get(self._db, attempt.job_id), attempt) if attempt else None

    def _settle(self, run: Run, exit: Exit, number: int) -> None:
        """Store what the command left, then end the job: at once where that is only a rename."""
        try:
            leaf = run.leaf = run.leaf or self._read(run.job)
        except (SmaltError, OSError) as error:
            self._end(run.job, "Failed", outcome.error_of(exit, None) or outcome.failed(_sentence(error)))
            return
        if leaf.finishes_quickly:
            self._end_leaf(run.job, self._store(run, leaf, exit, number))
            return
        jobs.set_status(self._db, run.job, "Finalizing")
        run.task = asyncio.ensure_future(self._finish(run, exit, number))

    def _read(self, job: Job) -> command.Leaf:
        known = self._ahead.take(job)
        return known or command.Leaf.read(
            self.rooms, job, self.rooms.workspace(job), self._board.entities.pop(job.id, None)
        )

    def _store(self, run: Run, leaf: command.Leaf, exit: Exit, number: int) -> dict[str, Any] | None:
        """Errors of storing count only for a command that did well."""
        error = outcome.error_of(exit, leaf.timeout)
        try:
            run.untouched = command.finish(self.rooms, leaf, number) and error is None
        except (SmaltError, OSError) as caught:
            return error or outcome.failed(f"its outputs could not be stored: {_sentence(caught)}", "OutputsFailed")
        return error

    async def _finish(self, run: Run, exit: Exit, number: int) -> None:
        """The same beside the loop, for outputs that have to be copied or registered."""
        try:
            leaf = run.leaf or self._read(run.job)
            error = await asyncio.to_thread(self._store, run, leaf, exit, number)
            if error is None:
                await register_when_possible(self.rooms, run.job)
        except Exception as caught:  # whatever it is, the job must not wait for ever
            error = outcome.failed(_sentence(caught), "OutputsFailed")
        self._finished.append((run.job.id, error))
        self._wake()

    def _take_finished(self) -> None:
        while self._finished:
            job_id, error = self._finished.popleft()
            run = self._board.runs.get(job_id)
            if run is not None:
                self._changed.add(run.job.root_id)
                self._end_leaf(run.job, error)

    def _end_leaf(self, job: Job, error: dict[str, Any] | None) -> None:
        if error is None:
            self._end(job, "Completed")
        elif job.cancel_requested:
            self._end(job, "Canceled")
        else:
            self._end(job, "Failed", error)

    def _free(self, job: Job) -> None:
        run = self._board.free(job)
        if run:
            self._ahead.leave(run)

    def _end(self, job: Job, status: str, error: dict[str, Any] | None = None) -> None:
        """The job is over; so may be its parent, and those that waited for it go on or are given up."""
        work: deque[Ending] = deque([(job, status, error)])
        while work:
            job, status, error = work.popleft()
            if job.is_over or jobs.is_over(self._db, job.id):
                continue
            last = ("Finalizing", status) if status == "Completed" and job.status == "Running" else (status,)
            jobs.set_status(self._db, job, *last, error=error)
            self.rooms.tracking.runs.ended(job)
            self._changed.add(job.root_id)
            self._free(job)
            self._ahead.forget(job)
            if job.parent_id is None:
                continue
            for child in self._families.released(job):
                self._board.queue(child)
            work.extend(self._families.given_up(job))
            if status == "Failed" and self._families.stops_on(job):
                work.extend(self._families.unstarted(job))
                for sibling in self._families.started(job):
                    self._cancel(sibling)
            if jobs.close_child(self._db, job.parent_id) == 0:
                work.append(self._parent_end(job.parent_id))

    def _parent_end(self, parent_id: int) -> Ending:
        """All children are over: so is their parent, in the state that follows from theirs."""
        parent = jobs.get(self._db, parent_id)
        status, error = self._families.outcome(parent)
        self._families.forget(parent_id)
        if status == "Completed":
            try:
                register_outputs(self.rooms, parent)
            except Unavailable:  # no fault of the job: the turn is tried again
                raise
            except (SmaltError, OSError) as caught:
                status, error = "Failed", outcome.failed(_sentence(caught), "OutputsFailed")
        return parent, status, error

    def _cancel(self, job: Job) -> None:
        """Inside a transaction: what has not started is over at once, what runs is stopped."""
        todo = deque([job])
        while todo:
            one = todo.popleft()
            run = self._board.runs.get(one.id)
            one = run.job if run else one
            if jobs.is_over(self._db, one.id):
                continue
            jobs.request_cancel(self._db, one)
            self._changed.add(one.root_id)
            if run and run.step_id:
                jobs.set_status(self._db, one, "CancelRequested")
                self._stops.append(run.step_id)
            elif one.type in COMPOSITES and one.open:
                jobs.set_status(self._db, one, "CancelRequested")
                todo.extend(child for child in jobs.children(self._db, one.id) if not child.is_over)
            else:
                if run and run.task:
                    run.task.cancel()
                self._end(one, "Canceled")


def _never_started(step_id: str) -> Exit:
    return Exit(step_id, None, None, "never started", None, None, 0.0, None)


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, SmaltError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if not isinstance(error, SmaltError):
        log.error("unexpected", exc_info=error)
        return f"smalt itself failed ({type(error).__name__}: {error}); its server.log tells more"
    return str(error)
