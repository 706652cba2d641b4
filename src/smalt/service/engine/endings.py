"""Ends of jobs and what follows, in one transaction: parents are told, dependents go on or are given up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from smalt.exceptions import Unavailable
from smalt.service.engine import outcome
from smalt.service.engine.composites import Added
from smalt.service.engine.kinds import Changes, Outcome
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.outputs.registration import register_outputs
from smalt.service.engine.state import SharedState
from smalt.service.records import composite_state, job_data, job_needs, jobs
from smalt.service.records.jobs import Job

Ending = tuple[Job, str, "dict[str, Any] | None"]
"""A job, the state it ends in, and its error."""


class Endings:
    """Ends and cancels jobs."""

    def __init__(self, state: SharedState) -> None:
        self._state = state
        self._composites = state.composites
        self._db = state.context.db

    def end_job(self, job: Job, status: str, error: dict[str, Any] | None = None) -> None:
        """End the job; its parent may end too, and the jobs that waited for it go on or are given up."""
        self.end_all([(job, status, error)])

    def end_all(self, endings: Iterable[Ending]) -> None:
        work = deque(endings)
        while work:
            job, status, error = work.popleft()
            self._composites.ending.discard(job.id)
            if self._is_over(job):
                continue
            last = ("Finalizing", status) if status == "Completed" and job.status == "Running" else (status,)
            jobs.set_status(self._db, job, *last, error=error)
            self._state.context.tracking.runs.record_end(job)
            if status == "Failed":
                self._state.context.verified.forget_all()
            self._state.protection.note_job_end(job)
            self._state.changed.add(job.root_id)
            self.free_slots(job)
            self._state.handover.discard_leaf(job)
            if job.is_composite:
                self._composites.forget(job.id)
            if job.parent_id is None:
                self._state.step_reuse.forget_tree(job.id)
            else:
                work.extend(self.tell_parent(job))

    def _is_over(self, job: Job) -> bool:
        """Return True if the job has ended; that of a run, which goes on until its end, need not be looked for."""
        if job.is_over:
            return True
        run = self._state.queues.runs.get(job.id)
        return (run is None or run.job is not job) and jobs.is_over(self._db, job.id)

    def tell_parent(
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
            for one in job_needs.release_dependents(self._db, child):
                if child.status == "Completed" or one.node in changes.starts_after_failure:
                    self._queue_released(one)
        endings = self.apply_changes(parent_id, changes)
        if self._composites.view_of(parent_id).open == 0:
            endings += self.find_parent_end(parent_id)
        return endings

    def apply_changes(self, parent_id: int, changes: Changes) -> list[Ending]:
        """Apply what the kind of a composite wants, inside a transaction; return the ends that follow at once."""
        endings: list[Ending] = []
        canceled = list(changes.cancel)
        if changes.error is not None:
            why = outcome.make_error(f"its parent failed: {changes.error['message']}", "Canceled")
            canceled += [(one, why) for one in jobs.list_children(self._db, parent_id) if not one.is_over]
        for one, reason in canceled:
            if one.status == "NotStarted" and one.id not in self._state.queues.runs:
                self._composites.ending.add(one.id)
                endings.append((one, "Canceled", reason))
            else:
                self.cancel_tree(one, reason)
        for one, body in changes.rewrite:
            jobs.set_properties(self._db, one, dict(body))
            self._state.queues.entities.pop(one.id, None)
            self._state.handover.discard_leaf(one)
        for one in changes.start:
            if not jobs.is_over(self._db, one.id) and one.id not in self._composites.ending:
                self._queue_released(job_needs.release_job(self._db, one))
        view = self._composites.view_of(parent_id)
        if changes.add:
            endings += self.queue_children(self._composites.add_children(view, changes.add))
            self._state.request_turn()
        return endings

    def queue_children(self, added: Added) -> list[Ending]:
        """Queue the new children that wait for nothing; return the ends of those that do not run."""
        self._state.queues.keep_entities(added.entities)
        for child in added.free:
            self._state.queues.add(child)
        return added.over

    def _queue_released(self, job: Job) -> None:
        """Queue the job, unless it waits for others still or was handed over already."""
        if job.waiting == 1:
            self._state.handover.note_released()
        elif job.waiting == 0 and not self._state.handover.unblock_job(job):
            self._state.queues.add(job)

    def find_parent_end(self, parent_id: int) -> list[Ending]:
        """Return the end of a composite that has no open child; its kind says which."""
        ends = self._composites.find_outcome(parent_id)
        parent, status, error = jobs.get_job(self._db, parent_id), ends.status, ends.error
        for note in ends.notes:
            self._composites.add_note(parent, note)
        if ends.moved_outputs:
            self._state.step_reuse.move_outputs(parent, ends.moved_outputs)
        if ends.absent_outputs:
            job_data.remove_outputs(self._db, parent, ends.absent_outputs)
        if status == "Completed":
            if ends.absent_outputs:
                names = ", ".join(f"'{name}'" for name in ends.absent_outputs)
                note = f"no step that writes {names} ran, so there is no data of that output"
                self._composites.add_note(parent, note)
            if error := self.register_job_outputs(parent, None):
                status = "Failed"
        if ends.properties or ends.tags or ends.metrics:
            self._describe_end(parent, ends)
        return [(parent, status, error)]

    def _describe_end(self, job: Job, ends: Outcome) -> None:
        """Add the properties, tags and metrics of a composite's end to the job and its run."""
        composite_state.add_run_metrics(self._db, job.id, ends.metrics)
        body = jobs.read_properties(self._db, job.id)
        for key, more in (("properties", ends.properties), ("tags", ends.tags)):
            body[key] = {**(body.get(key) or {}), **more}
        jobs.update_description(self._db, job, body, display_name=job.display_name, is_archived=bool(job.is_archived))
        self._state.context.tracking.runs.record_description(job)

    def register_job_outputs(self, job: Job, empty: Sequence[str] | None) -> dict[str, Any] | None:
        """Register the named outputs of a job that is about to complete; return the error if that fails."""
        try:
            register_outputs(self._state.context, job, empty)
        except Unavailable:  # no fault of the job: the turn is tried again
            raise
        except Exception as caught:
            return outcome.make_error(to_sentence(caught), "OutputsFailed")
        return None

    def free_slots(self, job: Job) -> None:
        run = self._state.queues.remove(job)
        if run:
            self._state.handover.end_run(run)

    def cancel_tree(self, job: Job, why: dict[str, Any] | None) -> None:
        """End what has not started and stop what has, in a transaction; `why` is the error of each job."""
        todo = deque([job])
        while todo:
            one = todo.popleft()
            run = self._state.queues.runs.get(one.id)
            one = run.job if run else one
            if jobs.is_over(self._db, one.id):
                continue
            jobs.request_cancel(self._db, one, why)
            self._state.changed.add(one.root_id)
            if run and one.status == "Finalizing":
                continue  # its command has ended: what is to be copied is given up, and it is Canceled
            if run and run.step_id:
                self._state.handover.remove_waiting(one)
                jobs.set_status(self._db, one, "CancelRequested")
                self._state.stops.append(run.step_id)
            elif one.is_composite and one.open:
                jobs.set_status(self._db, one, "CancelRequested")
                todo.extend(child for child in jobs.list_children(self._db, one.id) if not child.is_over)
                for child_id in self._composites.stop_reading(one.id):
                    self.end_all(self.tell_parent(jobs.get_job(self._db, child_id), is_read=True))
            else:
                if run and run.task:
                    run.task.cancel()
                self.end_job(one, "Canceled")

    def record_cancel(self, job: Job, why: dict[str, Any] | None) -> None:
        """Record that the job and all below it are to end; that follows once the records are read again."""
        todo = deque([job])
        while todo:
            one = todo.popleft()
            jobs.request_cancel(self._db, one, why)
            if one.is_composite:
                todo.extend(child for child in jobs.list_children(self._db, one.id) if not child.is_over)
