"""Sobol sampling: a sequence that covers the space evenly, moved by a digital shift of the seed.

The direction numbers are those of S. Joe and F. Y. Kuo, "Constructing Sobol sequences with better two-dimensional
projections" (2008). A point is a pure function of seed and number.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from hashlib import blake2b

from smalt.service.sweeps.random_points import make_unit
from smalt.service.sweeps.space import Parameter, Point, Space, list_parameters, make_point
from smalt.service.sweeps.trials import Running, Told

_BITS = 32

# Of each dimension from the second: the inner coefficients of its primitive polynomial, as bits, and the first
# direction numbers, as many as its degree.
_TABLE: tuple[tuple[int, tuple[int, ...]], ...] = (
    (0, (1,)),
    (1, (1, 3)),
    (1, (1, 3, 1)),
    (2, (1, 1, 1)),
    (1, (1, 1, 3, 3)),
    (4, (1, 3, 5, 13)),
    (2, (1, 1, 5, 5, 17)),
    (4, (1, 1, 5, 5, 5)),
    (7, (1, 1, 7, 11, 19)),
    (11, (1, 1, 5, 1, 1)),
    (13, (1, 1, 1, 3, 11)),
    (14, (1, 3, 5, 5, 31)),
    (1, (1, 3, 3, 9, 7, 49)),
    (13, (1, 1, 1, 15, 21, 21)),
    (16, (1, 3, 1, 13, 27, 49)),
    (19, (1, 1, 1, 15, 7, 5)),
    (22, (1, 3, 1, 15, 13, 25)),
    (25, (1, 1, 5, 5, 19, 61)),
    (1, (1, 3, 7, 11, 23, 15, 103)),
    (4, (1, 3, 7, 13, 13, 15, 69)),
    (7, (1, 1, 3, 13, 7, 35, 63)),
    (8, (1, 3, 5, 9, 1, 25, 53)),
    (14, (1, 3, 1, 13, 9, 35, 107)),
    (19, (1, 3, 1, 5, 27, 61, 31)),
    (21, (1, 1, 5, 11, 19, 41, 61)),
    (28, (1, 3, 5, 3, 3, 13, 69)),
    (31, (1, 1, 7, 13, 1, 19, 1)),
    (32, (1, 3, 7, 5, 13, 19, 59)),
    (37, (1, 1, 3, 9, 25, 29, 41)),
    (41, (1, 3, 5, 13, 23, 1, 55)),
    (42, (1, 3, 7, 3, 13, 59, 17)),
    (50, (1, 3, 1, 3, 5, 53, 69)),
    (55, (1, 1, 5, 5, 23, 33, 13)),
    (56, (1, 1, 7, 7, 1, 61, 123)),
    (59, (1, 1, 7, 9, 13, 61, 49)),
    (62, (1, 3, 3, 5, 3, 55, 33)),
    (14, (1, 3, 1, 15, 31, 13, 49, 245)),
    (21, (1, 3, 5, 15, 31, 59, 63, 97)),
    (22, (1, 3, 1, 11, 11, 11, 77, 249)),
)
MOST_DIMENSIONS = len(_TABLE) + 1
"""Parameters of a space that the sequence has dimensions for; further ones are random."""


class SobolSampler:
    """Points of the sequence. Each parameter has a dimension of its own, those in the branches of choices too."""

    is_slow = False

    def __init__(self, space: Space, seed: int) -> None:
        self._space = space
        self._seed = seed
        self._dimensions = {placed.path: place for place, placed in enumerate(list_parameters(space))}

    def count_points(self) -> int | None:
        return None

    def propose(self, number: int, told: Sequence[Told], running: Sequence[Running]) -> Point:
        def choose(path: str, parameter: Parameter) -> float:
            dimension = self._dimensions[path]
            if dimension >= MOST_DIMENSIONS:
                return parameter.get_coordinate(make_unit(self._seed, number, path))
            shifted = make_integer(dimension, number) ^ _make_shift(self._seed, path)
            return parameter.get_coordinate((shifted + 0.5) / 2.0**_BITS)

        return make_point(self._space, choose)


def make_integer(dimension: int, number: int) -> int:
    """Return the coordinate of the sequence's point of this number, as a fraction of 2 to the power of 32."""
    found = 0
    gray = number ^ (number >> 1)  # successive points differ in one direction, as in other implementations
    for direction in _list_directions(dimension):
        if not gray:
            break
        if gray & 1:
            found ^= direction
        gray >>= 1
    return found


@cache
def _list_directions(dimension: int) -> tuple[int, ...]:
    if dimension == 0:
        return tuple(1 << (_BITS - 1 - place) for place in range(_BITS))
    coefficients, first = _TABLE[dimension - 1]
    degree = len(first)
    found = [number << (_BITS - 1 - place) for place, number in enumerate(first)]
    for place in range(degree, _BITS):
        direction = found[place - degree] ^ (found[place - degree] >> degree)
        for inner in range(1, degree):
            if coefficients >> (degree - 1 - inner) & 1:
                direction ^= found[place - inner]
        found.append(direction)
    return tuple(found)


def _make_shift(seed: int, path: str) -> int:
    return int.from_bytes(blake2b(f"{seed}/{path}".encode(), digest_size=_BITS // 8).digest(), "big")
