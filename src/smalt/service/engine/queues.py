"""The engine's queues: composites to plan, leaves that are ready, one queue per runner, and leaves that run.

Everything here can be made again from the records.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from smalt.service.compute.backend import Capacity
from smalt.service.engine.kinds import Leaf
from smalt.service.engine.slots import SlotGrant, SlotRequest, Slots, UnlimitedSlots
from smalt.service.environments import BuiltEnvironment
from smalt.service.records.job_attempts import Attempt
from smalt.service.records.jobs import WAITING, Job

_MOST_ENTITIES = 5000


@dataclass
class LeafRun:
    """A leaf that is being prepared, runs or has its outputs stored; or one that waits at the launcher for a slot."""

    job: Job
    grant: SlotGrant | None
    """The slots of the step; None while it waits at the launcher."""
    leaf: Leaf | None = None
    environment: BuiltEnvironment | None = None
    view: BuiltEnvironment | None = None
    """The step's own view of the environment."""
    stored_environment: str | None = None
    """The folder, in the store, of the environment that its step runs in."""
    step_id: str | None = None
    number: int = 0
    """The number of the attempt, from 1; 0 before there is one."""
    is_untouched: bool = False
    """True once it has completed and left its folder as it was made."""
    empty_outputs: list[str] = field(default_factory=list)
    """Outputs to which the completed step wrote nothing."""
    input_change: str | None = None
    """A sentence that says why an input was not what the step should have read."""
    queue: RunnerQueue | None = None
    """The queue whose slots it holds; None for those of this machine."""
    task: asyncio.Task[None] | None = None
    """The preparation, or the storing of outputs, that runs beside the loop."""

    @property
    def is_queued(self) -> bool:
        """True until the launcher reports that the step started."""
        return self.job.status == "Queued"


class RunnerQueue:
    """The leaves that wait for one runner of `service/compute`, and its slots."""

    def __init__(self, name: str, capacity: Capacity | None) -> None:
        self.name = name
        """The runner's name."""
        self.slots = UnlimitedSlots() if capacity is None else Slots(capacity.cpus, capacity.gpus)
        self.ready: deque[int] = deque()
        """Leaves that wait only for a slot, oldest first."""
        self.never_started: list[int] = []
        """Leaves whose last attempt never started, oldest first; they precede those in `ready`."""
        self._refused: tuple[int, SlotRequest] | None = None
        """The leaf that was last refused slots, and its request."""

    @property
    def queues_by_itself(self) -> bool:
        """True if the runner is handed all that is ready, and says itself when each step starts."""
        return isinstance(self.slots, UnlimitedSlots)

    def take_free(self, leaf: Leaf) -> SlotGrant | None:
        """Return slots for a leaf; None while too few are free."""
        grant = self.slots.take_free(leaf.request)
        self._refused = (leaf.job.id, leaf.request) if grant is None else None
        return grant

    def find_blocker(self) -> tuple[int, SlotRequest] | None:
        """Return the leaf at the head that needs more slots than are free, and its request; None if there is none."""
        is_head = self._refused is not None and bool(self.ready) and self.ready[0] == self._refused[0]
        return self._refused if is_head else None

    def put_never_started_first(self) -> None:
        """Move the leaves whose last attempt never started to the head of `ready`."""
        self.ready.extendleft(reversed(self.never_started))
        self.never_started.clear()


FindRunner = Callable[[Job, Any], str]
"""Returns the name of a leaf's runner; the second argument is its entity, or None if that has to be read."""


class Queues:
    """The jobs that wait for the engine and those that hold its slots."""

    def __init__(self, capacities: Mapping[str, Capacity | None], find_runner: FindRunner) -> None:
        self.by_runner = {name: RunnerQueue(name, capacity) for name, capacity in capacities.items()}
        """In the order of the registry: the first is this machine's."""
        self.local = next(iter(self.by_runner.values()))
        self._find_runner = find_runner
        self.plans: deque[int] = deque()
        """Composites to plan."""
        self.runs: dict[int, LeafRun] = {}
        """Leaves that hold slots or wait at the launcher, by job."""
        self.steps: dict[str, LeafRun] = {}
        """The runs that have a step, by its id."""
        self.entities: dict[int, Any] = {}
        """Jobs just planned or accepted, which need not be read again from their bodies."""

    @property
    def is_busy(self) -> bool:
        waits = any(queue.ready or queue.never_started for queue in self.by_runner.values())
        return bool(self.plans or self.runs or waits)

    @property
    def ready(self) -> deque[int]:
        """The leaves that wait only for a slot of this machine, oldest first."""
        return self.local.ready

    @property
    def slots(self) -> Slots:
        """The slots of this machine."""
        return self.local.slots

    def find_queue(self, job: Job) -> RunnerQueue:
        """Return the queue of a leaf's runner."""
        if len(self.by_runner) == 1:
            return self.local
        return self.by_runner[self._find_runner(job, self.entities.get(job.id))]

    def add(self, job: Job) -> None:
        """Queue the job if it waits for no other."""
        if not job.waiting:
            (self.plans if job.is_composite else self.find_queue(job).ready).append(job.id)

    def add_again(self, job: Job, *, never_started: bool) -> None:
        """Queue a leaf for another attempt."""
        queue = self.find_queue(job)
        (queue.never_started if never_started else queue.ready).append(job.id)

    def runs_any(self, ids: Container[int]) -> bool:
        """Return True if one of these leaves runs, or has its outputs stored."""
        return any(id in ids and run.job.status not in WAITING for id, run in self.runs.items())

    def list_waiting(self, ids: Container[int]) -> Iterator[int]:
        """Yield those of the leaves that wait for no other job, in the order in which they start.

        A leaf that was canceled may be among them.
        """
        yield from (id for id, run in self.runs.items() if id in ids and run.job.status in WAITING)
        for queue in self.by_runner.values():
            yield from (id for id in chain(queue.never_started, queue.ready) if id in ids)

    def keep_entities(self, entities: Mapping[int, Any]) -> None:
        """Keep the entities of jobs just accepted or planned, unless many are kept already."""
        if len(self.entities) < _MOST_ENTITIES:
            self.entities.update(entities)

    def start_run(self, leaf: Leaf, queue: RunnerQueue) -> LeafRun | None:
        """Give slots to a leaf that is to start; None while too few are free."""
        grant = queue.take_free(leaf)
        if grant is None:
            return None
        run = self.runs[leaf.job.id] = LeafRun(leaf.job, grant, leaf, queue=queue)
        return run

    def hold_slot(self, job: Job, attempt: Attempt | None = None) -> LeafRun:
        """Give a leaf that runs already the slots that were recorded with its attempt, even if they are not free."""
        queue = self.by_runner.get(attempt.compute, self.local) if attempt else self.local
        slots = SlotGrant(attempt.cpus, tuple(filter(None, attempt.gpus.split(",")))) if attempt else SlotGrant(1, ())
        run = self.runs[job.id] = LeafRun(job, queue.slots.take_again(slots), queue=queue)
        if attempt:
            self.set_step(run, attempt.step_id, attempt.number, attempt.environment)
        return run

    def set_step(self, run: LeafRun, step_id: str, number: int, environment: str | None) -> None:
        """Note the step of a run, and the folder of its environment in the store."""
        run.step_id, run.number, run.stored_environment = step_id, number, environment
        self.steps[step_id] = run

    def remove(self, job: Job) -> LeafRun | None:
        """Forget the job and free its slots; return its run, if it had one."""
        self.entities.pop(job.id, None)
        run = self.runs.pop(job.id, None)
        if run:
            if run.grant:
                (run.queue or self.local).slots.give_back(run.grant)
            if run.step_id:
                self.steps.pop(run.step_id, None)
        return run

    def cancel_tasks(self) -> None:
        """Stop the preparations and the storing of outputs that run beside the loop."""
        for run in self.runs.values():
            if run.task:
                run.task.cancel()
