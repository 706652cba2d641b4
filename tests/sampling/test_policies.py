"""Early termination, by worked cases: the service's documentation, and what was chosen where it is silent."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from smalt.entities.jobs import search_space
from smalt.service.sweeps.hyperband import HyperbandPolicy, find_bracket
from smalt.service.sweeps.policies import choose_policy, find_reason_to_stop

CASES = json.loads(Path(__file__).with_name("policy_cases.json").read_text())
NOUNS = {
    "bandit": search_space.BanditPolicy,
    "median_stopping": search_space.MedianStoppingPolicy,
    "truncation_selection": search_space.TruncationSelectionPolicy,
}


def make_policy(fields: dict[str, Any]) -> search_space.EarlyTerminationPolicy:
    noun = NOUNS[fields["type"]]
    return noun(**{name: value for name, value in fields.items() if name != "type"})


def decide(
    fields: dict[str, Any], trials: dict[str, list[Any]], who: str, *finished: str, goal: str = "maximize"
) -> Any:
    reports = {name: [math.nan if each is None else each for each in values] for name, values in trials.items()}
    return find_reason_to_stop(make_policy(fields), goal, reports, who, finished)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["what"])
def test_worked_case(case: dict[str, Any]) -> None:
    assert case["interval"] == len(case["trials"][case["who"]])
    reason = decide(case["policy"], case["trials"], case["who"], *case["finished"], goal=case["goal"])
    assert (reason is not None) == case["stops"]


def test_all_cases_are_there() -> None:
    assert len(CASES) == 39
    assert sum(case["stops"] for case in CASES) == 18


def test_reason_of_a_bandit() -> None:
    fields = {"type": "bandit", "slack_factor": 0.2}
    assert decide(fields, {"a": [0.8], "b": [0.61]}, "b") == (
        "it was ended by the bandit policy: its best value 0.61 at interval 1 is below 0.666667, "
        "the limit set by the best trial's 0.8 and slack_factor 0.2"
    )
    assert decide({"type": "bandit", "slack_amount": 0.1}, {"a": [0.5], "b": [0.61]}, "b", goal="minimize") == (
        "it was ended by the bandit policy: its best value 0.61 at interval 1 is above 0.6, "
        "the limit set by the best trial's 0.5 and slack_amount 0.1"
    )


def test_reason_of_a_median() -> None:
    assert decide({"type": "median_stopping"}, {"a": [1], "b": [2], "c": [3]}, "c", goal="minimize") == (
        "it was ended by the median_stopping policy: its best value 3 at interval 1 is above 2, "
        "the median of the running averages of 3 trials"
    )


def test_reason_of_a_truncation() -> None:
    fields = {"type": "truncation_selection", "truncation_percentage": 50}
    assert decide(fields, {"a": [0.1], "b": [0.2]}, "a") == (
        "it was ended by the truncation_selection policy: its best value 0.1 at interval 1 is the worst of 2 "
        "trials (truncation_percentage 50)"
    )
    assert decide(fields, {"a": [0.1], "b": [0.2], "c": [0.3], "d": [0.4]}, "b") == (
        "it was ended by the truncation_selection policy: its best value 0.2 at interval 1 is among the 2 worst of 4 "
        "trials (truncation_percentage 50)"
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"type": "bandit", "slack_factor": 0.1},
        {"type": "median_stopping"},
        {"type": "truncation_selection", "truncation_percentage": 99},
    ],
    ids=lambda fields: fields["type"],
)
def test_a_trial_of_nan_alone_is_not_judged(fields: dict[str, Any]) -> None:
    """It neither stops nor counts among the others."""
    assert decide(fields, {"a": [1], "b": [None]}, "b") is None
    assert decide(fields, {"a": [None], "b": [0.1]}, "b") is None


def test_infinity_is_no_best() -> None:
    """An infinite value on the good side ends nobody; on the bad side it is the worst."""
    fields = {"type": "bandit", "slack_factor": 0.1}
    assert decide(fields, {"a": [math.inf], "b": [0.1]}, "b") is None
    assert decide(fields, {"a": [1], "b": [-math.inf]}, "b") is not None
    assert decide(fields, {"a": [1], "b": [math.inf]}, "b", goal="minimize") is not None


def test_running_trials_count_for_truncation_when_they_have_come_as_far() -> None:
    """A young trial is no shield for an older one, and takes no place among the worst."""
    fields = {"type": "truncation_selection", "truncation_percentage": 50}
    assert decide(fields, {"young": [0.1], "a": [0.2, 0.2], "b": [0.3, 0.3]}, "a") is not None
    assert decide(fields, {"young": [0.1], "a": [0.2, 0.2], "b": [0.3, 0.3]}, "a", "young") is None


def test_a_word_for_true() -> None:
    """The official client sends `exclude_finished_jobs` as it was written."""
    fields = {"type": "truncation_selection", "truncation_percentage": 50}
    trials = {"a": [0.1], "b": [0.2], "c": [0.3]}
    assert decide({**fields, "exclude_finished_jobs": "true"}, trials, "b", "a") is not None
    assert decide({**fields, "exclude_finished_jobs": "false"}, trials, "b", "a") is None


def test_goals_as_the_client_writes_them() -> None:
    assert decide({"type": "bandit"}, {"a": [1], "b": [2]}, "b", goal="Maximize") is None
    assert decide({"type": "bandit"}, {"a": [1], "b": [2]}, "b", goal="Minimize") is not None


def find_names(bracket: int, count: int) -> list[str]:
    names = (f"trial_{number}" for number in range(10_000))
    return [name for name in names if find_bracket(name) == bracket][:count]


def test_brackets_have_their_shares() -> None:
    """27, 12, 6 and 4 of 49, whatever the number of trials."""
    brackets = [find_bracket(f"trial_{number}") for number in range(4900)]
    assert [brackets.count(bracket) for bracket in range(4)] == pytest.approx([2700, 1200, 600, 400], rel=0.15)


@pytest.mark.parametrize("bracket", range(4))
def test_hyperband_keeps_a_third_at_each_rung(bracket: int) -> None:
    """Of trials that come to a rung in turn none ends if each is better than those before; if worse, two thirds do."""
    names, first = find_names(bracket, 9), 3**bracket
    reports: dict[str, list[float]] = {}
    for place, name in enumerate(names):
        reports[name] = [0.5 + place] * first
        assert find_reason_to_stop(HyperbandPolicy(), "maximize", reports, name, ()) is None
    ended = [name for name in names if find_reason_to_stop(HyperbandPolicy(), "minimize", reports, name, ())]
    assert ended == names[3:]


def test_hyperband_looks_at_rungs_alone() -> None:
    """Before the bracket's first rung and between rungs nothing is ended."""
    good, bad = find_names(1, 2)
    seen = []
    for interval in range(1, 30):
        reports = {good: [1.0] * 30, bad: [0.1] * interval}
        if find_reason_to_stop(HyperbandPolicy(), "maximize", reports, bad, ()):
            seen.append(interval)
    assert seen == [3, 9, 27]


def test_reason_of_hyperband_and_other_brackets() -> None:
    """Only trials of the same bracket that have come as far are compared."""
    one, two, three = find_names(0, 3)
    (other,) = find_names(2, 1)
    reports = {other: [9.0], one: [0.9], two: [0.8, 0.7, 0.6], three: [0.7, 0.7]}
    assert find_reason_to_stop(HyperbandPolicy(), "maximize", reports, two, ()) is None  # first at its third report
    assert find_reason_to_stop(HyperbandPolicy(), "maximize", {**reports, two: [0.8]}, two, ()) == (
        "it was ended by the hyperband policy: its best value 0.8 at interval 1 is not the best of the 3 trials of its "
        "bracket that have come as far"
    )


def test_the_policy_of_a_sweep() -> None:
    policy = make_policy({"type": "median_stopping"})
    assert choose_policy("random", policy) is policy
    assert choose_policy(search_space.BayesianSamplingAlgorithm(), None) is None
    assert isinstance(choose_policy("hyperband", None), HyperbandPolicy)
    with pytest.raises(ValueError, match="hyperband sampling ends trials by its own rule; remove 'early_termination'"):
        choose_policy("hyperband", policy)
