"""Samplers as the engine calls them."""

from __future__ import annotations

import hashlib
import struct
from typing import Any

import pytest

from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.sobol import MOST_DIMENSIONS, make_integer
from smalt.service.sweeps.trials import Told
from smalt.sweep import Choice, GridSamplingAlgorithm, LogUniform, RandomSamplingAlgorithm, Uniform

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


WIDE = {f"x{place}": Uniform(0, 1) for place in range(MOST_DIMENSIONS + 2)}


def draw_sobol(space: dict[str, Any], count: int, seed: int = 4) -> list[dict[str, Any]]:
    sampler = make_sampler(RandomSamplingAlgorithm(rule="sobol"), space, seed, "minimize")
    return [sampler.propose(number, [], []) for number in range(count)]


def test_the_sequence_of_sobol() -> None:
    """As in SciPy's qmc.Sobol(scramble=False): some dimensions by value, all of 1,024 points by their digest."""
    found = [[make_integer(dimension, number) / 2**32 for dimension in (0, 1, 2, 20, 39)] for number in range(8)]
    assert found[:5] == [[0.0] * 5, [0.5] * 5, [0.75, 0.25, 0.25, 0.25, 0.25], [0.25, 0.75, 0.75, 0.75, 0.75],
                         [0.375, 0.375, 0.625, 0.125, 0.875]]  # fmt: skip
    integers = [make_integer(dimension, number) for number in range(1024) for dimension in range(MOST_DIMENSIONS)]
    assert hashlib.sha256(struct.pack(f">{len(integers)}I", *integers)).hexdigest()[:16] == "c088b2136f9c22da"


def test_sobol_has_a_point_in_each_cell() -> None:
    """Of 256: in 256 intervals of each dimension, and in 16 times 16 squares of the first two. Random ones have not."""
    points = draw_sobol(WIDE, 256)
    for name in list(WIDE)[:MOST_DIMENSIONS]:
        assert {int(point[name] * 256) for point in points} == set(range(256))
    squares = {(int(point["x0"] * 16), int(point["x1"] * 16)) for point in points}
    assert len(squares) == 256
    sampler = make_sampler("random", WIDE, 4, "minimize")
    assert len({int(sampler.propose(number, [], [])["x0"] * 256) for number in range(256)}) < 200


def test_parameters_beyond_the_table_are_random() -> None:
    last = f"x{MOST_DIMENSIONS}"
    random = make_sampler("random", WIDE, 4, "minimize")
    for number, point in enumerate(draw_sobol(WIDE, 20)):
        assert point[last] == random.propose(number, [], [])[last]
        assert point["x0"] != random.propose(number, [], [])["x0"]


def test_sobol_resumes_and_has_seeds() -> None:
    points = draw_sobol(SPACE, 40)
    sampler = make_sampler(RandomSamplingAlgorithm(rule="sobol"), SPACE, 4, "minimize")
    told = [Told(number, points[number], 0.5, True) for number in range(20)]
    assert [sampler.propose(number, told, []) for number in range(20, 40)] == points[20:]
    assert len({str(point) for point in points}) == 40
    assert all(one != two for one, two in zip(points, draw_sobol(SPACE, 40, seed=5), strict=True))


def test_sobol_of_nested_choices() -> None:
    """Each option as often as another; what is in a branch is even there."""
    space = {"model": Choice([{"a": Uniform(0, 1)}, {"b": Choice([1, 2])}])}
    points = [point["model"] for point in draw_sobol(space, 64)]
    assert sum("a" in point for point in points) == 32
    values = sorted(point["a"] for point in points if "a" in point)
    assert all(abs(value - (place + 0.5) / 32) < 0.1 for place, value in enumerate(values))


def test_a_grid_is_in_the_order_of_nested_loops() -> None:
    sampler = make_sampler("grid", {"batch": Choice([16, 32]), "layers": Choice([1, 2, 3])}, 0, "minimize")
    assert sampler.count_points() == 6
    points = [sampler.propose(number, [], []) for number in range(6)]
    assert [(point["batch"], point["layers"]) for point in points] == [
        (16, 1), (16, 2), (16, 3), (32, 1), (32, 2), (32, 3),
    ]  # fmt: skip
    assert list(points[0]) == ["batch", "layers"]
    with pytest.raises(ValueError, match="the grid has 6 points, and no number 6"):
        sampler.propose(6, [], [])


def test_a_grid_of_nested_choices() -> None:
    """A branch has as many points as its own choices make; the others are not multiplied by them."""
    space = {
        "model": Choice([{"kind": "tree", "depth": Choice([3, 5])}, {"kind": "line"}, Choice(["x", "y"])]),
        "sizes": Choice([[8, Choice([1, 2])], "none"]),
    }
    sampler = make_sampler(GridSamplingAlgorithm(), space, 0, "minimize")
    points = [sampler.propose(number, [], []) for number in range(sampler.count_points() or 0)]
    models = [{"kind": "tree", "depth": 3}, {"kind": "tree", "depth": 5}, {"kind": "line"}, "x", "y"]
    sizes = [[8, 1], [8, 2], "none"]
    assert points == [{"model": model, "sizes": size} for model in models for size in sizes]


@pytest.mark.parametrize(
    ("space", "path"),
    [
        ({"a": Choice([1]), "x": Uniform(0, 1)}, "x"),
        ({"model": Choice([1, {"rate": LogUniform(-6, -1)}])}, "model/1/rate"),
    ],
    ids=["flat", "nested"],
)
def test_a_grid_of_other_distributions(space: dict[str, Any], path: str) -> None:
    with pytest.raises(ValueError, match=f"grid sampling needs a choice of values, and '{path}' is another"):
        make_sampler("grid", space, 0, "minimize")
