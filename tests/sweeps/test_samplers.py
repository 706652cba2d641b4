"""Samplers as the engine calls them."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.trials import Told
from smalt.sweep import Choice, LogUniform, RandomSamplingAlgorithm, Uniform

SPACE: dict[str, Any] = {"x": Uniform(0, 1), "y": LogUniform(-6, -1), "z": Choice(["a", "b"])}


def test_random_points_depend_on_seed_and_number_alone() -> None:
    """A sampler made again goes on where the first would have, and repeats nothing."""
    whole = make_sampler("random", SPACE, 4, "minimize")
    points = [whole.propose(number, [], []) for number in range(40)]
    resumed = make_sampler(RandomSamplingAlgorithm(), SPACE, 4, "minimize")
    told = [Told(number, points[number], 0.5, True) for number in range(20)]
    rest = [resumed.propose(number, told, [(3, points[3])]) for number in range(20, 40)]
    assert rest == points[20:]
    assert len({str(point) for point in points}) == 40
    assert make_sampler("random", SPACE, 5, "minimize").propose(0, [], []) != points[0]
    assert not whole.is_slow
    assert whole.count_points() is None


def test_a_parameter_more_leaves_the_others_as_they_are() -> None:
    first = make_sampler("random", {"x": Uniform(0, 1)}, 4, "minimize").propose(9, [], [])
    assert make_sampler("random", SPACE, 4, "minimize").propose(9, [], [])["x"] == first["x"]


def test_the_base_of_the_algorithm() -> None:
    sampler = make_sampler(RandomSamplingAlgorithm(logbase=10), {"y": LogUniform(2, 3)}, 1, "minimize")
    assert all(100 <= sampler.propose(number, [], [])["y"] <= 1000 for number in range(50))


def test_an_unknown_algorithm() -> None:
    with pytest.raises(ValueError, match="there is no sampling algorithm 'annealing'"):
        make_sampler("annealing", SPACE, 1, "minimize")
