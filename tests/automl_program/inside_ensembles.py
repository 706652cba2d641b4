"""Ensembles of trials whose predictions are made by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from smalt_automl.ensembles import list_candidates, plan_stack
from smalt_automl.metrics import measure_numbers, score_numbers
from smalt_automl.search import LearningProblem
from smalt_automl.splits import Folds
from smalt_automl.trials import SearchTrial

_METRIC = "normalized_root_mean_squared_error"


def make_problem(truth: Any, weights: Any, pairs: list[Any]) -> LearningProblem:
    low, high = float(truth.min()), float(truth.max())
    return LearningProblem(
        "regression", pd.DataFrame(index=range(len(truth))), truth, weights, Folds(pairs, ""), np.arange(len(truth)),
        None, lambda predicted, rows: measure_numbers(truth[rows], predicted, low, high, None),
        lambda predicted, rows: score_numbers(_METRIC, truth[rows], predicted, low, high), _METRIC, False,
    )  # fmt: skip


def make_trial(number: int, algorithm: str, score: float, predictions: list[Any]) -> SearchTrial:
    return SearchTrial(number, algorithm, algorithm, {}, 0.0, 1.0, 1, score=score, predictions=predictions)


def test_algorithms_of_equal_score_are_all_candidates() -> None:
    """Accuracies of small tables are often equal; the same score of the same algorithm is the same model."""
    problem = make_problem(np.arange(4.0), None, [(np.arange(4), np.arange(4))])
    same = [np.zeros(4)]
    trials = [make_trial(number, name, 0.5, same) for number, name in enumerate(("KNN", "SGD", "KNN"))]
    assert [trial.number for trial in list_candidates(problem, trials)] == [0, 1]


def test_rows_of_no_weight_do_not_teach_the_model_that_scores_a_stack() -> None:
    """Half of the rows contradict the others, and have no weight."""
    generator = np.random.default_rng(0)
    inputs = generator.random(200)
    truth, weights = inputs.copy(), np.ones(200)
    truth[100:], weights[100:] = 1 - inputs[100:], 0.0
    rows = np.arange(200)
    problem = make_problem(truth, weights, [(rows, rows)])
    trials = [make_trial(0, "KNN", 0.1, [inputs]), make_trial(1, "SGD", 0.2, [inputs**2])]
    plan = plan_stack(problem, trials, {"stack_meta_learner_type": "linear_regression"}, 1)
    assert plan is not None
    assert plan.predictions[0][:100] == pytest.approx(truth[:100], abs=1e-6)


def test_a_row_of_two_folds_is_scored_by_a_model_that_has_not_seen_it() -> None:
    """The targets are noise: who has seen them does better than their spread."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=60)
    rows = np.arange(60)
    problem = make_problem(truth, None, [(rows, rows)] * 6)
    trials = [
        make_trial(number, name, 0.1 + number, [generator.random(60)] * 6) for number, name in enumerate(("KNN", "SGD"))
    ]
    tree = {"stack_meta_learner_type": "LightGBMRegressor"}
    tree["stack_meta_learner_kwargs"] = {"min_child_samples": 1, "num_leaves": 60, "n_estimators": 200}
    plan = plan_stack(problem, trials, tree, 1)
    assert plan is not None
    assert np.std(np.concatenate(plan.predictions) - np.tile(truth, 6)) > np.std(truth)
