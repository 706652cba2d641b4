"""docs/sweeps.md: its spaces, policies and sentences are what smalt reads and says."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import yaml
from smalt.entities.jobs.search_space import BanditPolicy
from smalt.service.sweeps.hyperband import find_bracket
from smalt.service.sweeps.policies import find_reason_to_stop
from smalt.service.sweeps.samplers import make_sampler
from smalt.service.sweeps.sobol import MOST_DIMENSIONS
from smalt.service.sweeps.space import make_inputs
from smalt.sweep import Choice, LogUniform, QUniform, RandomSamplingAlgorithm

PAGE = (Path(__file__).parents[2] / "docs/sweeps.md").read_text()


def find_example(key: str) -> Any:
    """Return the value of a key of the page's first YAML example that begins with it."""
    examples = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]
    return next(example[key] for example in examples if isinstance(example, dict) and next(iter(example)) == key)


def draw(space: dict[str, Any], **settings: Any) -> list[dict[str, Any]]:
    sampler = make_sampler(RandomSamplingAlgorithm(**settings), space, 1, "minimize")
    return [sampler.propose(number, [], []) for number in range(400)]


def test_the_nested_space() -> None:
    """Its points are of the three kinds, and the text of a tree is as the page shows it."""
    points = draw(find_example("search_space"))
    texts = {make_inputs(point)["model"] for point in points}
    assert '{"kind": "tree", "depth": 8}' in PAGE
    assert {'{"kind": "tree", "depth": 8}', "none"} < texts
    nets = [json.loads(text) for text in texts if '"net"' in text]
    assert {tuple(net["layers"]) for net in nets} == {(64, 16), (64, 32)}
    assert all(0.0009 < net["rate"] < 0.14 for net in nets)


def test_the_numbers_of_spaces() -> None:
    values = [point["x"] for point in draw({"x": LogUniform(-6, -1)})]
    assert (f"{math.exp(-6):.4f}", f"{math.exp(-1):.2f}") == ("0.0025", "0.37")
    assert math.exp(-6) <= min(values) < 0.003 < 0.3 < max(values) <= math.exp(-1)
    values = [point["x"] for point in draw({"x": LogUniform(-4, -1)}, logbase=10)]
    assert 0.0001 <= min(values) < max(values) <= 0.1
    assert {point["x"] for point in draw({"x": QUniform(1, 10, 4)})} == {0, 4, 8}
    space = {"m": Choice([{"depth": Choice([1, 2, 3])}, {"layers": Choice([1, 2])}])}
    assert make_sampler("grid", space, 0, "minimize").count_points() == 5
    assert f"for each of {MOST_DIMENSIONS} parameters" in PAGE


def test_the_policy_and_its_sentence() -> None:
    assert (
        BanditPolicy(**{k: v for k, v in find_example("early_termination").items() if k != "type"}).slack_factor == 0.1
    )
    reports = {"a": [0.8] * 5, "b": [0.61] * 5}
    reason = find_reason_to_stop(BanditPolicy(slack_factor=0.2), "maximize", reports, "b", ())
    assert f"    {reason}\n" in PAGE
    assert {find_bracket(f"trial_{number}") for number in range(100)} == {0, 1, 2, 3}
