"""Samplers that learn from earlier trials, by a process that is asked and told.

The process keeps what it was told. The sampler tells it the rest, or everything if it was started again; so its
answer is a function of the recorded trials, their order and the number of the trial.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any

from smalt.exceptions import Unavailable
from smalt.service.sweeps.optuna_process import OptunaProcess
from smalt.service.sweeps.random_points import make_unit
from smalt.service.sweeps.space import (
    Alternatives,
    Parameter,
    PlacedParameter,
    Point,
    Space,
    find_coordinates,
    list_parameters,
    make_point,
)
from smalt.service.sweeps.trials import Running, Told

_TRIES = 3


class LearningSampler:
    """Bayesian sampling, and other algorithms that have a process."""

    is_slow = True

    def __init__(
        self, algorithm: str, space: Space, seed: int, goal: str, start_optuna: Callable[[], OptunaProcess]
    ) -> None:
        self._algorithm = algorithm
        self._space = space
        self._seed = seed
        self._goal = goal.lower()
        self._start_optuna = start_optuna
        self._parameters = [_describe_parameter(each) for each in list_parameters(space)]
        self._lock = threading.Lock()
        self._study = os.urandom(8).hex()
        self._known = 0
        """The number of trials that the process was told, as far as is known here."""
        self._told: list[Told] = []
        self._coordinates: list[tuple[dict[str, float], float | None, bool]] = []

    def count_points(self) -> int | None:
        return None

    def propose(self, number: int, told: Sequence[Told], running: Sequence[Running]) -> Point:
        with self._lock:
            same = _count_same(self._told, told)
            del self._told[same:], self._coordinates[same:]
            self._known = min(self._known, same)
            self._coordinates += [self._make_told(trial) for trial in told[same:]]
            self._told += told[same:]
            found = self._request_point(number, [find_coordinates(self._space, point) for _, point in running])

        def choose(path: str, parameter: Parameter) -> float:
            if path in found:
                return found[path]
            return parameter.get_coordinate(make_unit(self._seed, number, path))

        return make_point(self._space, choose)

    def _request_point(self, number: int, running: list[dict[str, float]]) -> dict[str, float]:
        process = self._start_optuna()
        for _ in range(_TRIES):
            request = {
                "study": self._study,
                "parameters": self._parameters,
                "goal": self._goal,
                "since": self._known,
                "told": self._coordinates[self._known :],
                "running": running,
                "seed": _make_seed(self._seed, number),
            }
            answer = process.ask(self._algorithm, request)
            if "coordinates" in answer:
                self._known = len(self._coordinates)
                coordinates: dict[str, float] = answer["coordinates"]
                return coordinates
            if "error" in answer:
                raise Unavailable(f"{self._algorithm} sampling could not propose a point: {answer['error']}")
            self._known = answer["known"]
        raise Unavailable(f"the process of {self._algorithm} sampling ended again and again")

    def _make_told(self, trial: Told) -> tuple[dict[str, float], float | None, bool]:
        return find_coordinates(self._space, trial.point), trial.value, trial.is_completed


def _count_same(one: Sequence[Told], two: Sequence[Told]) -> int:
    """Return how many trials both begin with. Two ends that were read at the same time are told in either order."""
    count = 0
    for first, second in zip(one, two, strict=False):
        if first.number != second.number or first[2:] != second[2:]:
            break
        count += 1
    return count


def _describe_parameter(placed: PlacedParameter) -> list[Any]:
    bounds = placed.parameter.bounds
    kind = "index" if isinstance(placed.parameter, Alternatives) else "integer" if bounds.is_integer else "float"
    return [placed.path, kind, bounds.low, bounds.high, placed.when]


def _make_seed(seed: int, number: int) -> int:
    return int.from_bytes(blake2b(f"{seed}/{number}".encode(), digest_size=4).digest(), "big")
