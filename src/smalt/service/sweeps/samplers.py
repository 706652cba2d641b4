"""The samplers by name of algorithm."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from smalt.entities.jobs.search_space import SamplingAlgorithm
from smalt.service.sweeps.random_points import RandomSampler
from smalt.service.sweeps.space import read_space
from smalt.service.sweeps.trials import Sampler


def make_sampler(
    algorithm: str | SamplingAlgorithm,
    space: Mapping[str, Any],
    seed: int,
    goal: str,
    start_optuna: Callable[[], Any] | None = None,
) -> Sampler:
    """Return the sampler of a sweep; ValueError has a sentence for the user if it cannot sample the space."""
    kind = algorithm if isinstance(algorithm, str) else str(getattr(algorithm, "type", ""))
    nodes = read_space(space, getattr(algorithm, "logbase", None))
    if kind == "random":
        return RandomSampler(nodes, seed)
    raise ValueError(f"there is no sampling algorithm '{kind}'")
