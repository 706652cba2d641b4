"""Early termination, by worked cases: the service's documentation, and what was chosen where it is silent."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from smalt.entities.jobs import search_space
from smalt.service.sweeps.policies import find_reason_to_stop

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
        "the limit by the best trial's 0.8 and slack_factor 0.2"
    )
    assert decide({"type": "bandit", "slack_amount": 0.1}, {"a": [0.5], "b": [0.61]}, "b", goal="minimize") == (
        "it was ended by the bandit policy: its best value 0.61 at interval 1 is above 0.6, "
        "the limit by the best trial's 0.5 and slack_amount 0.1"
    )


def test_reason_of_a_median() -> None:
    assert decide({"type": "median_stopping"}, {"a": [1], "b": [2], "c": [3]}, "c", goal="minimize") == (
        "it was ended by the median_stopping policy: its best value 3 at interval 1 is above 2, "
        "the median of the running averages of 3 trials"
    )


def test_reason_of_a_truncation() -> None:
    fields = {"type": "truncation_selection", "truncation_percentage": 50}
    assert decide(fields, {"a": [0.1], "b": [0.2]}, "a") == (
        "it was ended by the truncation_selection policy: its best value 0.1 at interval 1 is among the 1 worst "
        "of 2 trials (truncation_percentage 50)"
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
