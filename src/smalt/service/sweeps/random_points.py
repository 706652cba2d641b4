"""Random sampling as a pure function of seed, number of the trial and parameter, so that a resumed sweep goes on with
the points that it would have had.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from smalt.service.sweeps.space import Point, Space, make_point
from smalt.service.sweeps.trials import Running, Told

_BITS = 52
"""Bits of a unit number: as many as a float holds beside the half that keeps it off 0 and 1."""


class RandomSampler:
    """Independent points from the space's distributions."""

    is_slow = False

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed

    def count_points(self) -> int | None:
        return None

    def propose(self, number: int, told: Sequence[Told], running: Sequence[Running]) -> Point:
        return draw_point(self._space, self._seed, number)


def draw_point(space: Space, seed: int, number: int) -> Point:
    return make_point(space, lambda path, parameter: parameter.get_coordinate(make_unit(seed, number, path)))


def make_unit(seed: int, number: int, path: str) -> float:
    """Return a random number between 0 and 1, both excluded."""
    digest = blake2b(f"{seed}/{number}/{path}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> (64 - _BITS)) / 2.0**_BITS + 2.0 ** -(_BITS + 1)
