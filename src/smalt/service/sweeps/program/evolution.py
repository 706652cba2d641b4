"""Proposals by CMA-ES, of the numbers that are in each point; choices, and what depends on them, are left out.

The state after n generations is a function of the first n populations in the order in which trials were told. So a
study that is made again from the records is the same.
"""

from __future__ import annotations

import numpy as np
from cmaes import CMA

from .studies import Coordinates, ParameterRange, ToldTrial

_SIGMA = 0.25
"""The first step size, as a share of the range of each parameter."""


class EvolutionStudy:
    def __init__(self, parameters: list[ParameterRange], goal: str) -> None:
        self._parameters = [
            each for each in parameters if each.when is None and each.kind != "index" and each.low < each.high
        ]
        self._sign = -1.0 if goal == "maximize" else 1.0
        self._told: list[ToldTrial] = []
        self._begin_search()

    def _begin_search(self) -> None:
        size = len(self._parameters)
        bounds = np.array([[0.0, 1.0]] * size)
        self._population: list[tuple[np.ndarray, float]] = []
        self._optimizer = CMA(mean=np.full(size, 0.5), sigma=_SIGMA, bounds=bounds, seed=0) if size else None

    @property
    def count(self) -> int:
        return len(self._told)

    def tell(self, trial: ToldTrial) -> None:
        self._told.append(trial)
        value = trial.value
        if self._optimizer is None or value is None or value != value or not trial.is_completed:
            return
        units = np.array([_find_unit(each, trial.coordinates[each.path]) for each in self._parameters])
        self._population.append((units, self._sign * value))
        if len(self._population) == self._optimizer.population_size:
            self._optimizer.tell(self._population)
            self._population = []

    def forget(self, count: int) -> None:
        if count < self.count:
            kept, self._told = self._told[:count], []
            self._begin_search()
            for trial in kept:
                self.tell(trial)

    def propose(self, seed: int, running: list[Coordinates]) -> Coordinates:
        if self._optimizer is None:
            return {}
        self._optimizer.reseed_rng(seed)
        units = self._optimizer.ask()
        return {
            each.path: _find_coordinate(each, float(unit)) for each, unit in zip(self._parameters, units, strict=True)
        }


def _find_unit(parameter: ParameterRange, coordinate: float) -> float:
    low, high = _get_range(parameter)
    return (coordinate - low) / (high - low)


def _find_coordinate(parameter: ParameterRange, unit: float) -> float:
    low, high = _get_range(parameter)
    found = low + (high - low) * unit
    if parameter.kind == "integer":
        found = round(found)
    return min(max(found, parameter.low), parameter.high)


def _get_range(parameter: ParameterRange) -> tuple[float, float]:
    """Return the bounds of the numbers that are rounded to the parameter's."""
    margin = 0.5 if parameter.kind == "integer" else 0.0
    return parameter.low - margin, parameter.high + margin
