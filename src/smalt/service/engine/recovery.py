"""The queues, made from the records: at the start, and after a turn that could not be committed."""

from __future__ import annotations

from collections.abc import Collection

from smalt.service.engine.endings import Endings
from smalt.service.engine.exits import ExitSettler
from smalt.service.engine.input_checks import InputChecks
from smalt.service.engine.state import SharedState
from smalt.service.records import child_ends, job_attempts, jobs
from smalt.service.records.job_attempts import Attempt
from smalt.service.records.jobs import Job


class Recovery:
    """Puts the recorded jobs that are not over into empty queues; a step whose exit is not known is taken to run."""

    def __init__(
        self, state: SharedState, endings: Endings, exit_settler: ExitSettler, input_checks: InputChecks
    ) -> None:
        self._state = state
        self._endings = endings
        self._exit_settler = exit_settler
        self._input_checks = input_checks
        self._db = state.context.db

    def queue_recorded_jobs(self, exited: Collection[str]) -> None:
        """Queue what is unfinished, and end what only has to be ended; `exited` are steps with exits not yet taken."""
        composites = self._state.composites
        attempts = {attempt.job_id: attempt for attempt in job_attempts.list_open_attempts(self._db)}
        unplanned: set[int] = set()
        over: list[Job] = []  # what follows from their ends may stop others, which have to be known by then
        for job in jobs.list_unfinished(self._db):
            if job.parent_id in unplanned:  # a plan that was cut short, which will be made again with other jobs
                continue
            if job.is_composite and not job.planned:
                unplanned.add(job.id)
            elif job.is_composite and not job.cancel_requested:
                composites.set_deadline(composites.view_of(job.id, job))
            attempt = attempts.get(job.id)
            if attempt:
                self._hold_slot(job, attempt, has_exited=attempt.step_id in exited)
            elif job.status == "Finalizing" and not job.is_composite:
                self._exit_settler.finish_leaf_again(job)
            elif job.cancel_requested and not (job.is_composite and (job.planned or job.open)):
                over.append(job)
            elif not job.is_composite or not job.planned:
                self._input_checks.queue_job(job)
            elif job.open == 0:
                over.append(job)
        for job in over:
            with self._db.transaction():
                if job.is_composite and job.planned:
                    self._endings.end_all(self._endings.find_parent_end(job.id))
                else:
                    self._endings.end_job(job, "Canceled")
        for child in child_ends.list_ended_uncounted(self._db):
            with self._db.transaction():
                self._endings.end_all(self._endings.tell_parent(child))

    def _hold_slot(self, job: Job, attempt: Attempt, *, has_exited: bool) -> None:
        """Give the job of a started step its slots again, unless the step waits at the launcher for them."""
        is_local = attempt.compute == self._state.queues.local.name
        may_wait = is_local and job.status == "Queued" and not has_exited
        if not (may_wait and self._state.handover.restore_waiting(job, attempt)):
            self._state.queues.hold_slot(job, attempt)
        if job.cancel_requested and not has_exited:
            self._state.stops.append(attempt.step_id)
