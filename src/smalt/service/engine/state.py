"""The memory of the engine, which can be made again from the records at any time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from smalt.service.engine.composites import Composites
from smalt.service.engine.context import EngineContext
from smalt.service.engine.handover import HandOver, NoHandOver
from smalt.service.engine.queues import Queues
from smalt.service.engine.step_reuse import StepReuse
from smalt.service.engine.versions.protection import VersionProtection
from smalt.service.records import jobs
from smalt.service.records.jobs import Job


class SharedState:
    """The queues, caches and lists that the parts of the engine share."""

    def __init__(self, context: EngineContext, request_turn: Callable[[], None], *, hands_over: bool) -> None:
        self.context = context
        self.request_turn = request_turn
        self.queues = Queues(context.computes.capacities, self._find_runner)
        self.step_reuse = StepReuse(context)
        self.composites = Composites(context, self.step_reuse.find_place, request_turn)
        self.handover = (
            HandOver(context, self.queues, self.step_reuse) if hands_over else NoHandOver(context, self.queues)
        )
        self.protection = VersionProtection(context, self.step_reuse.reuse)
        self.changed: set[int] = set()
        """The root jobs whose watchers are woken after the commit."""
        self.stops: list[str] = []
        """The steps that are stopped after the commit."""

    def clear(self) -> None:
        """Forget all that the records have; only the root jobs in `changed` are kept, for their watchers."""
        self.queues = Queues(self.context.computes.capacities, self._find_runner)
        self.handover.reset(self.queues)
        self.protection.forget_uncommitted()
        self.composites.clear()
        self.step_reuse.clear()

    def take_stops(self) -> list[str]:
        """Return the steps to stop, and forget them."""
        stops, self.stops = self.stops, []
        return stops

    def _find_runner(self, job: Job, entity: Any) -> str:
        compute = (
            entity.compute if entity is not None else jobs.read_properties(self.context.db, job.id).get("computeId")
        )
        return self.context.computes.find_backend(compute).runner.name
