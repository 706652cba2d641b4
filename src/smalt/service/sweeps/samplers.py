"""The samplers by name of algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.search_space import SamplingAlgorithm
from smalt.service.sweeps.grid import GridSampler
from smalt.service.sweeps.random_points import RandomSampler
from smalt.service.sweeps.sobol import SobolSampler
from smalt.service.sweeps.space import read_space
from smalt.service.sweeps.trials import Sampler

if TYPE_CHECKING:
    from smalt.service.sweeps.optuna_process import OptunaProcess

_LEARNING = {"bayesian": "bayesian", "cmaes": "cmaes", "gp": "gp", "hyperband": "bayesian"}
"""Algorithms that have a process → the algorithm of that process. Hyperband is Bayesian sampling with a policy."""


def make_sampler(
    algorithm: str | SamplingAlgorithm,
    space: Mapping[str, Any],
    seed: int,
    goal: str,
    start_optuna: Callable[[], OptunaProcess] | None = None,
) -> Sampler:
    """Return the sampler of a sweep; ValueError has a sentence for the user if it cannot sample the space."""
    kind = algorithm if isinstance(algorithm, str) else str(getattr(algorithm, "type", ""))
    nodes = read_space(space, getattr(algorithm, "logbase", None))
    if kind == "random":
        is_sobol = getattr(algorithm, "rule", None) == "sobol"
        return SobolSampler(nodes, seed) if is_sobol else RandomSampler(nodes, seed)
    if kind == "grid":
        return GridSampler(nodes)
    if kind in _LEARNING:
        from smalt.service.sweeps.bayesian import LearningSampler

        if start_optuna is None:
            raise ValueError(f"{kind} sampling needs a process")
        return LearningSampler(_LEARNING[kind], nodes, seed, goal, start_optuna)
    raise ValueError(f"there is no sampling algorithm '{kind}'")
