"""What the engine keeps in memory: queues, slots and what holds them. The records can make it again at any time."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from smalt.entities import CommandJob, PipelineJob
from smalt.service.compute.backend import Capacity
from smalt.service.engine.dependencies import Plan
from smalt.service.engine.kinds import COMPOSITES, command
from smalt.service.engine.slots import Grant, Request, Slots
from smalt.service.environments import Realised
from smalt.service.records.jobs import Attempt, Job

_MOST_ENTITIES = 5000
_FOLLOWERS, _MOST_FOLLOWERS = 16, 64
"""So many steps wait for each that runs, and at most: enough for the ends of quick ones to share a commit."""
_MOST_LEADERS = 64


@dataclass
class Run:
    """A leaf that holds a slot, or was handed over to wait for one."""

    job: Job
    grant: Grant | None
    leaf: command.Leaf | None = None
    environment: Realised | None = None
    view: Realised | None = None
    step_id: str | None = None
    number: int = 0
    has_no_follower: bool = False
    """No job waited for it alone when that was looked at last."""
    untouched: bool = False
    """It completed, and left its folder as it was made."""
    empty: list[str] = field(default_factory=list)
    """It completed, and wrote nothing to these outputs."""
    moved: str | None = None
    """Why what it read was not what it was to read: a sentence."""
    task: asyncio.Task[None] | None = None
    """What is being prepared or stored beside the loop."""

    @property
    def is_queued(self) -> bool:
        """It was handed over to wait, and nothing was heard of it."""
        return self.job.status == "Queued"


class Board:
    def __init__(self, capacity: Capacity) -> None:
        self.slots = Slots(capacity.cpus, capacity.gpus)
        self.plans: deque[int] = deque()
        """Composites whose turn to be planned has come."""
        self.ready: deque[int] = deque()
        """Leaves that wait for nothing but a slot, oldest first."""
        self.runs: dict[int, Run] = {}
        """What holds a slot, or was handed over to wait for one, by job."""
        self.waiting: dict[int, Run] = {}
        """Of these, what has no slot, oldest first: it starts when another ends well, or when it is let go."""
        self.coming: dict[int, Run] = {}
        """What was handed over before the step that it needs has ended; it waits for a slot once that did well."""
        self.leaders: deque[int] = deque(maxlen=_MOST_LEADERS)
        """Jobs with a step at the launcher; what needs only them may be handed over too."""
        self.again: list[int] = []
        """Leaves that were ready before those that are; oldest first."""
        self.steps: dict[str, Run] = {}
        """The same by step, once there is one."""
        self.entities: dict[int, CommandJob] = {}
        """Planned leaves that need not be read again when their turn comes."""
        self.pipelines: dict[int, PipelineJob] = {}
        """The same of pipelines just accepted."""
        self.planning: dict[int, Plan] = {}
        """Plans that are half made."""

    @property
    def busy(self) -> bool:
        return bool(self.plans or self.ready or self.runs or self.again)

    @property
    def is_followed(self) -> bool:
        """Whether one more may be handed over: every slot is taken, and too few wait for the steps that run."""
        return self.slots.all_taken and len(self.waiting) < self._followers

    @property
    def may_come(self) -> bool:
        """Whether one more may be handed over before what it needs has ended."""
        return len(self.coming) < self._followers

    def is_followed_up(self, started: Collection[str], ended: int) -> bool:
        """Whether for each of those that `ended` one that waited was `started`, and enough wait to go on so."""
        followers = sum(step_id in self.steps and not self.steps[step_id].grant for step_id in started)
        left = len(self.waiting) + len(self.coming) - followers
        return ended <= followers and 2 * left >= self._followers

    @property
    def _followers(self) -> int:
        """How many may wait for the steps that run."""
        running = sum(bool(run.grant and run.step_id and not run.task) for run in self.runs.values())
        return min(_FOLLOWERS * min(running, self.slots.cpus), _MOST_FOLLOWERS)

    def queue(self, job: Job) -> None:
        """Nothing but a slot, or a plan, is missing."""
        if not job.waiting:
            (self.plans if job.type in COMPOSITES else self.ready).append(job.id)

    def accepted(self, job: Job, entity: CommandJob | PipelineJob | None) -> None:
        if isinstance(entity, PipelineJob):
            self.pipelines[job.id] = entity
        elif entity is not None:
            self.entities[job.id] = entity

    def remember(self, entities: dict[int, CommandJob]) -> None:
        if len(self.entities) < _MOST_ENTITIES:
            self.entities.update(entities)

    def take(self, leaf: command.Leaf) -> Run | None:
        """A slot for a leaf that is to start, or None while too few are free."""
        grant = self.slots.take(leaf.request)
        if grant is None:
            return None
        run = self.runs[leaf.job.id] = Run(leaf.job, grant, leaf)
        return run

    def wait(self, job: Job, attempt: Attempt | None = None) -> Run:
        """No slot yet for a leaf that is handed over before its turn."""
        run = self.runs[job.id] = self.waiting[job.id] = Run(job, None)
        if attempt:
            self.start(run, attempt.step_id, attempt.number)
        return run

    def come(self, job: Job, attempt: Attempt | None = None) -> Run:
        """Like `wait`, for a leaf that needs another that has not ended."""
        run = self.wait(job, attempt)
        self.coming[job.id] = self.waiting.pop(job.id)
        return run

    def release(self, job: Job) -> bool:
        """What the job needed is there: whether it was handed over before, and waits for a slot if it has none."""
        if job.id in self.coming:
            self.waiting[job.id] = self.coming.pop(job.id)
        return job.id in self.runs

    def withdraw(self, job: Job) -> None:
        """The job, which has no slot, is to be stopped."""
        self.waiting.pop(job.id, None)
        self.coming.pop(job.id, None)

    def let_go(self) -> Iterator[Run]:
        """Free slots for those that wait."""
        while self.waiting and self.slots.any_free:
            run = self.waiting.pop(next(iter(self.waiting)))
            run.grant = self.slots.take(Request())
            yield run

    def admit(self, run: Run) -> None:
        """A slot for one that was started while it waited, whatever the count: another's end made room for it."""
        self.withdraw(run.job)
        if run.grant is None:
            run.grant = self.slots.take(Request(), force=True)

    def hold(self, job: Job, attempt: Attempt | None = None) -> Run:
        """A slot for what is running already, whatever the count."""
        grant = self.slots.take(Request(), force=True)
        assert grant is not None, "a forced slot is always given"
        run = self.runs[job.id] = Run(job, grant)
        if attempt:
            self.start(run, attempt.step_id, attempt.number)
        return run

    def start(self, run: Run, step_id: str, number: int) -> None:
        run.step_id, run.number = step_id, number
        self.steps[step_id] = run

    def free(self, job: Job) -> Run | None:
        """The slot is free again; what held it."""
        for known in (self.entities, self.pipelines, self.planning):
            known.pop(job.id, None)
        self.withdraw(job)
        run = self.runs.pop(job.id, None)
        if run:
            if run.grant:
                self.slots.give(run.grant)
            if run.step_id:
                self.steps.pop(run.step_id, None)
        return run

    def abandon(self) -> None:
        """Stop what is being prepared or finished beside the loop."""
        for run in self.runs.values():
            if run.task:
                run.task.cancel()
