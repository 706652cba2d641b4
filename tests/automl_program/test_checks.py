"""Checks of AutoML settings: one sentence at the path of the key, before anything runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from smalt.automl_program.checks import find_ignored, find_problems
from smalt.automl_program.words import ALGORITHMS, list_learners


def settings(**more: Any) -> dict[str, Any]:
    return {"task": "classification", "target_column_name": "y", **more}


def test_plain_settings_have_no_problem() -> None:
    assert find_problems(settings()) == []
    assert find_ignored(settings()) == []


@pytest.mark.parametrize(
    ("more", "path", "text"),
    [
        ({"task": "text_ner"}, ("task",), "not one of tables"),
        ({"primary_metric": "r2_score"}, ("primary_metric",), "no primary metric of classification"),
        ({"primary_metric": "acuracy"}, ("primary_metric",), "did you mean 'accuracy'?"),
        (
            {"training": {"allowed_training_algorithms": ["LightGMB"]}},
            ("training", "allowed_training_algorithms", 0),
            "did you mean 'LightGBM'?",
        ),
        (
            {"training": {"allowed_training_algorithms": ["knn"], "blocked_training_algorithms": ["KNN"]}},
            ("training", "allowed_training_algorithms"),
            "no algorithm is left",
        ),
        (
            {"task": "forecasting", "forecasting": {"time_column_name": "t"}}
            | {"training": {"allowed_training_algorithms": ["TCNForecaster"]}},
            ("training", "allowed_training_algorithms", 0),
            "smalt has no TCNForecaster",
        ),
        ({"task": "forecasting"}, ("forecasting",), "needs 'time_column_name'"),
        ({"n_cross_validations": 1}, ("n_cross_validations",), "at least 2, not 1"),
        ({"validation_data_size": 1.5}, ("validation_data_size",), "between 0 and 1"),
        ({"validation_data": {"type": "mltable"}, "n_cross_validations": 3}, ("n_cross_validations",), "not both"),
        ({"test_data": {"type": "mltable"}, "test_data_size": 0.1}, ("test_data_size",), "not both"),
        (
            {"featurization": {"blocked_transformers": ["one_hot"]}},
            ("featurization", "blocked_transformers", 0),
            "is no transformer",
        ),
        (
            {"featurization": {"column_name_and_types": {"a": "Numerical"}}},
            ("featurization", "column_name_and_types", "a"),
            "did you mean 'Numeric'?",
        ),
        (
            {"featurization": {"transformer_params": {"imputer": [{"parameters": {"strategy": "ffill"}}]}}},
            ("featurization", "transformer_params", "imputer", 0, "parameters", "strategy"),
            "in a forecast only",
        ),
        (
            {"featurization": {"transformer_params": {"imputer": [{"parameters": {"strategy": "constant"}}]}}},
            ("featurization", "transformer_params", "imputer", 0, "parameters"),
            "needs 'fill_value'",
        ),
        (
            {
                "featurization": {
                    "column_name_and_types": {"a": "numeric"},
                    "transformer_params": {
                        "imputer": [{"fields": ["b", "a"], "parameters": {"strategy": "constant", "fill_value": "abc"}}]
                    },
                }
            },
            ("featurization", "transformer_params", "imputer", 0, "parameters", "fill_value"),
            "the column 'a' is of numbers, and the fill value 'abc' is not a number",
        ),
        (
            {"training": {"stack_ensemble_settings": {"stack_meta_learner_type": "elastic_net"}}},
            ("training", "stack_ensemble_settings", "stack_meta_learner_type"),
            "no meta learner of classification",
        ),
        ({"weight_column_name": "y"}, ("weight_column_name",), "'y' is the target column"),
        ({"cv_split_column_names": ["a", "y"]}, ("cv_split_column_names",), "'y' is the target column"),
        (
            {"task": "forecasting", "forecasting": {"time_column_name": "y"}},
            ("forecasting", "time_column_name"),
            "'y' is the target column",
        ),
        ({"limits": {"max_cores_per_trial": 0}}, ("limits", "max_cores_per_trial"), "at least 1, or -1 for all"),
    ],
)
def test_a_mistake_is_one_sentence_at_its_key(more: dict[str, Any], path: tuple[str | int, ...], text: str) -> None:
    problems = find_problems(settings(**more))
    assert [problem.path for problem in problems] == [path]
    assert text in problems[0].text


def test_all_mistakes_are_found_at_once() -> None:
    found = find_problems(settings(primary_metric="x", n_cross_validations=0, test_data_size=7))
    assert {problem.path[0] for problem in found} == {"primary_metric", "n_cross_validations", "test_data_size"}


@pytest.mark.parametrize(
    "more",
    [
        {"limits": {"max_concurrent_trials": 4}},
        {"training": {"enable_dnn_training": True}},
        {"training": {"enable_onnx_compatible_models": True}},
        {"featurization": {"blocked_transformers": ["word_embedding"]}},
        {"featurization": {"dataset_language": "deu"}},
        {"featurization": {"blocked_transformers": ["label_encoder"]}},
        {"task": "forecasting", "forecasting": {"time_column_name": "t", "use_stl": "season"}},
        {
            "task": "forecasting",
            "forecasting": {"time_column_name": "t"},
            "training": {"stack_ensemble_settings": {"stack_meta_learner_train_percentage": 0.3}},
        },
        {"featurization": {"column_name_and_types": {"y": "Ignore"}}},
        {"featurization": {"transformer_params": {"imputer": [{"fields": ["w"]}]}}, "weight_column_name": "w"},
    ],
)
def test_a_field_without_effect_is_named_with_the_reason(more: dict[str, Any]) -> None:
    (remark,) = find_ignored(settings(**more))
    assert remark.path[0] in more
    assert remark.text


def test_the_imputer_of_a_forecasts_target_acts() -> None:
    imputer = {"transformer_params": {"imputer": [{"fields": ["y"]}]}}
    assert find_ignored(settings(task="forecasting", featurization=imputer)) == []


def test_an_environment_without_the_packages_is_one_sentence(shipped: Path, tmp_path: Path) -> None:
    """A Python without any package, from the command line."""
    text = json.dumps(settings())
    command = [sys.executable, "-S", "-m", "smalt_automl", text, "--training-data", "a.csv"]
    variables = {**os.environ, "PYTHONPATH": str(shipped), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=variables)
    sentence = (
        "environment_id: the environment has no cloudpickle, flaml, lightgbm, mlflow, numpy, pandas, scipy, sklearn"
    )
    assert (done.returncode, done.stderr.startswith(sentence)) == (2, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert json.loads((tmp_path / "outputs/automl/result.json").read_text())["text"] == done.stderr.strip()


def test_every_spelling_of_an_algorithm_is_known() -> None:
    assert list_learners("classification", ["light_gbm", "XGBoostClassifier"], ["xg_boost_classifier"]) == ["lgbm"]


@pytest.mark.parametrize("task", ALGORITHMS)
def test_blocked_algorithms_are_not_tried(task: str) -> None:
    blocked = [name for name in ALGORITHMS[task] if name != "DecisionTree"]
    assert list_learners(task, None, blocked) == ["decision_tree"]
