"""The collector of new steps: the pipeline whose function is running."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol


class StepCollector(Protocol):
    def add(self, node: Any) -> None: ...

    def remove(self, node: Any) -> None: ...


current_collector: ContextVar[StepCollector | None] = ContextVar("current_collector", default=None)


def add_step(node: Any) -> None:
    current = current_collector.get()
    if current is not None:
        current.add(node)


def remove_step(node: Any) -> None:
    """Remove a step that became part of another, as a command that is swept."""
    current = current_collector.get()
    if current is not None:
        current.remove(node)
