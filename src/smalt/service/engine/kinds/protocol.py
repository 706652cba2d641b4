"""The protocol by which the engine calls the kinds of jobs: leaves run a process, composites make child jobs.

docs/internals/adding-a-job-kind.md shows how to add one.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from smalt import wire
from smalt.entities.schema.problems import add_article
from smalt.exceptions import RefusedError
from smalt.service.engine.context import EngineContext
from smalt.service.engine.outcome import make_error, parse_message
from smalt.service.records import composite_state, job_needs, jobs
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job
from smalt.service.records.workspaces import Workspace
from smalt.service.tracking.run_database import LoggedMetric

if TYPE_CHECKING:
    from smalt.service.engine.kinds.pipeline_plan import Planner
    from smalt.service.engine.kinds.step_jobs import PlannedStep
    from smalt.service.engine.submission.checks import Checker

Error = dict[str, Any]
"""Why a job did not complete: "code", "message", and what else is known."""

FAILURE = "smalt.error"
"""The key of a composite's recorded state with the error that fails it; the rest of the state is its kind's."""


class Kind(ABC):
    """A type of job. Objects of this class have no state of their own: all jobs of the type share one."""

    type: ClassVar[str]
    """The `type` of the job's records, and of the entity in a pipeline's YAML."""
    is_composite: ClassVar[bool]
    is_submitted: ClassVar[bool] = True
    """False if such a job only exists as a part of another one."""
    hears_metrics: ClassVar[bool] = False
    """True for a composite that is told of the metrics that its children log, by `metric_logged`."""

    def expand_body(self, context: EngineContext, workspace: Workspace, body: dict[str, Any]) -> dict[str, Any]:
        """Return the submitted REST properties with what they name put in, so that a later change of it is none."""
        return body

    def explain_unsupported(self, job: Any) -> str:
        """Return why this smalt does not run the job, though it runs its type; "" if it does.

        Such a job is recorded, as Azure's clients expect, and has failed at once.
        """
        return ""

    def check_job(self, checker: Checker, job: Any) -> None:  # noqa: B027
        """Add a problem to the checker for each thing that has to be there before the job is accepted, and is not."""

    def check_step(  # noqa: B027
        self, checker: Checker, where: str, node: Any, component: Any, inputs: Mapping[str, Any]
    ) -> None:
        """Check a step of a pipeline with these inputs; `where` is the path of the step, with a dot at its end."""

    def make_step_job(self, planner: Planner, step: PlannedStep) -> Any:
        """Return the job, as an entity, that runs for a step of a pipeline; raise if there is none."""
        raise RefusedError(f"pipeline '{planner.name}': {add_article(self.type)} step cannot run yet")

    def make_properties(self, context: EngineContext, workspace: Workspace, name: str) -> dict[str, str]:
        """Return the properties that a submitted job of the name gets from smalt."""
        return {}

    async def lay_out_copy(self, context: EngineContext, job: Job) -> dict[str, Any]:
        """Make a copy of the job's step for a person to look into; raise Refused if the job is not a step."""
        raise RefusedError(
            f"job '{job.name}' is {add_article(self.type)} and no step; name one of its steps with --node"
        )


class ChildEnd(NamedTuple):
    """The end of a child that ran in another child's process: it is recorded as over, and nothing is started for it."""

    status: str
    started_at: float
    """Seconds since 1970, as is `ended_at`."""
    ended_at: float
    error: Error | None = None
    metrics: Mapping[str, float] = {}
    """Metrics that its run in MLflow gets."""


@dataclass
class NewChild:
    """A job that a composite adds."""

    node: str
    """The name among its siblings."""
    name: str
    type: str
    body: dict[str, Any]
    """The REST properties."""
    needs: Collection[str] = ()
    """The siblings that it starts after."""
    display_name: str | None = None
    entity: Any = None
    """The body as an entity, if it is at hand: the engine reads it from the body otherwise."""
    skipped: Error | None = None
    """Why it does not run, if it is known before: it is recorded, and is Canceled at once."""
    end: ChildEnd | None = None
    """The end of a child that is over already; it needs no sibling then."""
    is_held: bool = False
    """True for a child that does not start before `Changes.start` names it."""


def _no_data() -> list[DataRow]:
    return []


class Plan(NamedTuple):
    """The first children of a composite."""

    children: Iterator[NewChild]
    """Each after the siblings that it needs. A large plan is made some children at a time, over several turns."""
    data_rows: Callable[[], list[DataRow]] = _no_data
    """Returns what the composite itself reads and writes; called after the last child was made."""
    notes: Sequence[str] = ()
    """Lines for the composite's log."""


class Changes(NamedTuple):
    """The consequences of a child's end, which the engine records in one transaction."""

    add: Sequence[NewChild] = ()
    """Children that the composite gets, unless it is to be cancelled or has failed."""
    cancel: Sequence[tuple[Job, Error]] = ()
    """Children that are not to go on, each with the reason."""
    start: Sequence[Job] = ()
    """Children that were held back, and start now."""
    starts_after_failure: Collection[str] = ()
    """Siblings that start although the child that they waited for did not complete."""
    state: Mapping[str, Any] | None = None
    """The composite's new state; None leaves the state as it is."""
    rewrite: Sequence[tuple[Job, Mapping[str, Any]]] = ()
    """Children that have not started, each with other REST properties."""
    error: Error | None = None
    """Why the composite cannot go on: its children are cancelled, and it fails when they have ended."""
    notes: Sequence[str] = ()
    """Lines for the composite's log."""


NO_CHANGES = Changes()


class Outcome(NamedTuple):
    """The end of a composite."""

    status: str
    error: Error | None = None
    moved_outputs: Mapping[str, str] = {}
    """Planned URI of an output → URI of the child's output that it turned out to be, whatever the state."""
    absent_outputs: Collection[str] = ()
    """Outputs of the composite that no child wrote, as the steps that would have did not run: they have no data."""
    properties: Mapping[str, str] = {}
    """Properties that the job gets with its end, whatever its state."""
    tags: Mapping[str, str] = {}
    """Tags that the job and its run in MLflow get with its end, whatever its state."""
    metrics: Mapping[str, float] = {}
    """Metrics that its run in MLflow gets with its end."""
    notes: Sequence[str] = ()
    """Lines for the composite's log."""


class Deadline(NamedTuple):
    """The time at which a composite is canceled unless it is over."""

    time: float
    """Seconds since the epoch."""
    error: Error


@dataclass
class CompositeView:
    """The records of a composite job, as its kind sees them."""

    context: EngineContext
    kind: CompositeKind
    job: Job
    """The composite's row, as the engine last read it."""
    follow: Callable[[Job, str], str]
    """Returns where the output of a planned URI is: an earlier run's, if its step was reused."""
    known_entity: Any = None
    open: int = 0
    """The number of its children whose end it was not told yet."""
    cache: dict[str, Any] = field(default_factory=dict)
    """Results that the kind computed from the body and does not compute again."""

    @cached_property
    def workspace(self) -> Workspace:
        return self.context.workspace(self.job)

    @cached_property
    def body(self) -> dict[str, Any]:
        """The REST properties of the job."""
        return jobs.read_properties(self.context.db, self.job.id)

    @cached_property
    def entity(self) -> Any:
        if self.known_entity is not None:
            return self.known_entity
        return wire.from_rest({"properties": self.body}, "job")

    @cached_property
    def state(self) -> dict[str, Any]:
        """Return what the kind recorded last with `Changes.state`; empty at first."""
        return {key: value for key, value in self._recorded_state.items() if key != FAILURE}

    @cached_property
    def failure(self) -> Error | None:
        """Return the error with which the composite ends when its children have ended; None if it has none."""
        return self._recorded_state.get(FAILURE)

    @property
    def _recorded_state(self) -> dict[str, Any]:
        return composite_state.read_state(self.context.db, self.job.id)

    def write_state(self) -> None:
        """Record `state` and `failure`, inside a transaction."""
        failure = {} if self.failure is None else {FAILURE: self.failure}
        composite_state.write_state(self.context.db, self.job.id, {**self.state, **failure})

    @property
    def is_canceled(self) -> bool:
        return jobs.is_cancel_requested(self.context.db, self.job.id)

    def find_taken_names(self) -> set[str]:
        """Return the names of other jobs that begin like the names of the children: a child can have none of them."""
        job = self.job
        return jobs.list_names_with_prefix(self.context.db, job.workspace_id, self.kind.get_name_prefix(job), job.id)

    def list_children(self) -> list[Job]:
        """Return the children, in the order in which they were added."""
        return jobs.list_children(self.context.db, self.job.id)

    def read_child_properties(self, child: Job) -> dict[str, Any]:
        """Return the REST properties of a child."""
        return jobs.read_properties(self.context.db, child.id)


class CompositeKind(Kind):
    """A type of job that makes child jobs, and no process of its own.

    `plan`, `child_ended` and `outcome` run inside the engine's transaction and must be quick. They are functions of
    what is recorded, so that they give the same answer after a crash. What takes long is read by `read_beside` first.
    """

    is_composite = True

    def get_name_prefix(self, job: Job) -> str:
        """Return what the names of all children begin with: other jobs of such a name are known to the plan."""
        return f"{job.name}-"

    def read_beside(self, view: CompositeView, child: Job | None) -> Callable[[], Any] | None:
        """Return a function that reads what the kind has to know, or None if it has to read nothing.

        It is asked before the plan (`child` is None), and at each end of a child. The function runs in a thread beside
        the engine; what it returns is passed on as `found`. If it raises, the composite fails with that sentence.
        """
        return None

    @abstractmethod
    def plan(self, view: CompositeView, found: Any) -> Plan:
        """Return the first children. Raise to fail the composite."""

    def child_ended(self, view: CompositeView, child: Job, found: Any) -> Changes:
        """Return what the end of a child means for the composite; it is told of each end once."""
        return NO_CHANGES if child.status == "Completed" else Changes(cancel=cancel_dependents(view, child))

    def hears_metric(self, view: CompositeView, name: str) -> bool:
        """Return True if `metric_logged` is to be told of the values of the metric; they cost a transaction each."""
        return True

    def metric_logged(self, view: CompositeView, child: Job, metric: LoggedMetric) -> Changes:
        """Return what a value of a child's metric means for the composite; it is told of each once, in order.

        Only kinds with `hears_metrics` are told, and only while the child is not over. What a job below the child logs
        counts as the child's, unless a composite between them hears metrics.
        """
        return NO_CHANGES

    def find_deadline(self, view: CompositeView) -> Deadline | None:
        """Return when the composite is canceled if it is not over by then; None for never.

        It is a function of what is recorded: the engine asks after the plan, and again when a server starts.
        """
        return None

    def outcome(self, view: CompositeView) -> Outcome | None:
        """Return how the composite ends, after all its children have.

        The engine asks once, when no child is open, unless the composite was cancelled or a kind's error has failed
        it. None fails it, as nothing could add a child any more. By default it completes if all children did.
        """
        return find_children_outcome(view)

    def describe_early_end(self, view: CompositeView, end: Outcome) -> Outcome:
        """Return the end of a composite that was cancelled or failed by a kind's error, with what is kept of it.

        The engine asks once, when no child is open. The state and the error stay; by default nothing is added.
        """
        return end


class LeafKind(Kind):
    """A type of job that is one step on a compute."""

    is_composite = False

    @abstractmethod
    def read_leaf(self, context: EngineContext, job: Job, workspace: Workspace, entity: Any = None) -> Any:
        """Return the job as a `Leaf`, which the engine prepares, starts and stores the outputs of.

        `entity` is the body as an entity, if it is at hand.
        """


def cancel_dependents(view: CompositeView, child: Job, spared: str | None = None) -> list[tuple[Job, Error]]:
    """Return the siblings but `spared`, a node, that cannot run as they need a child that did not complete."""
    if is_skip_error(child.error):
        why = make_error(f"it needs '{child.node}', which was skipped", SKIPPED)
    else:
        why = make_error(f"it needs '{child.node}', which did not complete", "Canceled")
    return [(one, why) for one in job_needs.list_dependents(view.context.db, child) if one.node != spared]


def find_children_outcome(view: CompositeView) -> Outcome:
    """Return the end that follows from the children's: Failed if one failed, Canceled if one was, else Completed."""
    db, parent = view.context.db, view.job
    failed = jobs.list_children_with_status(db, parent.id, "Failed")
    if failed:
        names = ", ".join(f"'{node}'" for node, _ in failed[:5])
        more = f" and {len(failed) - 5} more" if len(failed) > 5 else ""
        return Outcome("Failed", make_error(f"step {names}{more} failed: {parse_message(failed[0][1])}", "StepFailed"))
    canceled = [
        (node, error)
        for node, error in jobs.list_children_with_status(db, parent.id, "Canceled")
        if not is_skip_error(error)
    ]
    if canceled:
        node, error = canceled[0]
        return Outcome("Canceled", make_error(f"step '{node}' was canceled: {parse_message(error)}", "Canceled"))
    return Outcome("Completed")


SKIPPED = "Skipped"
"""The code of the error of a job that is Canceled as nothing needs it: its parent can complete without it."""


def is_skip_error(error: str | None) -> bool:
    """Return True if an error, as it is recorded, says that the job was skipped."""
    return error is not None and json.loads(error).get("code") == SKIPPED
