"""The trials of a sweep, as a sampler is told of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from smalt.service.sweeps.space import Point


class Told(NamedTuple):
    """A trial that has ended. Samplers get them in the order in which the sweep was told of the ends."""

    number: int
    point: Point
    value: float | None
    """The objective; None if the trial logged none."""
    is_completed: bool


Running = tuple[int, Point]
"""The number and the point of a trial that has not ended."""


class Sampler(Protocol):
    """A way to choose points. `propose` depends on its arguments alone, so that a restart changes no later point."""

    is_slow: bool
    """True if `propose` must be called in a thread."""

    def count_points(self) -> int | None:
        """Return the number of points of a grid; None if there is no end of them."""

    def propose(self, number: int, told: Sequence[Told], running: Sequence[Running]) -> Point:
        """Return the point of the trial of this number, which counts from 0."""
