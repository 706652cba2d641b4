"""Metrics against scikit-learn and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as m
from smalt_automl.metrics import (
    average_metrics,
    measure_classes,
    measure_numbers,
    measure_series,
    score_classes,
    score_numbers,
    score_series,
)
from smalt_automl.words import PRIMARY_METRICS


def draw(classes: int, rows: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(classes)
    truth = generator.choice(classes, rows, p=np.arange(1, classes + 1) / sum(range(1, classes + 1)))
    chances = generator.dirichlet(np.ones(classes), rows)
    chances[np.arange(rows), truth] += generator.random(rows)
    return truth, chances / chances.sum(axis=1, keepdims=True), generator.random(rows)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("classes", [2, 4])
def test_classification_is_as_scikit_learn_has_it(classes: int, weighted: bool) -> None:
    truth, chances, weights = draw(classes)
    w = weights if weighted else None
    found, predicted = measure_classes(truth, chances, w), chances.argmax(axis=1)
    hot = np.eye(classes)[truth]
    expected = {
        "accuracy": m.accuracy_score(truth, predicted, sample_weight=w),
        "balanced_accuracy": m.balanced_accuracy_score(truth, predicted, sample_weight=w),
        "matthews_correlation": m.matthews_corrcoef(truth, predicted, sample_weight=w),
        "log_loss": m.log_loss(truth, chances, sample_weight=w),
    }
    for average in ("macro", "micro", "weighted"):
        shared = {"average": average, "sample_weight": w}
        expected[f"AUC_{average}"] = m.roc_auc_score(hot, chances, **shared)
        expected[f"average_precision_score_{average}"] = m.average_precision_score(hot, chances, **shared)
        expected[f"f1_score_{average}"] = m.f1_score(truth, predicted, **shared)
        expected[f"precision_score_{average}"] = m.precision_score(truth, predicted, **shared)
        expected[f"recall_score_{average}"] = m.recall_score(truth, predicted, **shared)
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    chance = 1 / classes
    assert found["norm_macro_recall"] == pytest.approx(max(0, (expected["balanced_accuracy"] - chance) / (1 - chance)))
    assert set(found) - set(expected) == {"norm_macro_recall", "weighted_accuracy"}


def test_weighted_accuracy_weighs_a_row_by_the_size_of_its_class() -> None:
    chances = np.array([[0.9, 0.1]] * 4)  # the three of class 0 are right, the one of class 1 is wrong
    assert measure_classes([0, 0, 0, 1], chances)["weighted_accuracy"] == pytest.approx(9 / 10)


def test_guessing_one_class_has_no_normalised_recall() -> None:
    assert measure_classes([0, 0, 1, 1], np.array([[0.9, 0.1]] * 4))["norm_macro_recall"] == 0


def test_classes_that_the_rows_do_not_have_are_left_out() -> None:
    truth, chances, _ = draw(4)
    rows = truth != 2
    found = measure_classes(truth[rows], chances[rows])
    areas = [m.roc_auc_score(truth[rows] == label, chances[rows][:, label]) for label in (0, 1, 3)]
    assert found["AUC_macro"] == pytest.approx(np.mean(areas))


def test_a_single_class_has_no_area() -> None:
    assert "AUC_weighted" not in measure_classes([1, 1], np.array([[0.2, 0.8], [0.6, 0.4]]))


def test_a_positive_label_adds_the_binary_metrics() -> None:
    truth, chances, _ = draw(2)
    found = measure_classes(truth, chances, positive=0)
    assert found["AUC_binary"] == pytest.approx(m.roc_auc_score(truth == 0, chances[:, 0]))
    assert found["recall_score_binary"] == pytest.approx(m.recall_score(truth, chances.argmax(axis=1), pos_label=0))


def test_regression_is_as_defined() -> None:
    generator = np.random.default_rng(0)
    truth = generator.random(200) * 50
    predicted = truth + generator.normal(size=200) * 5
    predicted = np.abs(predicted)
    found = measure_numbers(truth, predicted, 0, 100)
    squared = np.sqrt(m.mean_squared_error(truth, predicted))
    assert found["root_mean_squared_error"] == pytest.approx(squared)
    assert found["normalized_root_mean_squared_error"] == pytest.approx(squared / 100)
    assert found["normalized_mean_absolute_error"] == pytest.approx(m.mean_absolute_error(truth, predicted) / 100)
    assert found["r2_score"] == pytest.approx(m.r2_score(truth, predicted))
    logarithm = np.sqrt(m.mean_squared_log_error(truth, predicted))
    assert found["normalized_root_mean_squared_log_error"] == pytest.approx(logarithm / np.log(101))
    percentage = 100 * np.mean(np.abs((truth - predicted) / truth))
    assert found["mean_absolute_percentage_error"] == pytest.approx(percentage)


def test_r2_is_clipped_and_errors_do_not_exceed_the_range() -> None:
    found = measure_numbers([1.0, 2.0], [500.0, -300.0], 1, 2)
    assert (found["r2_score"], found["normalized_mean_absolute_error"]) == (-1.0, 1.0)
    assert "root_mean_squared_log_error" not in found


def test_constant_predictions_have_the_worst_correlation() -> None:
    assert measure_numbers([1.0, 2.0, 3.0], [2.0, 2.0, 2.0], 1, 3)["spearman_correlation"] == -1


def test_a_forecast_is_normalised_by_each_series_own_range() -> None:
    truth, predicted = [0.0, 10.0, 0.0, 1000.0], [1.0, 11.0, 100.0, 1100.0]
    found = measure_series(truth, predicted, ["a", "a", "b", "b"], {"a": (0, 10), "b": (0, 1000)})
    assert found["normalized_mean_absolute_error"] == pytest.approx(0.1)


def test_a_flat_series_has_no_error_if_it_is_met() -> None:
    found = measure_series([1, 1, 5, 5], [1, 1, 5, 5], ["a", "a", "b", "b"], {"a": (1, 1), "b": (5, 5)})
    assert {value for name, value in found.items() if "error" in name} == {0.0}


def test_folds_are_averaged_over_those_that_have_the_metric() -> None:
    assert average_metrics([{"a": 1.0, "b": 2.0}, {"a": 3.0}]) == {"a": 2.0, "b": 2.0}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("metric", PRIMARY_METRICS["classification"])
def test_a_score_of_classes_is_the_metric_of_that_name(metric: str, weighted: bool) -> None:
    truth, chances, weights = draw(3)
    w = weights if weighted else None
    assert score_classes(metric, truth, chances, w) == pytest.approx(measure_classes(truth, chances, w)[metric])


@pytest.mark.parametrize("metric", PRIMARY_METRICS["regression"])
def test_a_score_of_numbers_is_the_metric_of_that_name(metric: str) -> None:
    generator = np.random.default_rng(2)
    truth = generator.random(60)
    predicted, weights = truth + generator.normal(size=60) / 9, generator.random(60)
    expected = measure_numbers(truth, predicted, 0, 1, weights)[metric]
    assert score_numbers(metric, truth, predicted, 0, 1, weights) == pytest.approx(expected)
    series, ranges = np.array(["a", "b", "c"] * 20), {"a": (0.0, 2.0), "b": (0.0, 1.0)}
    expected = measure_series(truth, predicted, series, ranges)[metric]
    assert score_series(metric, truth, predicted, series, ranges) == pytest.approx(expected)
