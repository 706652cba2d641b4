"""Plans composites in a turn, and tells them of what they have read, of metrics and of deadlines."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from smalt.service.engine import outcome
from smalt.service.engine.endings import Endings
from smalt.service.engine.outcome import to_sentence
from smalt.service.engine.state import SharedState
from smalt.service.records import jobs
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.run_database import LoggedMetric

_MOST_PLANNED = 25  # some 5 ms, for which answers may have to wait


class CompositePlanner:
    """Plans composites, and tells them what they wait for."""

    def __init__(self, state: SharedState, endings: Endings) -> None:
        self._state = state
        self._endings = endings
        self._composites = state.composites
        self._db = state.context.db
        self._metrics: list[tuple[int, LoggedMetric]] = []
        """Values that children of composites logged, with the id of the job, which no turn has told yet."""

    def plan_jobs(self) -> None:
        """Plan what is to be planned, large ones some steps a turn."""
        queues = self._state.queues
        half = []
        while queues.plans:
            job = jobs.find_waiting(self._db, queues.plans.popleft())
            if job is not None and not self._plan_job(job):
                half.append(job.id)
        if half:
            queues.plans.extend(half)
            self._state.request_turn()

    def _plan_job(self, job: Job) -> bool:
        """Continue the job's plan; return True when nothing is left to plan now."""
        if job.is_over or job.planned:
            return True
        self._composites.view_of(job.id, job, self._state.queues.entities.pop(job.id, None))
        try:
            if self._composites.start_reading_for_plan(job):
                return True
            if not self._composites.advance_plan(job, _MOST_PLANNED):
                return False
        except Exception as error:
            self._endings.end_job(job, "Failed", outcome.make_error(to_sentence(error), "PlanningFailed"))
            return True
        added = self._composites.record_plan(job)  # a fault of the records: the turn is tried again
        self._state.changed.add(job.root_id)
        self._endings.end_all(self._endings.queue_children(added))
        if not jobs.get_job(self._db, job.id).open:
            self._endings.end_all(self._endings.find_parent_end(job.id))
        return True

    def take_readings(self) -> None:
        """Take what kinds have read beside the loop: plans go on, and composites are told of ends."""
        while self._composites.done:
            reading = self._composites.done.popleft()
            if reading.child_id is not None:
                child = jobs.get_job(self._db, reading.child_id)
                self._endings.end_all(self._endings.tell_parent(child, reading.found, reading.error, is_read=True))
                continue
            job = jobs.get_job(self._db, reading.composite_id)
            if reading.error is not None:
                self._endings.end_job(job, "Failed", outcome.make_error(to_sentence(reading.error), "PlanningFailed"))
            else:
                self._composites.note_found(job, reading.found)
                self._state.queues.add(job)

    def load_missed_metrics(self) -> None:
        """Read the metrics that children logged while no server ran."""
        self._metrics += self._composites.load_missed_metrics()

    def forget_metrics(self) -> None:
        """Forget the metrics that a committed turn has told."""
        self._metrics.clear()

    def take_metrics(self) -> None:
        """Tell composites of their children's metrics, before the ends that have arrived since."""
        for job_id, metric in self._metrics:
            job = jobs.find_job(self._db, job_id)
            told = self._composites.react_to_metric(job, metric) if job is not None and not job.is_over else None
            if told is not None:
                self._endings.end_all(self._endings.apply_changes(*told))

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
                self._state.request_turn()

        return take

    def take_deadlines(self) -> None:
        """Cancel the composites whose time is up."""
        passed = self._composites.deadlines.passed
        while passed:
            job_id, error = passed.popleft()
            job = jobs.find_job(self._db, job_id)
            if job is not None and not job.is_over and not job.cancel_requested:
                self._endings.cancel_tree(job, error)
