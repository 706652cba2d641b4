"""The composite jobs that are not over: plans in the making, children added later, and what their kinds read beside.

All of it can be made again from the records: a plan that was cut short is made again, and an end that a composite was
not told of is told after a crash.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import islice
from typing import Any, NamedTuple, NoReturn

from smalt.exceptions import Unavailable, ValidationException
from smalt.machine.gc_pause import pause_gc
from smalt.service.engine import kinds, outcome
from smalt.service.engine.context import EngineContext
from smalt.service.engine.deadlines import Deadlines
from smalt.service.engine.kinds import NO_CHANGES, Changes, ChildEnd, CompositeView, Error, NewChild, Outcome, Plan
from smalt.service.records import child_ends, child_metrics, composite_state, job_data, job_needs, job_removal, jobs
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job
from smalt.service.tracking.run_database import LoggedMetric, get_database_path, load_logged

log = logging.getLogger("smalt.engine")


class ReadingDone(NamedTuple):
    """The result of a kind's background read."""

    composite_id: int
    child_id: int | None
    """The child whose end it was about; None before the plan."""
    found: Any
    error: Exception | None


class Added(NamedTuple):
    """Children that were recorded."""

    free: list[Job]
    """The children that wait for nothing."""
    entities: dict[int, Any]
    """The bodies that are at hand as entities, by id of the child."""
    over: list[tuple[Job, str, Error | None]]
    """The children that do not run, each with its final state and the reason."""


class _PlanInProgress:
    """The children of a plan, some of them made."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.made: list[NewChild] = []
        self.data_rows: list[DataRow] = []
        """The composite's own inputs and outputs, once all children are made."""

    def advance(self, count: int) -> bool:
        """Make so many children more; return True if these were the last."""
        with pause_gc():
            more = list(islice(self.plan.children, count))
        self.made += more
        return len(more) < count


class Composites:
    """The composites that the engine has met; `follow` gives the place of a planned URI, `wake` asks for a turn."""

    def __init__(self, context: EngineContext, follow: Callable[[Job, str], str], wake: Callable[[], None]) -> None:
        self._context = context
        self._db = context.db
        self._follow = follow
        self._wake = wake
        self._views: dict[int, CompositeView] = {}
        self._plans: dict[int, _PlanInProgress] = {}
        self._found: dict[int, Any] = {}
        """The results of `read_beside` for plans, by composite."""
        self._readings: dict[tuple[int, int | None], asyncio.Future[None]] = {}
        self.done: deque[ReadingDone] = deque()
        self.deadlines = Deadlines(wake)
        self.ending: set[int] = set()
        """Children that are to end later in this transaction."""
        self._notes: list[tuple[Job, str]] = []
        """Lines for the logs of composites, written after the commit."""

    @property
    def is_reading(self) -> bool:
        return bool(self._readings or self.done)

    def clear(self) -> None:
        """Forget everything: the records are read again."""
        for task in self._readings.values():
            task.cancel()
        for kept in (self._views, self._plans, self._found, self._readings, self.done, self.ending, self._notes):
            kept.clear()
        self.deadlines.clear()

    def add_note(self, job: Job, note: str) -> None:
        """Add a line to the job's log, if the transaction is committed."""
        self._notes.append((job, note))

    def write_notes(self) -> None:
        """Write the lines that were added to the logs, after the commit."""
        notes, self._notes = self._notes, []
        for job, note in notes:
            try:
                self._context.say(job, note)
            except OSError as error:  # the log is for people, and what it says has happened
                log.error("the log of job %s could not be written: %s", job.name, error)

    def forget(self, job_id: int) -> list[int]:
        """Forget a composite, with what is read for it; return the children whose ends it was to be told of."""
        self._views.pop(job_id, None)
        self._plans.pop(job_id, None)
        self._found.pop(job_id, None)
        self.deadlines.remove_deadline(job_id)
        return self.stop_reading(job_id)

    def stop_reading(self, job_id: int) -> list[int]:
        """Give up what is read for a composite; return the children whose ends it was to be told of."""
        given_up = [key for key in self._readings if key[0] == job_id]
        for key in given_up:
            self._readings.pop(key).cancel()
        late = [one for one in self.done if one.composite_id == job_id]
        for one in late:
            self.done.remove(one)
        children = [key[1] for key in given_up] + [one.child_id for one in late]
        return [child for child in children if child is not None]

    def view_of(self, job_id: int, job: Job | None = None, entity: Any = None) -> CompositeView:
        """Return what is recorded of a composite; `job` and `entity` if they are at hand."""
        view = self._views.get(job_id)
        if view is None:
            job = job or jobs.get_job(self._db, job_id)
            view = CompositeView(self._context, kinds.find_composite(job.type), job, self._follow, entity, job.open)
            self._views[job_id] = view
        return view

    def start_reading_for_plan(self, job: Job) -> bool:
        """Start to read what the kind has to know for its plan; return True until that is known."""
        if job.id in self._found or job.id in self._plans:
            return False
        view = self.view_of(job.id, job)
        read = view.kind.read_beside(view, None)
        if read is not None:
            self.read_beside(job.id, None, read)
        return read is not None

    def advance_plan(self, job: Job, count: int) -> bool:
        """Make some more of the job's children; return True if all are made, and their names are still free."""
        plan = self._plans.get(job.id)
        if plan is None:
            view = self.view_of(job.id, job)
            plan = _PlanInProgress(view.kind.plan(view, self._found.get(job.id)))
            self._plans[job.id] = plan
        if not plan.advance(count):
            return False
        if not self.view_of(job.id, job).find_taken_names().isdisjoint(child.name for child in plan.made):
            del self._plans[job.id]  # another job has taken the name of a child since the plan was begun
            return False
        _refuse_unrecordable(plan.made, {})
        plan.data_rows = plan.plan.data_rows()
        return True

    def record_plan(self, job: Job) -> Added:
        """Record the plan, inside a transaction. Children of a plan that was cut short are made again."""
        plan = self._plans.pop(job.id)
        self._found.pop(job.id, None)
        view = self.view_of(job.id, job)
        if job.open:
            job_removal.remove_children(self._db, job)
            view.open = 0
        added = self.add_children(view, plan.made)
        job_data.put_data(self._db, job, plan.data_rows)
        for note in plan.plan.notes:
            self.add_note(job, note)
        jobs.set_planned(self._db, job)
        jobs.set_status(self._db, job, "Running")
        view.job = job
        self.set_deadline(view)
        view.known_entity = None  # a pipeline of a thousand steps is large, and its plan was all that needed it
        view.__dict__.pop("entity", None)
        return added

    def set_deadline(self, view: CompositeView) -> None:
        """Set the timer of a planned composite, if its kind has one for it."""
        try:
            deadline = view.kind.find_deadline(view)
        except Unavailable:  # no fault of the kind: the turn is tried again
            raise
        except Exception as caught:  # whatever is wrong with the job, its end says so
            log.warning("the deadline of job %s is not known: %s", view.job.name, outcome.to_sentence(caught))
            return
        if deadline is not None:
            self.deadlines.set_deadline(view.job.id, deadline)

    def add_children(self, view: CompositeView, children: Sequence[NewChild]) -> Added:
        """Record children, inside a transaction; they may need each other, and those that were added before."""
        db, parent = self._db, view.job
        nodes = {child.node for child in children}
        others = {need for child in children for need in child.needs} - nodes
        earlier = {one.node: one for one in jobs.list_children_named(db, parent.id, others)} if others else {}
        waits = {
            child.node: [need for need in child.needs if need in nodes or not earlier[need].is_over]
            for child in children
        }
        news = [
            jobs.NewJob(
                name=child.name, type=child.type, body=child.body, experiment=parent.experiment,
                display_name=child.display_name, node=child.node, waiting=len(waits[child.node]) + child.is_held,
                is_composite=kinds.is_composite(child.type),
            )
            for child in children
        ]  # fmt: skip
        ids = jobs.add_jobs(db, parent.workspace_id, news, parent.created_by, parent)
        by_node = {child.node: id for child, id in zip(children, ids, strict=True)}
        known = {**{str(node): one.id for node, one in earlier.items()}, **by_node}
        job_needs.add_dependencies(
            db, [(by_node[child.node], known[need]) for child in children for need in waits[child.node]]
        )
        view.open += len(ids)
        over: list[tuple[Job, str, Error | None]] = []
        over += [(jobs.get_job(db, by_node[one.node]), "Canceled", one.skipped) for one in children if one.skipped]
        over += [self._make_ending(by_node[child.node], child.end) for child in children if child.end is not None]
        runs = [child for child in children if not child.skipped and child.end is None]
        free = jobs.list_jobs(db, [by_node[one.node] for one in runs if not (waits[one.node] or one.is_held)])
        at_hand = {by_node[child.node]: child.entity for child in runs if child.entity is not None}
        return Added(free, at_hand, over)

    def _make_ending(self, id: int, end: ChildEnd) -> tuple[Job, str, Error | None]:
        """Return the end of a child that is over; its run in MLflow is written without being asked for."""
        job = jobs.get_job(self._db, id)
        job.started_at, job.ended_at = end.started_at, end.ended_at
        composite_state.add_run_metrics(self._db, id, end.metrics)
        self._context.tracking.runs.require_run(job)
        return job, end.status, end.error

    def react(self, child: Job, found: Any = None, error: Exception | None = None) -> Changes:
        """Tell the parent's kind of the child's end, once, inside a transaction; return what follows from it."""
        view = self.view_of(int(child.parent_id or 0))
        view.open, is_canceled = child_ends.count_child_end(self._db, child)
        if is_canceled and child.status == "Completed":
            return NO_CHANGES  # nothing follows, and what the kind wanted to read may not have been read
        if error is not None:
            return self._record_changes(view, lambda: Changes(error=_to_error(error)))

        def tell() -> Changes:
            changes = view.kind.child_ended(view, child, found)
            self._refuse_left(view, child, changes)
            return changes

        return self._record_changes(view, tell)

    def react_to_metric(self, job: Job, metric: LoggedMetric) -> tuple[int, Changes] | None:
        """Tell the composite that hears a job's metrics of a value, once, inside a transaction.

        Returns the composite and what follows from it.
        """
        found = self.find_listener(job)
        if found is None:
            return None
        view, child = found
        if child.is_over or view.is_canceled or not view.kind.hears_metric(view, metric.name):
            return None
        if not child_metrics.add_told_metric(self._db, job.id, *metric):
            return None
        return view.job.id, self._record_changes(view, lambda: view.kind.metric_logged(view, child, metric))

    def find_listener(self, job: Job) -> tuple[CompositeView, Job] | None:
        """Return the nearest composite above a job that reacts to metrics, and its child that has the job below it."""
        child = job
        while child.parent_id is not None:
            parent = jobs.get_job(self._db, child.parent_id)
            kind = kinds.find_kind(parent.type)
            if kind is not None and kind.hears_metrics:
                return self.view_of(parent.id, parent), child
            child = parent
        return None

    def load_missed_metrics(self) -> list[tuple[int, LoggedMetric]]:
        """Load, with the id of its job, each value that MLflow has of jobs whose metrics a composite reacts to.

        Those that were told before are among them: recording them again has no effect.
        """
        missed: list[tuple[int, LoggedMetric]] = []
        listeners: dict[int | None, CompositeView | None] = {None: None}
        for job in jobs.list_unfinished(self._db):
            if job.parent_id not in listeners:
                found = self.find_listener(job)
                listeners[job.parent_id] = found[0] if found else None
            view = listeners[job.parent_id]
            if view is not None:
                path = get_database_path(self._context.home, view.workspace.folder)
                logged = load_logged(path, job.name)
                missed += [(job.id, metric) for metric in logged if view.kind.hears_metric(view, metric.name)]
        return missed

    def _record_changes(self, view: CompositeView, tell: Callable[[], Changes]) -> Changes:
        """Record what a kind answers when it is told something; an exception fails the composite.

        The first error of a composite stays, and after it nothing is added.
        """
        try:
            changes = tell()
            if changes.add:
                self._refuse_unaddable(view, changes.add)
        except Unavailable:  # no fault of the kind: the turn is tried again
            raise
        except Exception as caught:
            changes = Changes(error=_to_error(caught))
        is_failing = view.failure is not None
        if changes.state is not None:
            view.state = dict(changes.state)
        if changes.error is not None and not is_failing:
            view.failure = dict(changes.error)
        if changes.state is not None or (changes.error is not None and not is_failing):
            view.write_state()
        for note in changes.notes:
            self.add_note(view.job, note)
        if (changes.add or changes.start) and (view.failure is not None or view.is_canceled):
            changes = changes._replace(add=(), start=())
        return changes

    def _refuse_unaddable(self, view: CompositeView, children: Sequence[NewChild]) -> None:
        """Raise if a child cannot be recorded, or would wait for ever."""
        nodes = {name for child in children for name in (child.node, *child.needs)}
        earlier = jobs.list_children_named(self._db, view.job.id, nodes)
        _refuse_unrecordable(children, {str(one.node): one for one in earlier})
        for child in children:
            if jobs.find_by_name(self._db, view.job.workspace_id, child.name) is not None:
                raise ValidationException(f"it adds a child '{child.node}' whose name '{child.name}' another job has")

    def _refuse_left(self, view: CompositeView, child: Job, changes: Changes) -> None:
        """Raise if a sibling would wait for ever, as the child that it needs did not complete."""
        if child.status == "Completed" or changes.error is not None or view.failure is not None or view.is_canceled:
            return
        ends = {one.id for one, _ in changes.cancel} | self.ending
        for one in job_needs.list_dependents(self._db, child):
            if not (one.id in ends or one.cancel_requested or one.node in changes.starts_after_failure):
                raise ValidationException(
                    f"'{one.node}' waits for '{child.node}', which did not complete, and a job of type "
                    f"'{view.job.type}' neither cancels nor starts it then"
                )

    def find_outcome(self, job_id: int) -> Outcome:
        """Return how a composite without an open child ends."""
        view = self.view_of(job_id)
        if view.is_canceled:
            return _describe_early_end(view, Outcome("Canceled"))
        if view.failure is not None:
            return _describe_early_end(view, Outcome("Failed", view.failure))
        try:
            found: Outcome | None = view.kind.outcome(view)
            if found is None:
                raise ValidationException(
                    f"a job of type '{view.job.type}' expects more children, but has no open child that could add one"
                )
        except Unavailable:  # no fault of the kind: the turn is tried again
            raise
        except Exception as caught:
            return Outcome("Failed", _to_error(caught))
        return found

    def start_reading_of_end(self, child: Job) -> bool:
        """Start to read what the parent's kind has to know of the child's end; return False if that is nothing."""
        view = self.view_of(int(child.parent_id or 0))
        read: Callable[[], Any] | None
        try:
            read = view.kind.read_beside(view, child)
        except Unavailable:  # no fault of the kind: the turn is tried again
            raise
        except Exception as caught:
            read = partial(_raise, caught)
        if read is None or view.is_canceled:
            return False
        self.read_beside(view.job.id, child.id, read)
        return True

    def read_beside(self, job_id: int, child_id: int | None, read: Callable[[], Any]) -> None:
        """Read what a kind has to know in a thread; it comes back in `done`."""
        key = (job_id, child_id)
        if key not in self._readings:
            self._readings[key] = asyncio.ensure_future(self._read(job_id, child_id, read))

    async def _read(self, job_id: int, child_id: int | None, read: Callable[[], Any]) -> None:
        found, error = None, None
        try:
            found = await asyncio.to_thread(read)
        except Exception as caught:  # whatever it is, the composite must not wait for ever
            error = caught
        del self._readings[job_id, child_id]
        self.done.append(ReadingDone(job_id, child_id, found, error))
        self._wake()

    def note_found(self, job: Job, found: Any) -> None:
        """Keep what was read before the job's plan."""
        self._found[job.id] = found


def _describe_early_end(view: CompositeView, end: Outcome) -> Outcome:
    """Return an end that the engine decided, with what the kind keeps of the composite; its state is the same."""
    try:
        return view.kind.describe_early_end(view, end)._replace(status=end.status, error=end.error)
    except Unavailable:  # no fault of the kind: the turn is tried again
        raise
    except Exception as caught:  # the job ends in any case
        log.warning("nothing is kept of job %s: %s", view.job.name, outcome.to_sentence(caught))
        return end


def _raise(error: Exception) -> NoReturn:
    raise error


def _to_error(error: Exception) -> Error:
    return outcome.make_error(outcome.to_sentence(error), "PlanningFailed")


def _refuse_unrecordable(children: Sequence[NewChild], earlier: Mapping[str, Job]) -> None:
    """Raise if children have the same name, or need a sibling that is not there or did not complete."""
    if len({child.node for child in children} | earlier.keys()) < len(children) + len(earlier):
        raise ValidationException("it adds two children of the same name among their siblings")
    if len({child.name for child in children}) < len(children):
        raise ValidationException("it adds two children with the same job name")
    nodes = {child.node for child in children}
    for child in children:
        for need in child.needs:
            if need in nodes:
                continue
            if need not in earlier:
                raise ValidationException(f"its child '{child.node}' needs '{need}', which is not there")
            if earlier[need].is_over and earlier[need].status != "Completed":
                raise ValidationException(f"its child '{child.node}' needs '{need}', which did not complete")
