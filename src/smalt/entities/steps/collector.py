"""Who is told of the steps that a program makes: the pipeline whose function is running."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol


class Gatherer(Protocol):
    def add(self, node: Any) -> None: ...

    def drop(self, node: Any) -> None: ...


gatherer: ContextVar[Gatherer | None] = ContextVar("gatherer", default=None)


def gather(node: Any) -> None:
    current = gatherer.get()
    if current is not None:
        current.add(node)


def drop(node: Any) -> None:
    """The step became part of another one: a command that is swept."""
    current = gatherer.get()
    if current is not None:
        current.drop(node)
