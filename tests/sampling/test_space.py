"""Search spaces: each distribution by its statistics, rounding, nested choices, and the way from values back."""

from __future__ import annotations

import json
import math
from statistics import NormalDist
from typing import Any

import pytest

from smalt.service.sweeps.random_points import draw_point, make_unit
from smalt.service.sweeps.space import BellCurve, find_coordinates, list_parameters, make_inputs, make_point, read_space
from smalt.sweep import (
    Choice,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    Uniform,
)
from tests.sampling.goodness import find_distance, get_critical_distance, list_shares

COUNT = 20_000
BELL = NormalDist()


def draw(distribution: Any, count: int = COUNT, logbase: Any = None) -> list[Any]:
    space = read_space({"x": distribution}, logbase)
    return [draw_point(space, 7, number)["x"] for number in range(count)]


@pytest.mark.parametrize(
    ("distribution", "logbase", "function"),
    [
        (Uniform(-2, 3), None, lambda x: (x + 2) / 5),
        (LogUniform(-6, -1), None, lambda x: (math.log(x) + 6) / 5),
        (LogUniform(-6, -1), "e", lambda x: (math.log(x) + 6) / 5),
        (LogUniform(-4, -1), 10, lambda x: (math.log10(x) + 4) / 3),
        (LogUniform(1, 5), "2", lambda x: (math.log2(x) - 1) / 4),
        (Normal(10, 3), None, lambda x: BELL.cdf((x - 10) / 3)),
        (LogNormal(1, 0.5), None, lambda x: BELL.cdf((math.log(x) - 1) / 0.5)),
        (LogNormal(1, 0.5), 10, lambda x: BELL.cdf((math.log10(x) - 1) / 0.5)),
    ],
    ids=["uniform", "loguniform", "base e", "base 10", "base 2", "normal", "lognormal", "lognormal, base 10"],
)
def test_continuous_distributions(distribution: Any, logbase: Any, function: Any) -> None:
    """Kolmogorov-Smirnov with a fixed seed; the bounds of the logarithmic ones are exponents."""
    assert find_distance(draw(distribution, logbase=logbase), function) < get_critical_distance(COUNT)


def test_log_uniform_of_the_public_notebooks() -> None:
    """`LogUniform(min_value=-6, max_value=-1)` is 0.0025 to 0.37."""
    values = draw(LogUniform(-6, -1))
    assert math.exp(-6) <= min(values) < 0.00249
    assert 0.367 < max(values) <= math.exp(-1)


def test_choices_and_integers_are_even() -> None:
    assert list_shares(draw(Choice(["a", "b", "c", "d"]))) == pytest.approx(dict.fromkeys("abcd", 0.25), abs=0.01)
    shares = list_shares(draw(Randint(5)))
    assert shares == pytest.approx(dict.fromkeys(range(5), 0.2), abs=0.01)
    assert all(type(value) is int for value in shares)


def test_end_buckets_have_half_the_mass() -> None:
    """As round(uniform / q) * q gives it."""
    shares = list_shares(draw(QUniform(0, 10, 5)))
    assert shares == pytest.approx({0: 0.25, 5: 0.5, 10: 0.25}, abs=0.01)


def test_rounding_may_leave_the_bounds() -> None:
    """The service documents no clipping: 1 to 10 in steps of 4 is 0, 4, 8."""
    assert set(draw(QUniform(1, 10, 4))) == {0, 4, 8}


@pytest.mark.parametrize(
    ("distribution", "function"),
    [
        (QNormal(10, 3, 2), lambda x: BELL.cdf((x - 10) / 3)),
        (QLogNormal(1, 0.5, 2), lambda x: BELL.cdf((math.log(x) - 1) / 0.5) if x > 0 else 0.0),
        (QLogUniform(0, 3, 2), lambda x: min(max(math.log(x) / 3, 0), 1) if x > 0 else 0.0),
    ],
    ids=["qnormal", "qlognormal", "qloguniform"],
)
def test_rounded_distributions(distribution: Any, function: Any) -> None:
    """Each multiple of q has the mass within half of q."""
    shares = list_shares(draw(distribution))
    expected = {value: function(value + 1) - function(value - 1) for value in shares}
    assert shares == pytest.approx(expected, abs=0.012)
    assert all(type(value) is int and value % 2 == 0 for value in shares)


def test_rounded_values_are_tidy() -> None:
    """No 0.30000000000000004; and an integer q gives integers, which a trial's `type=int` reads."""
    assert {str(value) for value in draw(QUniform(0, 1, 0.1), 500)} == {f"{tenth / 10}" for tenth in range(11)}
    assert all(type(value) is int for value in draw(QUniform(0, 100, 10), 50))
    assert all(type(value) is int for value in draw(QUniform(0, 100, 10.0), 50))
    assert {str(value) for value in draw(QUniform(0, 1e-4, 1e-5), 500)} >= {"3e-05", "7e-05"}


NESTED = {
    "model": {
        "type": "choice",
        "values": [
            {"name": "tree", "depth": {"type": "randint", "upper": 5}},
            {"name": "net", "rate": {"type": "loguniform", "min_value": -3, "max_value": -1}, "sizes": [4, 2]},
            {"name": "line"},
            "none",
        ],
    },
    "seed": Choice([1, Choice([10, 20]), Uniform(0.5, 0.6)]),
}


def test_nested_choices() -> None:
    """Of mappings with distributions, and of distributions: each option as likely as another, and its own values."""
    space = read_space(NESTED)
    points = [draw_point(space, 3, number) for number in range(8000)]
    names = [one["model"] if one["model"] == "none" else one["model"]["name"] for one in points]
    assert list_shares(names) == pytest.approx(dict.fromkeys(["tree", "net", "line", "none"], 0.25), abs=0.02)
    depths = [one["model"]["depth"] for one in points if "depth" in one["model"]]
    assert list_shares(depths) == pytest.approx(dict.fromkeys(range(5), 0.2), abs=0.03)
    rates = [one["model"]["rate"] for one in points if "rate" in one["model"]]
    assert find_distance(rates, lambda x: (math.log(x) + 3) / 2) < get_critical_distance(len(rates))
    assert all(one["model"]["sizes"] == [4, 2] for one in points if "rate" in one["model"])
    seeds = list_shares(one["seed"] if isinstance(one["seed"], int) else "uniform" for one in points)
    assert seeds == pytest.approx({1: 1 / 3, 10: 1 / 6, 20: 1 / 6, "uniform": 1 / 3}, abs=0.02)


def test_paths_of_parameters() -> None:
    """Each says which option of which choice it depends on."""
    assert [(path, when) for path, _, when in list_parameters(read_space(NESTED))] == [
        ("model", None), ("model/0/depth", ("model", 0)), ("model/1/rate", ("model", 1)),
        ("seed", None), ("seed/1", ("seed", 1)), ("seed/2", ("seed", 2)),
    ]  # fmt: skip


def test_a_nested_value_is_json_for_the_trial() -> None:
    point = {"model": {"name": "tree", "depth": 3, "on": True}, "layers": [4, 2], "rate": 0.1, "word": "é"}
    assert make_inputs(point) == {
        "model": '{"name": "tree", "depth": 3, "on": true}', "layers": "[4, 2]", "rate": 0.1, "word": "é",
    }  # fmt: skip


def test_lists_with_distributions() -> None:
    point = draw_point(read_space({"layers": Choice([[Choice([8]), Randint(1), "end"]])}), 1, 0)
    assert point == {"layers": [8, 0, "end"]}


EVERYTHING = {
    "a": Choice(["x", True, 1, 1.0, [1, 2]]),
    "b": Randint(9),
    "c": Uniform(-1, 1),
    "d": QUniform(0, 1, 0.1),
    "e": LogUniform(-9, 3),
    "f": QLogUniform(-2, 4, 3),
    "g": Normal(1, 2),
    "h": QNormal(0, 5, 0.5),
    "i": LogNormal(0, 2),
    "j": QLogNormal(0, 1, 2),
    **NESTED,
}


def test_values_lead_back_to_coordinates() -> None:
    """A recorded point, read from JSON again, has coordinates that give the same point, whoever works them out."""
    space = read_space(EVERYTHING)
    for number in range(300):
        point = json.loads(json.dumps(draw_point(space, 11, number)))
        found = find_coordinates(space, point)
        again = make_point(space, lambda path, parameter, found=found: found[path])
        assert find_coordinates(space, json.loads(json.dumps(point))) == found
        assert json.dumps(again["a"]) == json.dumps(point["a"])
        assert {k: v for k, v in again.items() if k in "bdfhj"} == {k: v for k, v in point.items() if k in "bdfhj"}
        assert all(again[name] == pytest.approx(point[name]) for name in "cegi")


OTHERS = {
    "integer": (Randint(3), [3, -1, 0.5]),
    "uniform": (Uniform(1, 2), [0.99, 2.01]),
    "quniform": (QUniform(0, 10, 2), [3, 12, -2, 2.5]),
    "loguniform": (LogUniform(0, 1), [0.9, 2.8, -1, 0]),
    "qloguniform": (QLogUniform(0, 3, 2), [3, 22, -2]),
    "qnormal": (QNormal(0, 1, 0.5), [0.4]),
    "lognormal": (LogNormal(0, 1), [-0.1]),
    "qlognormal": (QLogNormal(0, 1, 2), [-2, 1]),
}


@pytest.mark.parametrize("name", OTHERS)
def test_values_of_other_distributions(name: str) -> None:
    distribution, values = OTHERS[name]
    for value in values:
        with pytest.raises(ValueError, match="is not in the search space"):
            find_coordinates(read_space({"x": distribution}), {"x": value})


@pytest.mark.parametrize("sigma", [1, 1e-6, 1e6])
@pytest.mark.parametrize("mu", [0, 1000, -6])
def test_values_far_from_the_mean(mu: float, sigma: float) -> None:
    """The farthest quantiles lead back to themselves, also where the value is next to nothing."""
    node = BellCurve(mu, sigma)
    for coordinate in (node.bounds.low, 1e-6, 1 - 1e-6, node.bounds.high):
        assert node.find_coordinate(node.make_value(coordinate)) == pytest.approx(coordinate, abs=1e-8)


@pytest.mark.parametrize("point", [{"a": "y"}, {"a": 2.5}, {}, {"a": "x", "b": 1}, {"a": {"x": 1}}], ids=str)
def test_points_of_another_space(point: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="is not in the search space"):
        find_coordinates(read_space({"a": Choice(["x", 1, 2])}), point)


@pytest.mark.parametrize(
    ("distribution", "message"),
    [
        ({"type": "uniform", "min_value": 1}, "the uniform distribution of 'x' takes 'max_value' and 'min_value'"),
        (
            {"type": "choice", "values": [{"y": {"type": "randint", "upper": 0}}]},
            "'upper' of 'x/0/y' must be an integer of at least 1",
        ),
        ({"type": "choice", "values": []}, "the choice of 'x' needs a list of at least one value"),
        ({"type": "quniform", "min_value": 0, "max_value": 1, "q": 0}, "'q' of 'x' must be above 0"),
        (
            {"type": "uniform", "min_value": 2, "max_value": 1},
            "'max_value' of 'x' must not be below 'min_value', which is 2",
        ),
        (
            {"type": "qlognormal", "mu": 0, "sigma": 200, "q": 1},
            "'mu' and 'sigma' of 'x' are those of an exponent, and give too large numbers",
        ),
        ({"type": "normal", "mu": 0, "sigma": -1}, "'sigma' of 'x' must not be below 0"),
        (
            {"type": "uniform", "min_value": 0, "max_value": math.inf},
            "'max_value' of the uniform distribution of 'x' must be a number, not inf",
        ),
        (
            {"type": "loguniform", "min_value": 0, "max_value": 1000},
            r"2.718 to the power of 'max_value' of 'x' \(1000\) is too large a number",
        ),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_mistakes_are_sentences(distribution: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_space({"x": distribution})


@pytest.mark.parametrize("logbase", [0, -1, 1, "ten", True, math.inf])
def test_bad_bases(logbase: Any) -> None:
    with pytest.raises(ValueError, match="'logbase' must be 'e' or a positive number other than 1"):
        read_space({}, logbase)


def test_units_are_even_and_independent() -> None:
    """Over trials and over parameters; and never 0 or 1."""
    units = [make_unit(5, number, "x") for number in range(COUNT)]
    others = [make_unit(5, number, "y") for number in range(COUNT)]
    assert find_distance(units, lambda x: x) < get_critical_distance(COUNT)
    assert min(units) > 0
    assert max(units) < 1
    for one, two in ((units[1:], units[:-1]), (units, others)):
        mean = sum((a - 0.5) * (b - 0.5) for a, b in zip(one, two, strict=True)) / len(one)
        assert abs(12 * mean) < 4 / math.sqrt(COUNT)
