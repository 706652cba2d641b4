"""The page of a sweep: its axes, the importance of its parameters, the best so far, and its table."""

from __future__ import annotations

import json
import math
import random
import re
import shutil
import subprocess
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from smalt.cli.jobs.sweep_page.axes import build_metric_axis, build_parameter_axes
from smalt.cli.jobs.sweep_page.importance import compute_share, group_values, measure_importance, rank_values
from smalt.cli.jobs.sweep_page.page import render_page
from tests.helpers import LONGEST
from tests.sweeps.recorded import RecordedTrial, make_body, make_trials

SPACE = {
    "lr": {"type": "loguniform", "min_value": -7, "max_value": -1},
    "depth": {"type": "choice", "values": [2, 3, 5, 8]},
    "booster": {"type": "choice", "values": ["tree", "linear", "dart"]},
    "noise": {"type": "uniform", "min_value": 0, "max_value": 1},
}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def make_answer(trials: list[RecordedTrial], metric: str = "accuracy", goal: str = "maximize") -> dict[str, Any]:
    """Return what the route has of a sweep with these trials, each of which ended a second after the one before."""
    rows = [
        {
            "name": f"s_{number}", "node": f"trial_{number}", "status": one.status, "error": one.error,
            "start": 10.0, "end": 20.0 + number, "parameters": one.point,
            "value": "NaN" if one.value is not None and math.isnan(one.value) else one.value,
        }
        for number, one in enumerate(trials)
    ]  # fmt: skip
    done = [row for row in rows if row["status"] == "Completed" and isinstance(row["value"], float)]
    best = max(done, key=lambda row: row["value"] * (1 if goal == "maximize" else -1), default=None)
    return {
        "sweep": {
            "name": "s", "status": "Completed", "primary_metric": metric, "goal": goal, "total_trials": len(rows),
            "counts": dict(Counter(one.status for one in trials)), "best": best,
            "search_space": SPACE, "sampling_algorithm": "random",
        },
        "trials": rows,
    }  # fmt: skip


def read_data(page: str) -> Any:
    return json.loads(page.partition('id="data">')[2].partition("</script>")[0])


class Addresses(HTMLParser):
    """Everything that the page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [str(value) for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]


def test_a_page_loads_nothing_and_has_all_trials() -> None:
    page = render_page(make_answer(make_trials(20)))
    addresses = Addresses()
    addresses.feed(page)
    assert addresses.found == []
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg|http-equiv", "", page)
    data = read_data(page)
    assert [axis["name"] for axis in data["axes"]] == ["lr", "depth", "booster", "noise", "accuracy"]
    assert all(len(axis["places"]) == 20 for axis in data["axes"])
    assert Counter(data["kinds"]) == {"Completed": 15, "Failed": 2, "Terminated": 3}
    assert page.count("<tr data-trial=") == 20
    assert page.count('class="terminated"><td') == 3


def test_names_and_values_are_text_and_never_markup() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    answer = make_answer([RecordedTrial({"x": evil, evil: 1}, 0.5), RecordedTrial({"x": "b", evil: 2}, 0.6)], evil)
    page = render_page(answer)
    assert "<img" not in page
    assert read_data(page)["axes"][-1]["name"] == evil


def test_axes_are_of_the_kind_of_their_distribution() -> None:
    """Log distributions have logarithmic axes, choices their values in order, and what a branch lacks no place."""
    points = [
        {"lr": 0.1, "depth": 2, "m": {"name": "b"}, "n": 1},
        {"lr": 0.001, "depth": 8, "m": {"name": "a", "d": 1.5}},
        {"lr": 0.01, "depth": 3, "m": {"name": "a", "d": 2.5}},
    ]
    branches = [{"name": "a", "d": {"type": "uniform", "min_value": 1, "max_value": 3}}, {"name": "b"}]
    axes = {
        one.name: one for one in build_parameter_axes(points, {**SPACE, "m": {"type": "choice", "values": branches}})
    }
    assert axes["lr"].kind == "logarithmic"
    assert axes["lr"].places == pytest.approx([1, 0, 0.5])
    assert [text for _, text in axes["lr"].ticks] == ["0.001", "0.01", "0.1"]
    assert axes["depth"].kind == "category"
    assert [text for _, text in axes["depth"].ticks] == ["2", "3", "8"]
    assert axes["depth"].places == pytest.approx([1 / 6, 5 / 6, 0.5])
    assert list(axes) == ["lr", "depth", "m.name", "m.d", "n"]
    assert axes["m.name"].kind == "category"
    assert axes["m.d"].kind == "linear"
    assert axes["m.d"].places == [None, 0, 1]


def test_a_metric_over_many_powers_of_ten_has_a_logarithmic_axis() -> None:
    axis = build_metric_axis("loss", [0.001, math.nan, 10.0, math.inf])
    assert axis.kind == "logarithmic"
    assert axis.places == [0, None, 1, None]
    assert build_metric_axis("loss", [-0.001, 10.0]).kind == "linear"
    assert build_metric_axis("loss", [math.nan]).places == [None]
    assert build_metric_axis("loss", [3.0, 3.0]).ticks == [(0.5, "3")]


def test_the_share_is_that_of_an_analysis_of_variance() -> None:
    """Of three groups of four ranks: worked out by hand; a parameter that decides the order has all of it."""
    groups = [0] * 4 + [1] * 4 + [2] * 4
    ranks = rank_values([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    # within: 3 · 5 = 15 over 9; all: 143 over 11; 1 − (15/9)/(143/11) = 0.8718
    assert compute_share(ranks, groups) == pytest.approx(1 - (15 / 9) / (143 / 11))
    assert compute_share(ranks, [0, 1, 2] * 4) == 0
    assert compute_share([5.0] * 12, groups) == 0
    assert rank_values([3, 1, 3, 2]) == [2.5, 0, 2.5, 1]


def test_numbers_are_grouped_in_equal_sizes_and_equal_ones_stay_together() -> None:
    assert sorted(Counter(group_values([float(n) for n in range(100)])).values()) == [12, 12, 12, 12, 13, 13, 13, 13]
    groups = group_values([1.0] * 30 + [float(n) for n in range(2, 32)])
    assert len(set(groups[:30])) == 1
    assert group_values([True, False, True]) == [0, 1, 0]
    assert group_values(["a", None, "b", "a"]) == [0, 1, 2, 0]


def test_importance_finds_what_matters_and_marks_what_does_not() -> None:
    """A parameter without influence stays below the mark 19 times of 20; one diverged trial decides nothing."""
    chance = random.Random(3)
    passed = 0
    for _ in range(60):
        points = [{"a": chance.random(), "b": chance.choice("xyz")} for _ in range(40)]
        values = [(point["a"] - 0.5) ** 2 + chance.gauss(0, 0.01) for point in points]
        values[7] = 1e12
        found = {one.name: one for one in measure_importance(points, values)}
        assert found["a"].share > 0.5
        assert found["a"].share > found["a"].chance
        passed += found["b"].share > found["b"].chance
    assert passed <= 9  # 3 expected; more than 9 has a probability of one in a thousand
    assert measure_importance(points[:9], values[:9]) == []


def test_the_best_so_far_counts_completed_trials_in_the_order_of_their_ends() -> None:
    trials = [
        RecordedTrial({"x": 1}, 0.5),
        RecordedTrial({"x": 2}, 0.9, "Canceled", {"code": "EarlyTermination", "message": "it was ended"}),
        RecordedTrial({"x": 3}, 0.4),
        RecordedTrial({"x": 4}, 0.7),
        RecordedTrial({"x": 5}, None, "Failed"),
    ]
    page = render_page(make_answer(trials))
    line = re.search(r'class="so-far" points="([^"]*)"', page)
    assert line is not None
    corners = [tuple(map(float, corner.split(","))) for corner in line[1].split()]
    assert len(corners) == 4  # from the first, to the fourth, up, and on to the end
    assert corners[0][1] == corners[1][1] > corners[2][1] == corners[3][1]
    assert page.count('<circle r="2.5"') == 4
    assert page.count('class="terminated"><title>') == 1


@pytest.mark.parametrize("trials", [[], [RecordedTrial({"x": 1}, None, "Failed")], [RecordedTrial({}, 0.5)]])
def test_a_page_of_few_trials_says_what_it_cannot_tell(trials: list[RecordedTrial]) -> None:
    assert "completed trials are too few to tell" in render_page(make_answer(trials))


@pytest.mark.skipif(CHROMIUM is None, reason="no browser is installed")
def test_a_browser_draws_a_line_for_each_trial(tmp_path: Path) -> None:
    """The script runs under the page's own policy: a line for each trial, an axis for each parameter and the metric."""
    (tmp_path / "s.html").write_text(render_page(make_answer(make_trials(30))))
    options = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-sync"
    command = [str(CHROMIUM), *options.split(), f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([*command, (tmp_path / "s.html").as_uri()], capture_output=True, text=True, timeout=LONGEST)
    drawn = done.stdout.partition('id="coordinates"')[2].partition("</svg>")[0]
    assert drawn.count("<polyline") == 30, done.stderr
    assert drawn.count('class="grip"') == 5
    assert "lr (log)" in drawn


def test_the_recorded_body_has_the_space_that_these_tests_name() -> None:
    assert set(make_body(1)["searchSpace"]) == set(SPACE)
