"""The state machine: one turn takes the news, commits what follows from it, and only then acts.

It lives on the server's event loop and is the only writer of job states. The queues and slots that it keeps in memory
can be made again from the records at any time; `_load_queues` does so at the start and after a failed commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Container, Sequence
from itertools import islice
from typing import Any

from smalt.exceptions import Unavailable
from smalt.machine.processes import Process
from smalt.service.compute.backend import Exit
from smalt.service.engine import outcome
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion.removal import Deletions
from smalt.service.engine.dispatch import Dispatcher
from smalt.service.engine.endings import Endings
from smalt.service.engine.exits import ExitSettler
from smalt.service.engine.input_checks import InputChecks
from smalt.service.engine.kinds import GRACE
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.planning import CompositePlanner
from smalt.service.engine.queues import Queues
from smalt.service.engine.recovery import Recovery
from smalt.service.engine.state import SharedState
from smalt.service.engine.step_reuse import ReuseSettler, StepReuse
from smalt.service.engine.submission import acceptance
from smalt.service.engine.versions.protection import VersionProtection
from smalt.service.engine.wait_descriptions import describe_wait
from smalt.service.engine.watch import Watch
from smalt.service.records import job_attempts, jobs, online
from smalt.service.records.job_attempts import Attempt
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace

log = logging.getLogger("smalt.engine")

_BATCH_SECONDS = 0.02  # seconds for which news may wait for more, while no slot does
_RETRY_SECONDS = 1.0  # seconds until records that could not be written are tried again
_MOST_LOOKED_AT = 100  # queued leaves, which may have been canceled, among which one that waits is looked for


class Engine:
    """Accepts jobs, runs them and settles them. All methods are called on the event loop's thread."""

    def __init__(self, context: EngineContext, *, hands_over: bool = True) -> None:
        """Make the engine; `hands_over` sends steps to the compute ahead of their turn, which is only faster."""
        self.context = context
        self.watch = Watch()
        self.deletions = Deletions(context)
        self._db = context.db
        self._state = SharedState(context, self._request_turn, hands_over=hands_over)
        self._endings = Endings(self._state)
        self.planner = CompositePlanner(self._state, self._endings)
        self._dispatcher = Dispatcher(self._state, self._endings)
        self._exit_settler = ExitSettler(self._state, self._endings, self._dispatcher)
        self._input_checks = InputChecks(self._state, self._endings)
        self._recovery = Recovery(self._state, self._endings, self._exit_settler, self._input_checks)
        self.reuse_settler = ReuseSettler(self.step_reuse.reuse, self._is_idle)
        self._exits: list[Exit] = []
        self._started: dict[str, tuple[Any, ...]] = {}
        self._is_turn_requested = False
        self._has_noted_news = False
        self._batch_timer: asyncio.TimerHandle | None = None
        self._watching: asyncio.Task[None] | None = None
        """The watch of the environments of steps that an earlier server started, until it is set up."""
        self._is_closed = False
        self._is_paused = False
        self._retry_timer: asyncio.TimerHandle | None = None
        self._last_failure = ""
        """Why the last turn that could not be committed could not be."""
        self._reported_busy = False
        context.tracking.listen_to_metrics(self.planner.find_metric_listener)

    @property
    def queues(self) -> Queues:
        return self._state.queues

    @property
    def protection(self) -> VersionProtection:
        return self._state.protection

    @property
    def step_reuse(self) -> StepReuse:
        return self._state.step_reuse

    @property
    def _is_stalled(self) -> bool:
        """True from a turn that could not be committed until the records are read again."""
        return self._retry_timer is not None

    def _is_idle(self) -> bool:
        return not (self._is_closed or self._is_stalled or self._state.queues.is_busy)

    @property
    def unfinished_count(self) -> int:
        return jobs.count_unfinished(self._db)

    async def open(self) -> None:
        """Settle what an earlier server left, before any request is answered."""
        self.context.environments.remove_left_over()
        if not job_attempts.list_open_attempts(self._db) and not online.list_environments(self._db):
            self.context.environments.remove_changed()
        self.deletions.resume_deletions()
        await self.context.computes.open(self._on_started, self._on_exit)
        attempts = job_attempts.list_open_attempts(self._db)
        self._watching = asyncio.ensure_future(self._watch_environments(attempts))
        steps = {attempt.step_id: attempt.compute for attempt in attempts}
        states = await self.context.computes.recover(steps)
        self._exits.extend(state for state in states.values() if isinstance(state, Exit))
        self._load_queues()
        self.planner.load_missed_metrics()
        self._run_turn()
        self.reuse_settler.start_soon()
        self._state.protection.start_unprotected()

    async def _watch_environments(self, attempts: Sequence[Attempt]) -> None:
        """Watch for changes of the environments of steps that an earlier server started."""
        await self.context.environments.watch_used({one.environment for one in attempts if one.environment})

    def find_used_environments(self) -> set[str] | None:
        """Return the folders, in the store, of the environments of unfinished steps, and of those about to start.

        None while a step runs in an unknown one: an earlier smalt started it.
        """
        recorded = {one.environment for one in job_attempts.list_open_attempts(self._db)}
        prepared = {run.environment.stored_as for run in self.queues.runs.values() if run.environment is not None}
        return None if None in recorded else {one for one in recorded if one} | prepared

    async def close(self) -> None:
        """Run no more turns; the steps go on under the launcher."""
        if self._watching is not None:
            self._watching.cancel()
        await self.reuse_settler.close()
        await self._state.protection.close()
        await self.deletions.close()
        self._is_closed = True
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        self._state.queues.cancel_tasks()
        self._state.composites.clear()
        self.context.close()
        await self.context.computes.close()

    def submit(
        self,
        workspace: Workspace,
        name: str,
        properties: dict[str, Any],
        principal: str,
        *,
        record: Callable[[Job], None] | None = None,
    ) -> Job:
        """Accept a job, durably, and return it. The same PUT again returns the same job; another raises Conflict.

        `record` writes what belongs to a new job into the records, in the transaction that records the job.
        """
        self.context.environments.invalidate_host()
        with self._db.transaction():
            job, is_new, remote, entity, why_not = acceptance.accept_job(
                self.context, workspace, name, properties, principal
            )
            if why_not:
                self._endings.end_job(job, "Failed", outcome.make_error(why_not, "NotSupported"))
            if is_new and record is not None:
                record(job)
        if why_not:
            self._request_turn()
            return jobs.get_job(self._db, job.id)
        if is_new:
            self._state.queues.keep_entities({job.id: entity})
            if remote and job.is_composite:
                self._input_checks.start(job, remote)
            else:
                self._state.queues.add(job)
            self._state.changed.add(job.root_id)
            self._request_turn()
        return job

    def cancel(self, job: Job, why: str = "canceled") -> None:
        """Ask the job and all jobs below it to end, durably; `why` becomes the error message of each."""
        if self._is_stalled:
            self._settle_reported_exits()
        job = jobs.get_job(self._db, job.id)  # by now it may be planned, and its children are to be cancelled
        if job.is_over:
            return
        error = outcome.make_error(why, "Canceled")
        if self._is_stalled:  # the queues tell of a turn that was not committed
            with self._db.transaction():
                self._endings.record_cancel(job, error)
            return
        try:
            with self._db.transaction():
                self._endings.cancel_tree(job, error)
        except Exception as caught:
            self._wait_for_records(caught, [], {})
            raise
        self._apply_turn()
        self._request_turn()

    def pause(self) -> None:
        """Run no turn until `resume`: the next one then settles all that the compute has reported."""
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        self._request_turn()

    @property
    def pending_exits(self) -> int:
        """The number of reported exits that no turn has settled yet."""
        return len(self._exits)

    def get_wait_reason(self, job: Job) -> str:
        """Return a phrase for what a job that has not started waits for; "" for one that is being started."""
        if job in self._input_checks:
            return "its inputs on the network, which are being looked for"
        return describe_wait(self._db, self._state.queues, job)

    def runs_any(self, ids: Container[int]) -> bool:
        """Return True if one of these leaves runs."""
        return self._state.queues.runs_any(ids)

    def find_waiting_leaf(self, ids: Container[int]) -> Job | None:
        """Return the one of these leaves that starts next; None while one of them runs, or if each waits for others."""
        if self.runs_any(ids):
            return None
        waiting = islice(self._state.queues.list_waiting(ids), _MOST_LOOKED_AT)
        return next((job for id in waiting if (job := jobs.find_waiting(self._db, id))), None)

    def _on_started(self, step_id: str, process: Process, since: float) -> None:
        self._started[step_id] = (*process, since)
        run = self._state.queues.steps.get(step_id)
        if (run and run.is_queued) or self._state.handover.wants_turn_for_start():
            self._note_news()

    def _on_exit(self, exit: Exit) -> None:
        self._exits.append(exit)
        self._note_news()

    def _note_news(self) -> None:
        """Decide once, on all the news that came together, when they are taken."""
        if not (self._has_noted_news or self._is_turn_requested or self._is_closed or self._is_paused):
            self._has_noted_news = True
            asyncio.get_running_loop().call_soon(self._take_or_batch_news)

    def _take_or_batch_news(self) -> None:
        """Run a turn now, or batch news for 20 ms while no slot is idle."""
        self._has_noted_news = False
        if self._is_turn_requested:
            return
        if not self._state.handover.may_batch(self._started, len(self._exits)):
            self._run_turn()
        elif self._batch_timer is None:
            self._batch_timer = asyncio.get_running_loop().call_later(_BATCH_SECONDS, self._request_turn)

    def _request_turn(self) -> None:
        if not (self._is_turn_requested or self._is_closed or self._is_paused):
            self._is_turn_requested = True
            asyncio.get_running_loop().call_soon(self._run_turn)

    def _run_turn(self) -> None:
        self._is_turn_requested = False
        if self._batch_timer is not None:
            self._batch_timer.cancel()
            self._batch_timer = None
        if self._is_closed or self._is_paused or self._is_stalled:
            return
        exits, self._exits = self._exits, []
        started, self._started = self._started, {}
        try:
            with self._db.transaction():
                self.planner.take_metrics()
                for exit in exits:
                    self._exit_settler.take_exit(exit)
                self._take_started(started, {exit.step_id for exit in exits})
                self.planner.take_deadlines()
                self._input_checks.take_checked()
                self.planner.take_readings()
                self._exit_settler.take_finished()
                self._dispatcher.take_prepared()
                self.planner.plan_jobs()
                self._dispatcher.fill_slots()
        except Exception as error:
            self._wait_for_records(error, exits, started)
            return
        self.planner.forget_metrics()
        self.context.computes.acknowledge([exit.step_id for exit in exits])
        self._apply_turn()

    def _apply_turn(self) -> None:
        """Act on what has been committed: start and stop steps, wake watchers."""
        steps, self._dispatcher.steps = self._dispatcher.steps, []
        self._state.composites.write_notes()
        self._state.handover.start_granted()
        if steps:
            self.context.computes.start(steps)
        for step_id in self._state.take_stops():
            self.context.computes.stop(step_id, GRACE)
        self._state.protection.start_registered()
        self.watch.wake_watchers(self._state.changed)
        self._state.changed.clear()
        if steps or self._state.handover.has_work:
            asyncio.get_running_loop().call_soon(self._run_prefetch)
        busy = self._state.queues.is_busy or bool(self._input_checks) or self._state.composites.is_reading
        if busy != self._reported_busy:
            self._reported_busy = busy
            self.context.computes.set_unfinished(int(self._reported_busy))
            self.reuse_settler.start_soon()

    def _run_prefetch(self) -> None:
        if not (self._is_closed or self._is_stalled):
            self._state.handover.run_prefetch()

    def _wait_for_records(self, error: Exception, exits: list[Exit], started: dict[str, tuple[Any, ...]]) -> None:
        """Drop a turn that could not be committed, and look at the records again after a second."""
        if not isinstance(error, Unavailable):
            log.error("%s", error, exc_info=error)
        elif str(error) != self._last_failure:  # not each second that the disk is full
            log.error("%s", error)
        self._last_failure = str(error)
        with contextlib.suppress(OSError):
            self.context.reserve.release_where_full()
        self._exits = exits + self._exits
        self._started = {**started, **self._started}
        self._state.stops.clear()
        self._dispatcher.steps.clear()
        self._state.handover.drop_granted()
        self._state.queues.cancel_tasks()
        is_foreseen = isinstance(error, Unavailable)
        self._retry_timer = asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._retry_turn, is_foreseen)

    def _retry_turn(self, is_foreseen: bool) -> None:
        """Read the records again and run the turn that failed; a fault that is not foreseen concerns one exit."""
        try:
            self._load_queues()
            if not is_foreseen:
                self._take_exits_apart()
        except Exception as error:
            self._wait_for_records(error, [], {})
            return
        self._retry_timer = None
        self._run_turn()

    def _settle_reported_exits(self) -> None:
        """Settle the exits that a failed turn left, before a cancellation is recorded: recorded first, it would win."""
        if not self._exits:
            return
        try:
            self._load_queues()
            self._take_exits_apart()
        except Exception as error:  # the records cannot be read: they are tried again, and the exits are kept
            log.error("%s", error)
        finally:  # the queues are made again when the second is over
            self._state.stops.clear()
            self._state.queues.cancel_tasks()

    def _load_queues(self) -> None:
        """Make queues and slots from the records."""
        self._state.clear()
        self._dispatcher.clear()
        self._exit_settler.clear()
        self._input_checks.clear()
        self._recovery.queue_recorded_jobs({exit.step_id for exit in self._exits})

    def _take_started(self, started: dict[str, tuple[Any, ...]], ended: set[str]) -> None:
        """Record the starts of steps; a step that has ended as well is recorded with its end."""
        for step_id, process in started.items():
            run = self._state.queues.steps.get(step_id)
            if run:
                self._dispatcher.note_started(run, process[-1])
            if step_id not in ended:
                job_attempts.record_process(self._db, step_id, process)

    def _take_exits_apart(self) -> None:
        """Settle the exits one by one after a failed turn: the one that caused it fails its own job only."""
        exits, self._exits = self._exits, []
        for exit in exits:
            try:
                try:
                    with self._db.transaction():
                        self._exit_settler.take_exit(exit)
                except Unavailable:
                    raise
                except Exception as error:
                    self._load_queues()
                    with self._db.transaction():
                        self._exit_settler.fail_exited(exit, to_sentence(error))
            except Unavailable:
                self._exits.append(exit)
            except Exception:
                log.exception("the end of step %s cannot be recorded before the server is started again", exit.step_id)
            else:
                self._state.composites.write_notes()
                self.context.computes.acknowledge([exit.step_id])
