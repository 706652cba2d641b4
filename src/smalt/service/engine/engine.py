"""The state machine: one turn takes the news, commits what follows from it, and only then acts.

It lives on the server's event loop and is the only writer of job states. The queues and slots that it keeps in memory
can be made again from the records at any time; `_load_queues` does so at the start and after a failed commit.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, cast

from smalt.exceptions import Unavailable
from smalt.machine.processes import Process
from smalt.service.compute.backend import Backend, Exit, Reason
from smalt.service.compute.step import SmallResult
from smalt.service.data.files.copy_cancellation import stop_when
from smalt.service.engine import outcome
from smalt.service.engine.composites import Added, Composites
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deletion.removal import Deletions
from smalt.service.engine.dispatch import Dispatcher
from smalt.service.engine.handover import HandOver, NoHandOver
from smalt.service.engine.kinds import GRACE, Changes, Leaf, Outcome
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.outputs.registration import register_outputs
from smalt.service.engine.queues import LeafRun, Queues
from smalt.service.engine.step_reuse import ReuseSettler, StepReuse
from smalt.service.engine.submission import acceptance
from smalt.service.engine.versions.protection import VersionProtection
from smalt.service.engine.wait_reasons import waits_for
from smalt.service.engine.watch import Watch
from smalt.service.environments import HOST
from smalt.service.records import job_attempts, job_data, jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.run_database import LoggedMetric

log = logging.getLogger("smalt.engine")

Ending = tuple[Job, str, "dict[str, Any] | None"]
"""A job, the state it ends in, and its error."""

_MOST_PLANNED = 25  # some 5 ms, for which answers may have to wait
_BATCH_SECONDS = 0.02  # seconds for which news may wait for more, while no slot does
_RETRY_SECONDS = 1.0  # seconds until records that could not be written are tried again


class Engine:
    """Accepts jobs, runs them and settles them. All methods are called on the event loop's thread."""

    def __init__(self, context: EngineContext, *, hands_over: bool = True) -> None:
        """Make the engine; `hands_over` sends steps to the compute ahead of their turn, which is only faster."""
        self.context = context
        self.queues = Queues(context.computes.capacities, self._find_runner)
        self.watch = Watch()
        self._db = context.db
        self._exits: list[Exit] = []
        self._metrics: list[tuple[int, LoggedMetric]] = []
        """Values that children of composites logged, with the id of the job, which no turn has told yet."""
        context.tracking.listen_to_metrics(self.find_metric_listener)
        self._started: dict[str, tuple[Any, ...]] = {}
        self._finished: deque[tuple[int, dict[str, Any] | None]] = deque()
        self._input_checks: dict[int, asyncio.Future[None]] = {}
        self._checked_inputs: deque[tuple[Job, str]] = deque()
        self._changed: set[int] = set()
        self.deletions = Deletions(context)
        self.step_reuse = StepReuse(context)
        self._composites = Composites(context, self.step_reuse.find_place, self._request_turn)
        self.reuse_settler = ReuseSettler(self.step_reuse.reuse, self._is_idle)
        self._handover = (
            HandOver(context, self.queues, self.step_reuse) if hands_over else NoHandOver(context, self.queues)
        )
        self.protection = VersionProtection(context, self.step_reuse.reuse)
        self._dispatcher = self._new_dispatcher()
        self._stops: list[str] = []
        self._is_turn_requested = False
        self._batch_timer: asyncio.TimerHandle | None = None
        self._is_closed = False
        self._is_paused = False
        self._retry_timer: asyncio.TimerHandle | None = None
        self._last_failure = ""
        """Why the last turn that could not be committed could not be."""
        self._reported_busy = False

    @property
    def _is_stalled(self) -> bool:
        """True from a turn that could not be committed until the records are read again."""
        return self._retry_timer is not None

    def _is_idle(self) -> bool:
        return not (self._is_closed or self._is_stalled or self.queues.is_busy)

    @property
    def unfinished_count(self) -> int:
        return jobs.count_unfinished(self._db)

    async def open(self) -> None:
        """Settle what an earlier server left, before any request is answered."""
        self.context.environments.remove_left_over()
        self.deletions.resume_deletions()
        await self.context.computes.open(self._on_started, self._on_exit)
        steps = {attempt.step_id: attempt.compute for attempt in job_attempts.list_open_attempts(self._db)}
        states = await self.context.computes.recover(steps)
        self._exits.extend(state for state in states.values() if isinstance(state, Exit))
        self._load_queues()
        self._metrics += self._composites.load_missed_metrics()
        self._run_turn()
        self.reuse_settler.start_soon()
        self.protection.start_unprotected()

    async def close(self) -> None:
        """Run no more turns; the steps go on under the launcher."""
        await self.reuse_settler.close()
        await self.protection.close()
        await self.deletions.close()
        self._is_closed = True
        if self._retry_timer is not None:
            self._retry_timer.cancel()
        self.queues.cancel_tasks()
        self._composites.clear()
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
                self._end_job(job, "Failed", outcome.make_error(why_not, "NotSupported"))
            if is_new and record is not None:
                record(job)
        if why_not:
            self._request_turn()
            return jobs.get_job(self._db, job.id)
        if is_new:
            self.queues.keep_entities({job.id: entity})
            if remote and job.is_composite:
                self._input_checks[job.id] = asyncio.ensure_future(self._check_inputs(job, remote))
            else:
                self.queues.add(job)
            self._changed.add(job.root_id)
            self._request_turn()
        return job

    def cancel(self, job: Job, why: str = "canceled") -> None:
        """Ask the job and all jobs below it to end, durably; `why` becomes the error message of each."""
        job = jobs.get_job(self._db, job.id)  # by now it may be planned, and its children are to be cancelled
        if job.is_over:
            return
        error = outcome.make_error(why, "Canceled")
        if self._is_stalled:  # the queues tell of a turn that was not committed
            with self._db.transaction():
                self._record_cancel(job, error)
            return
        try:
            with self._db.transaction():
                self._cancel_tree(job, error)
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
        """Return a phrase for what a job that has not started waits for."""
        if job.id in self._input_checks:
            return "its inputs on the network, which are being looked for"
        return waits_for(self._db, self.queues, job)

    async def _check_inputs(self, job: Job, remote: list[str]) -> None:
        """Check that a pipeline's inputs elsewhere on the network are there, before its first step starts."""
        workspace = self.context.workspace(job)
        try:
            problems = [await asyncio.to_thread(self.context.data.check_exists, uri, workspace) for uri in remote]
        except Exception as error:  # whatever it is, the job must not wait for ever
            problems = [to_sentence(error)]
        del self._input_checks[job.id]
        self._checked_inputs.append((job, "; ".join(problem for problem in problems if problem)))
        self._request_turn()

    def _take_checked_inputs(self) -> None:
        while self._checked_inputs:
            job, problem = self._checked_inputs.popleft()
            if problem:
                self._end_job(job, "Failed", outcome.make_error(problem, "InputMissing"))
            else:
                self.queues.add(job)

    def _on_started(self, step_id: str, process: Process, since: float) -> None:
        self._started[step_id] = (*process, since)
        run = self.queues.steps.get(step_id)
        if (run and run.is_queued) or self._handover.wants_turn_for_start():
            self._request_turn_for_news()

    def _on_exit(self, exit: Exit) -> None:
        self._exits.append(exit)
        self._request_turn_for_news()

    def _request_turn_for_news(self) -> None:
        """Run a turn now, or batch news for 20 ms while no slot is idle."""
        if not self._handover.may_batch(self._started, len(self._exits)):
            self._request_turn()
        elif self._batch_timer is None and not self._is_turn_requested:
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
                self._take_metrics()
                for exit in exits:
                    self._take_exit(exit)
                self._take_started(started, {exit.step_id for exit in exits})
                self._take_deadlines()
                self._take_checked_inputs()
                self._take_readings()
                self._take_finished()
                self._dispatcher.take_prepared()
                self._plan_all()
                self._dispatcher.fill_slots()
        except Exception as error:
            self._wait_for_records(error, exits, started)
            return
        self._metrics.clear()
        self.context.computes.acknowledge([exit.step_id for exit in exits])
        self._apply_turn()

    def _apply_turn(self) -> None:
        """Act on what has been committed: start and stop steps, wake watchers."""
        steps, self._dispatcher.steps = self._dispatcher.steps, []
        stops, self._stops = self._stops, []
        self._composites.write_notes()
        self._handover.start_granted()
        if steps:
            self.context.computes.start(steps)
        for step_id in stops:
            self.context.computes.stop(step_id, GRACE)
        self.protection.start_registered()
        self.watch.wake_watchers(self._changed)
        self._changed.clear()
        if steps or self._handover.has_work:
            asyncio.get_running_loop().call_soon(self._run_prefetch)
        busy = self.queues.is_busy or bool(self._input_checks) or self._composites.is_reading
        if busy != self._reported_busy:
            self._reported_busy = busy
            self.context.computes.set_unfinished(int(self._reported_busy))
            self.reuse_settler.start_soon()

    def _run_prefetch(self) -> None:
        if not (self._is_closed or self._is_stalled):
            self._handover.run_prefetch()

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
        self._stops = []
        self._dispatcher.steps.clear()
        self._handover.drop_granted()
        self.queues.cancel_tasks()
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

    def _load_queues(self) -> None:
        """Make queues and slots from the records; a step whose exit is not known is taken to run."""
        self.queues = Queues(self.context.computes.capacities, self._find_runner)
        self._handover.reset(self.queues)
        self._dispatcher = self._new_dispatcher()
        self.protection.forget_uncommitted()
        self._finished.clear()
        self._checked_inputs.clear()
        self._composites.clear()
        self.step_reuse.clear()
        attempts = {attempt.job_id: attempt for attempt in job_attempts.list_open_attempts(self._db)}
        exited = {exit.step_id for exit in self._exits}
        unplanned: set[int] = set()
        over: list[Job] = []  # what follows from their ends may stop others, which have to be known by then
        for job in jobs.list_unfinished(self._db):
            if job.parent_id in unplanned:  # a plan that was cut short, which will be made again with other jobs
                continue
            if job.is_composite and not job.planned:
                unplanned.add(job.id)
            elif job.is_composite and not job.cancel_requested:
                self._composites.set_deadline(self._composites.view_of(job.id, job))
            attempt = attempts.get(job.id)
            if attempt:
                is_local = attempt.compute == self.queues.local.name
                may_wait = is_local and job.status == "Queued" and attempt.step_id not in exited
                if not (may_wait and self._handover.restore_waiting(job, attempt)):
                    self.queues.hold_slot(job, attempt)
                if job.cancel_requested and attempt.step_id not in exited:
                    self._stops.append(attempt.step_id)
            elif job.status == "Finalizing" and not job.is_composite:
                self._finish_leaf_again(job)
            elif job.cancel_requested and not (job.is_composite and (job.planned or job.open)):
                over.append(job)
            elif not job.is_composite or not job.planned:
                if job.id not in self._input_checks:
                    self._add_checked(job)
            elif job.open == 0:
                over.append(job)
        for job in over:
            with self._db.transaction():
                if job.is_composite and job.planned:
                    self._end_all(self._parent_ends(job.id))
                else:
                    self._end_job(job, "Canceled")
        for child in jobs.list_untold_ends(self._db):
            with self._db.transaction():
                self._end_all(self._tell_parent(child))

    def _add_checked(self, job: Job) -> None:
        """Queue a job, or look again for its inputs on the network: that they are there was only in memory."""
        is_submitted = job.is_composite and job.parent_id is None
        remote = acceptance.find_remote_inputs(self.context, self.context.workspace(job), job) if is_submitted else []
        if remote:
            self._input_checks[job.id] = asyncio.ensure_future(self._check_inputs(job, remote))
        else:
            self.queues.add(job)

    def _finish_leaf_again(self, job: Job) -> None:
        """Store the outputs of a job whose storing a crash cut short; storing them twice is harmless."""
        run = self.queues.hold_slot(job)
        last = job_attempts.list_attempts(self._db, job.id)[-1]
        reason = cast("Reason", last.reason or "exited")
        exit = Exit(last.step_id, last.exit_code, last.signal, reason, None, None, last.ended_at or 0.0, None)
        run.task = asyncio.ensure_future(self._finish_leaf(run, exit, last.number))

    def _find_runner(self, job: Job, entity: Any) -> str:
        compute = entity.compute if entity is not None else jobs.read_properties(self._db, job.id).get("computeId")
        return self.context.computes.find_backend(compute).runner.name

    def _new_dispatcher(self) -> Dispatcher:
        return Dispatcher(
            self.context, self.queues, self._handover, self.step_reuse, self._changed, self._end_job, self._request_turn
        )

    def _take_started(self, started: dict[str, tuple[Any, ...]], ended: set[str]) -> None:
        """Record the starts of steps; a step that has ended as well is recorded with its end."""
        for step_id, process in started.items():
            run = self.queues.steps.get(step_id)
            if run:
                self._dispatcher.note_started(run, process[-1])
            if step_id not in ended:
                job_attempts.record_process(self._db, step_id, process)

    def _plan_all(self) -> None:
        """Plan what is to be planned, large ones some steps a turn."""
        queues = self.queues
        half = []
        while queues.plans:
            job = jobs.get_job(self._db, queues.plans.popleft())
            if not self._plan_job(job):
                half.append(job.id)
        if half:
            queues.plans.extend(half)
            self._request_turn()

    def _plan_job(self, job: Job) -> bool:
        """Continue the job's plan; return True when nothing is left to plan now."""
        if job.is_over or job.planned:
            return True
        composites = self._composites
        composites.view_of(job.id, job, self.queues.entities.pop(job.id, None))
        try:
            if composites.start_reading_for_plan(job):
                return True
            if not composites.advance_plan(job, _MOST_PLANNED):
                return False
        except Exception as error:
            self._end_job(job, "Failed", outcome.make_error(to_sentence(error), "PlanningFailed"))
            return True
        added = composites.record_plan(job)  # a fault of the records: the turn is tried again
        self._changed.add(job.root_id)
        self._end_all(self._queue_children(added))
        if not jobs.get_job(self._db, job.id).open:
            self._end_all(self._parent_ends(job.id))
        return True

    def _queue_children(self, added: Added) -> list[Ending]:
        """Queue the new children that wait for nothing; return the ends of those that do not run."""
        self.queues.keep_entities(added.entities)
        for child in added.free:
            self.queues.add(child)
        return added.over

    def find_metric_listener(self, workspace: Workspace, run: str) -> Callable[[Sequence[LoggedMetric]], None] | None:
        """Return what takes the metrics of a job's run, if the kind of a job above it reacts to them."""
        job = jobs.find_by_name(self._db, workspace.id, run)
        found = self._composites.find_listener(job) if job is not None else None
        if job is None or found is None:
            return None
        view, _ = found

        def take(metrics: Sequence[LoggedMetric]) -> None:
            heard = [(job.id, metric) for metric in metrics if view.kind.hears_metric(view, metric.name)]
            if heard:
                self._metrics += heard
                self._request_turn()

        return take

    def _take_metrics(self) -> None:
        """Tell composites of their children's metrics, before the ends that have arrived since."""
        for job_id, metric in self._metrics:
            job = jobs.find_job(self._db, job_id)
            told = self._composites.react_to_metric(job, metric) if job is not None and not job.is_over else None
            if told is not None:
                self._end_all(self._apply_changes(*told))

    def _take_deadlines(self) -> None:
        """Cancel the composites whose time is up."""
        passed = self._composites.deadlines.passed
        while passed:
            job_id, error = passed.popleft()
            job = jobs.find_job(self._db, job_id)
            if job is not None and not job.is_over and not job.cancel_requested:
                self._cancel_tree(job, error)

    def _take_readings(self) -> None:
        """Take what kinds have read beside the loop: plans go on, and composites are told of ends."""
        while self._composites.done:
            reading = self._composites.done.popleft()
            if reading.child_id is not None:
                child = jobs.get_job(self._db, reading.child_id)
                self._end_all(self._tell_parent(child, reading.found, reading.error, is_read=True))
                continue
            job = jobs.get_job(self._db, reading.composite_id)
            if reading.error is not None:
                self._end_job(job, "Failed", outcome.make_error(to_sentence(reading.error), "PlanningFailed"))
            else:
                self._composites.note_found(job, reading.found)
                self.queues.add(job)

    def _take_exit(self, exit: Exit) -> None:
        self.context.verified.forget_small()
        run = self.queues.steps.get(exit.step_id) or self._find_recorded_run(exit.step_id)
        if run is None:
            return
        process = None
        if exit.process and exit.started:
            process = (*exit.process, exit.started)
            self._dispatcher.note_started(run, exit.started)
        job_attempts.end_attempt(
            self._db, exit.step_id, exit.code, exit.signal, exit.reason, exit.ended, process, (exit.cpu, exit.peak)
        )
        self._changed.add(run.job.root_id)
        if exit.reason == "never started" and run.job.cancel_requested:
            self._end_job(run.job, "Canceled")
        elif not run.job.cancel_requested and self._has_another_attempt(run, exit):
            self._free_slots(run.job)
            jobs.set_status(self._db, run.job, "Queued")
            self._stops += self._handover.remove_dependents(run.job)
            if not jobs.get_job(self._db, run.job.id).waiting:
                self.queues.add_again(run.job, never_started=exit.reason == "never started")
        else:
            self._settle_leaf(run, exit, run.number)

    def _take_exits_apart(self) -> None:
        """Settle the exits one by one after a failed turn: the one that caused it fails its own job only."""
        exits, self._exits = self._exits, []
        for exit in exits:
            try:
                try:
                    with self._db.transaction():
                        self._take_exit(exit)
                except Unavailable:
                    raise
                except Exception as error:
                    self._load_queues()
                    with self._db.transaction():
                        self._fail_exited(exit, to_sentence(error))
            except Unavailable:
                self._exits.append(exit)
            except Exception:
                log.exception("the end of step %s cannot be recorded before the server is started again", exit.step_id)
            else:
                self._composites.write_notes()
                self.context.computes.acknowledge([exit.step_id])

    def _fail_exited(self, exit: Exit, why: str) -> None:
        job_attempts.end_attempt(self._db, exit.step_id, exit.code, exit.signal, exit.reason, exit.ended)
        run = self.queues.steps.get(exit.step_id)
        if run:
            self._end_leaf(run, outcome.make_error(why))

    def _has_another_attempt(self, run: LeafRun, exit: Exit) -> bool:
        """Return True if the step never ran, or failed and its retries allow another attempt."""
        if exit.reason == "never started":
            return True
        if outcome.find_exit_error(exit, None) is None:
            return False
        try:
            run.leaf = run.leaf or self._dispatcher.read_leaf(run.job)
        except Exception:  # what it names is gone, perhaps: settling it says so
            return False
        allowed = run.leaf.retries
        return allowed > 0 and job_attempts.count_started_attempts(self._db, run.job.id) <= allowed

    def _find_recorded_run(self, step_id: str) -> LeafRun | None:
        """Return the run of a step that only the records know; None if its end is recorded already."""
        attempt = job_attempts.find_open_attempt(self._db, step_id)
        return self.queues.hold_slot(jobs.get_job(self._db, attempt.job_id), attempt) if attempt else None

    def _settle_leaf(self, run: LeafRun, exit: Exit, number: int) -> None:
        """Store the outputs and end the job: in this turn if that takes only renames, else beside the loop."""
        try:
            leaf = run.leaf = run.leaf or self._dispatcher.read_leaf(run.job)
        except Exception as error:
            self._end_leaf(run, outcome.find_exit_error(exit, None) or outcome.make_error(to_sentence(error)))
            return
        run.input_change = leaf.find_moved_input(self.context)
        results = self._find_backend(run, leaf).results
        left = results.inspect_small_result(leaf.make_spec(number)) if leaf.finishes_quickly else None
        if left is not None:
            self._end_leaf(run, self._store_outputs(run, leaf, exit, number, left))
            return
        jobs.set_status(self._db, run.job, "Finalizing")
        run.task = asyncio.ensure_future(self._finish_leaf(run, exit, number))

    def _store_outputs(
        self, run: LeafRun, leaf: Leaf, exit: Exit, number: int, left: SmallResult | None = None
    ) -> dict[str, Any] | None:
        """Store what the command left and return the job's error; storing can fail only a command that succeeded."""
        noted = left.noted if left else None
        backend, spec = self._find_backend(run, leaf), leaf.make_spec(number)
        results = backend.results
        error = outcome.find_exit_error(exit, leaf.timeout)
        if error is not None:
            entity, cwd = leaf.entity, backend.steps.get_working_directory(spec)
            error = outcome.add_command_hint(error, entity.command, cwd, entity.properties.get("smalt.command-file"))
            error = outcome.add_disk_hint(leaf.explain_failure(cwd, error), self.context.root)
            if run.environment is not None and run.environment.declared_hash == HOST:
                log_file = f"{backend.steps.get_log_folder(spec)}/std_log.txt"
                error = outcome.add_module_hint(error, log_file, run.environment.python)
        elif change := run.input_change or results.find_changed_input(spec, noted):
            error = outcome.make_error(change, "InputChanged")
        try:
            if error is None:
                results.check_values(spec)
        except Exception as caught:
            error = outcome.make_error(to_sentence(caught), "OutputsFailed")
        try:
            with stop_when(lambda: bool(run.job.cancel_requested)):
                untouched = results.finish(spec, left, partial(self.context.say, leaf.job))
            run.is_untouched = untouched and error is None
            if error is None and leaf.entity.outputs:
                if left is None or left.kept:  # what is kept may have been moved to where an output is
                    run.empty_outputs = results.find_empty_outputs(spec)
                else:
                    run.empty_outputs = left.empty
            if error is None and left is None:
                leaf.protect_outputs(self.context)
        except Exception as caught:
            return error or outcome.make_error(
                f"its outputs could not be stored: {to_sentence(caught)}", "OutputsFailed"
            )
        return error

    def _find_backend(self, run: LeafRun, leaf: Leaf) -> Backend:
        """Return where the step ran; after a restart its environment is found again, which is built."""
        if run.environment is None:
            run.environment = self.context.environments.find_built(leaf.environment)
        return leaf.backend(self.context, run.environment)

    async def _finish_leaf(self, run: LeafRun, exit: Exit, number: int) -> None:
        """Store outputs beside the loop."""
        try:
            leaf = run.leaf or self._dispatcher.read_leaf(run.job)
            run.input_change = run.input_change or leaf.find_moved_input(
                self.context
            )  # where a crash came after its end
            error = await asyncio.to_thread(self._store_outputs, run, leaf, exit, number)
        except Exception as caught:  # whatever it is, the job must not wait for ever
            error = outcome.make_error(to_sentence(caught), "OutputsFailed")
        self._finished.append((run.job.id, error))
        self._request_turn()

    def _take_finished(self) -> None:
        while self._finished:
            job_id, error = self._finished.popleft()
            run = self.queues.runs.get(job_id)
            if run is not None:
                self._changed.add(run.job.root_id)
                if error is None and not run.job.cancel_requested:
                    error = self._register_outputs(run.job, run.empty_outputs)
                self._end_leaf(run, error)

    def _end_leaf(self, run: LeafRun, error: dict[str, Any] | None) -> None:
        """End a job whose command has ended. A cancellation recorded by now counts, whatever the exit code."""
        if run.job.cancel_requested:
            self._end_job(run.job, "Canceled")
        elif error is None:
            run.job.empty_outputs = " ".join(run.empty_outputs) or None
            self._end_job(run.job, "Completed")
        else:
            self._end_job(run.job, "Failed", error)

    def _register_outputs(self, job: Job, empty: Sequence[str] | None) -> dict[str, Any] | None:
        """Register the named outputs of a job that is about to complete; return the error if that fails."""
        try:
            register_outputs(self.context, job, empty)
        except Unavailable:  # no fault of the job: the turn is tried again
            raise
        except Exception as caught:
            return outcome.make_error(to_sentence(caught), "OutputsFailed")
        return None

    def _free_slots(self, job: Job) -> None:
        run = self.queues.remove(job)
        if run:
            self._handover.end_run(run)

    def _end_job(self, job: Job, status: str, error: dict[str, Any] | None = None) -> None:
        """End the job; its parent may end too, and the jobs that waited for it go on or are given up."""
        self._end_all([(job, status, error)])

    def _end_all(self, endings: Iterable[Ending]) -> None:
        work = deque(endings)
        while work:
            job, status, error = work.popleft()
            self._composites.ending.discard(job.id)
            if job.is_over or jobs.is_over(self._db, job.id):
                continue
            last = ("Finalizing", status) if status == "Completed" and job.status == "Running" else (status,)
            jobs.set_status(self._db, job, *last, error=error)
            self.context.tracking.runs.record_end(job)
            if status == "Failed":
                self.context.verified.forget_all()
            self.protection.note_job_end(job)
            self._changed.add(job.root_id)
            self._free_slots(job)
            self._handover.discard_leaf(job)
            if job.is_composite:
                self._composites.forget(job.id)
            if job.parent_id is None:
                self.step_reuse.forget_tree(job.id)
            else:
                work.extend(self._tell_parent(job))

    def _tell_parent(
        self, child: Job, found: Any = None, error: Exception | None = None, *, is_read: bool = False
    ) -> list[Ending]:
        """Apply what the end of a child means for its parent; return the ends that follow at once.

        `found` or `error` come of what the parent's kind wanted to read first (`is_read`): else that is begun now.
        """
        assert child.parent_id is not None
        if not is_read and self._composites.start_reading_of_end(child):
            return []
        changes = self._composites.react(child, found, error)
        parent_id = child.parent_id
        if child.status == "Completed" or changes.starts_after_failure:
            for one in jobs.release_dependents(self._db, child):
                if child.status == "Completed" or one.node in changes.starts_after_failure:
                    self._queue_released(one)
        endings = self._apply_changes(parent_id, changes)
        if self._composites.view_of(parent_id).open == 0:
            endings += self._parent_ends(parent_id)
        return endings

    def _apply_changes(self, parent_id: int, changes: Changes) -> list[Ending]:
        """Apply what the kind of a composite wants, inside a transaction; return the ends that follow at once."""
        endings: list[Ending] = []
        canceled = list(changes.cancel)
        if changes.error is not None:
            why = outcome.make_error(f"its parent failed: {changes.error['message']}", "Canceled")
            canceled += [(one, why) for one in jobs.list_children(self._db, parent_id) if not one.is_over]
        for one, reason in canceled:
            if one.status == "NotStarted" and one.id not in self.queues.runs:
                self._composites.ending.add(one.id)
                endings.append((one, "Canceled", reason))
            else:
                self._cancel_tree(one, reason)
        for one, body in changes.rewrite:
            jobs.set_properties(self._db, one, dict(body))
            self.queues.entities.pop(one.id, None)
            self._handover.discard_leaf(one)
        for one in changes.start:
            if not jobs.is_over(self._db, one.id) and one.id not in self._composites.ending:
                self._queue_released(jobs.release_job(self._db, one))
        view = self._composites.view_of(parent_id)
        if changes.add:
            endings += self._queue_children(self._composites.add_children(view, changes.add))
            self._request_turn()
        return endings

    def _queue_released(self, job: Job) -> None:
        """Queue the job, unless it waits for others still or was handed over already."""
        if job.waiting == 1:
            self._handover.note_released()
        elif job.waiting == 0 and not self._handover.unblock_job(job):
            self.queues.add(job)

    def _parent_ends(self, parent_id: int) -> list[Ending]:
        """Return the end of a composite that has no open child; its kind says which."""
        ends = self._composites.find_outcome(parent_id)
        parent, status, error = jobs.get_job(self._db, parent_id), ends.status, ends.error
        for note in ends.notes:
            self._composites.add_note(parent, note)
        if ends.moved_outputs:
            self.step_reuse.move_outputs(parent, ends.moved_outputs)
        if ends.absent_outputs:
            job_data.remove_outputs(self._db, parent, ends.absent_outputs)
        if status == "Completed":
            if ends.absent_outputs:
                names = ", ".join(f"'{name}'" for name in ends.absent_outputs)
                note = f"no step that writes {names} ran, so there is no data of that output"
                self._composites.add_note(parent, note)
            if error := self._register_outputs(parent, None):
                status = "Failed"
        if ends.properties or ends.tags or ends.metrics:
            self._describe_end(parent, ends)
        return [(parent, status, error)]

    def _describe_end(self, job: Job, ends: Outcome) -> None:
        """Add the properties, tags and metrics of a composite's end to the job and its run."""
        jobs.add_run_metrics(self._db, job.id, ends.metrics)
        body = jobs.read_properties(self._db, job.id)
        for key, more in (("properties", ends.properties), ("tags", ends.tags)):
            body[key] = {**(body.get(key) or {}), **more}
        jobs.update_description(self._db, job, body, display_name=job.display_name, is_archived=bool(job.is_archived))
        self.context.tracking.runs.record_description(job)

    def _cancel_tree(self, job: Job, why: dict[str, Any] | None) -> None:
        """End what has not started and stop what has, in a transaction; `why` is the error of each job."""
        todo = deque([job])
        while todo:
            one = todo.popleft()
            run = self.queues.runs.get(one.id)
            one = run.job if run else one
            if jobs.is_over(self._db, one.id):
                continue
            jobs.request_cancel(self._db, one, why)
            self._changed.add(one.root_id)
            if run and one.status == "Finalizing":
                continue  # its command has ended: what is to be copied is given up, and it is Canceled
            if run and run.step_id:
                self._handover.remove_waiting(one)
                jobs.set_status(self._db, one, "CancelRequested")
                self._stops.append(run.step_id)
            elif one.is_composite and one.open:
                jobs.set_status(self._db, one, "CancelRequested")
                todo.extend(child for child in jobs.list_children(self._db, one.id) if not child.is_over)
                for child_id in self._composites.stop_reading(one.id):
                    self._end_all(self._tell_parent(jobs.get_job(self._db, child_id), is_read=True))
            else:
                if run and run.task:
                    run.task.cancel()
                self._end_job(one, "Canceled")

    def _record_cancel(self, job: Job, why: dict[str, Any] | None) -> None:
        """Record that the job and all below it are to end; that follows once the records are read again."""
        todo = deque([job])
        while todo:
            one = todo.popleft()
            jobs.request_cancel(self._db, one, why)
            if one.is_composite:
                todo.extend(child for child in jobs.list_children(self._db, one.id) if not child.is_over)
