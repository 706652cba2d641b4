"""Exits of steps: another attempt, or the outputs are stored and the job ends."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import Any, cast

from smalt.runner import contain
from smalt.service.compute.backend import Backend, Exit, Reason
from smalt.service.compute.spec import StepSpec
from smalt.service.compute.step import SmallResult
from smalt.service.data.files.copy_cancellation import stop_when
from smalt.service.engine import outcome
from smalt.service.engine.dispatch import Dispatcher
from smalt.service.engine.endings import Endings
from smalt.service.engine.error_lines import read_error_line
from smalt.service.engine.kinds import Leaf
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.outputs.missing_outputs import add_unmarked_hint, find_unmarked_outputs
from smalt.service.engine.queues import LeafRun
from smalt.service.engine.state import SharedState
from smalt.service.environments import HOST
from smalt.service.records import job_attempts, jobs
from smalt.service.records.jobs import Job


class ExitSettler:
    """Settles the leaves whose steps have ended."""

    def __init__(self, state: SharedState, endings: Endings, dispatcher: Dispatcher) -> None:
        self._state = state
        self._endings = endings
        self._dispatcher = dispatcher
        self._db = state.context.db
        self._finished: deque[tuple[int, dict[str, Any] | None]] = deque()
        """The jobs whose outputs have been stored beside the loop, each with its error."""

    def clear(self) -> None:
        """Forget what was stored beside the loop: the records are read again."""
        self._finished.clear()

    def take_exit(self, exit: Exit) -> None:
        """Record the end of a step; queue the leaf for another attempt, or settle it."""
        self._state.context.verified.forget_small()
        run = self._state.queues.steps.get(exit.step_id) or self._find_recorded_run(exit.step_id)
        if run is None:
            return
        process = None
        if exit.process and exit.started:
            process = (*exit.process, exit.started)
            self._dispatcher.note_started(run, exit.started, has_ended=True)
        job_attempts.end_attempt(
            self._db,
            exit.step_id,
            exit.code,
            exit.signal,
            exit.reason,
            exit.ended,
            process,
            (exit.cpu, exit.peak, exit.first_line, exit.mode),
            (None if exit.imported is None else ", ".join(exit.imported), exit.saved),
            exit.cold_reason,
        )
        self._state.changed.add(run.job.root_id)
        if exit.reason == "never started" and run.job.cancel_requested:
            self._endings.end_job(run.job, "Canceled")
        elif not run.job.cancel_requested and self._has_another_attempt(run, exit):
            self._endings.free_slots(run.job)
            jobs.set_status(self._db, run.job, "Queued")
            self._state.stops += self._state.handover.remove_dependents(run.job)
            if not jobs.get_job(self._db, run.job.id).waiting:
                self._state.queues.add_again(run.job, never_started=exit.reason == "never started")
        else:
            self._settle_leaf(run, exit, run.number)

    def fail_exited(self, exit: Exit, why: str) -> None:
        """End the job of a step whose exit cannot be taken; `why` becomes its error."""
        job_attempts.end_attempt(self._db, exit.step_id, exit.code, exit.signal, exit.reason, exit.ended)
        run = self._state.queues.steps.get(exit.step_id)
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
        return self._state.queues.hold_slot(jobs.get_job(self._db, attempt.job_id), attempt) if attempt else None

    def _settle_leaf(self, run: LeafRun, exit: Exit, number: int) -> None:
        """Store the outputs and end the job: in this turn if that takes only renames, else beside the loop."""
        try:
            leaf = run.leaf = run.leaf or self._dispatcher.read_leaf(run.job)
        except Exception as error:
            self._end_leaf(run, outcome.find_exit_error(exit, None) or outcome.make_error(to_sentence(error)))
            return
        run.input_change = leaf.find_moved_input(self._state.context)
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
            error = self._explain_failure(run, leaf, backend, spec, error)
        elif change := run.input_change or results.find_changed_input(spec, noted):
            error = outcome.make_error(change, "InputChanged")
        elif change := self._find_environment_change(run):
            error = outcome.make_error(change, "EnvironmentChanged")
        try:
            if error is None:
                results.check_values(spec)
        except Exception as caught:
            error = outcome.make_error(to_sentence(caught), "OutputsFailed")
        try:
            with stop_when(lambda: bool(run.job.cancel_requested)):
                untouched = results.finish(spec, left, partial(self._state.context.say, leaf.job))
            run.is_untouched = untouched and error is None
            if error is None and leaf.entity.outputs:
                if left is None or left.kept:  # what is kept may have been moved to where an output is
                    run.empty_outputs = results.find_empty_outputs(spec)
                else:
                    run.empty_outputs = left.empty
                for line in find_unmarked_outputs(spec, run.empty_outputs):
                    self._state.context.say(leaf.job, line)
            if error is None and left is None:
                leaf.protect_outputs(self._state.context)
        except Exception as caught:
            return error or outcome.make_error(
                f"its outputs could not be stored: {to_sentence(caught)}", "OutputsFailed"
            )
        return error

    def _explain_failure(
        self, run: LeafRun, leaf: Leaf, backend: Backend, spec: StepSpec, error: dict[str, Any]
    ) -> dict[str, Any]:
        """Add to the error of a command what its log, folder and disk say of the cause."""
        entity, cwd = leaf.entity, backend.steps.get_working_directory(spec)
        error = outcome.add_command_hint(error, entity.command, cwd, entity.properties.get("smalt.command-file"))
        error = outcome.add_program_sentence(leaf.explain_failure(cwd, error), cwd, contain.SENTENCE)
        error = outcome.add_disk_hint(error, self._state.context.root)
        log_file = f"{backend.steps.get_log_folder(spec)}/std_log.txt"
        if run.environment is not None and run.environment.declared_hash == HOST:
            error = outcome.add_module_hint(error, log_file, run.environment.python)
        mask = self._state.context.vault.get_mask(leaf.workspace)
        error = outcome.add_error_line(error, read_error_line(log_file, mask))
        error = add_unmarked_hint(self._state.context, leaf, error)
        change = self._find_environment_change(run)
        return {**error, "message": f"{error['message']}; {change}"} if change else error

    def _find_environment_change(self, run: LeafRun) -> str | None:
        """Return a sentence if the environment of the step was changed, also where an earlier server started it."""
        stored = run.stored_environment
        return self._state.context.environments.find_change(stored) if stored else None

    def _find_backend(self, run: LeafRun, leaf: Leaf) -> Backend:
        """Return where the step ran; after a restart its environment is found again, which is built."""
        if run.environment is None:
            run.environment = self._state.context.environments.find_built(leaf.environment)
        return leaf.backend(self._state.context, run.environment)

    async def _finish_leaf(self, run: LeafRun, exit: Exit, number: int) -> None:
        """Store outputs beside the loop."""
        try:
            leaf = run.leaf or self._dispatcher.read_leaf(run.job)
            if not run.input_change:  # where a crash came after its end
                run.input_change = leaf.find_moved_input(self._state.context)
            error = await asyncio.to_thread(self._store_outputs, run, leaf, exit, number)
        except Exception as caught:  # whatever it is, the job must not wait for ever
            error = outcome.make_error(to_sentence(caught), "OutputsFailed")
        self._finished.append((run.job.id, error))
        self._state.request_turn()

    def take_finished(self) -> None:
        """End the jobs whose outputs have been stored beside the loop."""
        while self._finished:
            job_id, error = self._finished.popleft()
            run = self._state.queues.runs.get(job_id)
            if run is not None:
                self._state.changed.add(run.job.root_id)
                if error is None and not run.job.cancel_requested:
                    error = self._endings.register_job_outputs(run.job, run.empty_outputs)
                self._end_leaf(run, error)

    def _end_leaf(self, run: LeafRun, error: dict[str, Any] | None) -> None:
        """End a job whose command has ended. A cancellation recorded by now counts, whatever the exit code."""
        if run.job.cancel_requested:
            self._endings.end_job(run.job, "Canceled")
        elif error is None:
            run.job.empty_outputs = " ".join(run.empty_outputs) or None
            self._endings.end_job(run.job, "Completed")
        else:
            self._endings.end_job(run.job, "Failed", error)

    def finish_leaf_again(self, job: Job) -> None:
        """Store the outputs of a job whose storing a crash cut short; storing them twice is harmless."""
        run = self._state.queues.hold_slot(job)
        last = job_attempts.list_attempts(self._db, job.id)[-1]
        reason = cast("Reason", last.reason or "exited")
        exit = Exit(last.step_id, last.exit_code, last.signal, reason, None, None, last.ended_at or 0.0, None)
        run.task = asyncio.ensure_future(self._finish_leaf(run, exit, last.number))
