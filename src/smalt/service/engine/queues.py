"""The engine's queues: composites to plan, leaves that are ready, and leaves that run.

Everything here can be made again from the records.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.service.compute.backend import Capacity
from smalt.service.engine.kinds import command
from smalt.service.engine.slots import Grant, Request, Slots
from smalt.service.environments import BuiltEnvironment
from smalt.service.records.jobs import Attempt, Job

_MOST_ENTITIES = 5000


@dataclass
class LeafRun:
    """A leaf that is being prepared, runs or has its outputs stored; or one that waits at the launcher for a slot."""

    job: Job
    grant: Grant | None
    """Its slots; None while it waits at the launcher."""
    leaf: command.Leaf | None = None
    environment: BuiltEnvironment | None = None
    view: BuiltEnvironment | None = None
    """Its own view of the environment."""
    step_id: str | None = None
    number: int = 0
    """The number of the attempt, from 1; 0 before there is one."""
    untouched: bool = False
    """True once it has completed and left its folder as it was made."""
    empty: list[str] = field(default_factory=list)
    """Outputs to which the completed step wrote nothing."""
    moved: str | None = None
    """A sentence that says why an input was not what the step should have read."""
    task: asyncio.Task[None] | None = None
    """The preparation, or the storing of outputs, that runs beside the loop."""

    @property
    def is_queued(self) -> bool:
        """True until the launcher reports that the step started."""
        return self.job.status == "Queued"


class Queues:
    """The jobs that wait for the engine and those that hold its slots."""

    def __init__(self, capacity: Capacity) -> None:
        self.slots = Slots(capacity.cpus, capacity.gpus)
        self.plans: deque[int] = deque()
        """Composites to plan."""
        self.ready: deque[int] = deque()
        """Leaves that wait only for a slot, oldest first."""
        self.never_started: list[int] = []
        """Leaves whose last attempt never started, oldest first; they precede those in `ready`."""
        self.runs: dict[int, LeafRun] = {}
        """Leaves that hold slots or wait at the launcher, by job."""
        self.steps: dict[str, LeafRun] = {}
        """The runs that have a step, by its id."""
        self.entities: dict[int, Any] = {}
        """Jobs just planned or accepted, which need not be read again from their bodies."""

    @property
    def is_busy(self) -> bool:
        return bool(self.plans or self.ready or self.runs or self.never_started)

    def add(self, job: Job) -> None:
        """Queue the job if it waits for no other."""
        if not job.waiting:
            (self.plans if job.is_composite else self.ready).append(job.id)

    def add_again(self, job: Job, *, never_started: bool) -> None:
        """Queue a leaf for another attempt."""
        (self.never_started if never_started else self.ready).append(job.id)

    def put_never_started_first(self) -> None:
        """Move the leaves whose last attempt never started to the head of `ready`."""
        self.ready.extendleft(reversed(self.never_started))
        self.never_started.clear()

    def keep_entities(self, entities: Mapping[int, Any]) -> None:
        """Keep the entities of jobs just accepted or planned, unless many are kept already."""
        if len(self.entities) < _MOST_ENTITIES:
            self.entities.update(entities)

    def start_run(self, leaf: command.Leaf) -> LeafRun | None:
        """Give slots to a leaf that is to start; None while too few are free."""
        grant = self.slots.take(leaf.request)
        if grant is None:
            return None
        run = self.runs[leaf.job.id] = LeafRun(leaf.job, grant, leaf)
        return run

    def hold_slot(self, job: Job, attempt: Attempt | None = None) -> LeafRun:
        """Give a slot to a leaf that runs already, even if none is free."""
        run = self.runs[job.id] = LeafRun(job, self.slots.force(Request()))
        if attempt:
            self.set_step(run, attempt.step_id, attempt.number)
        return run

    def set_step(self, run: LeafRun, step_id: str, number: int) -> None:
        run.step_id, run.number = step_id, number
        self.steps[step_id] = run

    def remove(self, job: Job) -> LeafRun | None:
        """Forget the job and free its slots; return its run, if it had one."""
        self.entities.pop(job.id, None)
        run = self.runs.pop(job.id, None)
        if run:
            if run.grant:
                self.slots.give(run.grant)
            if run.step_id:
                self.steps.pop(run.step_id, None)
        return run

    def cancel_tasks(self) -> None:
        """Stop the preparations and the storing of outputs that run beside the loop."""
        for run in self.runs.values():
            if run.task:
                run.task.cancel()
