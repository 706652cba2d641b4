"""Metrics of predictions, by task, and their way into the tracking of the job."""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np
from sklearn import metrics

from .learners.catalogue import CLASSIFICATION, REGRESSION

BEST_IS_LOW = frozenset(
    {"mean_absolute_error", "root_mean_squared_error", "relative_absolute_error", "relative_squared_error"}
)


def measure_regression(truth: Any, predicted: Any) -> dict[str, float]:
    truth, predicted = np.asarray(truth, float), np.asarray(predicted, float)
    spread = truth - truth.mean()
    return {
        "mean_absolute_error": metrics.mean_absolute_error(truth, predicted),
        "root_mean_squared_error": math.sqrt(metrics.mean_squared_error(truth, predicted)),
        "relative_absolute_error": _divide(np.abs(truth - predicted).sum(), np.abs(spread).sum()),
        "relative_squared_error": _divide(((truth - predicted) ** 2).sum(), (spread**2).sum()),
        "coefficient_of_determination": metrics.r2_score(truth, predicted) if len(truth) > 1 else math.nan,
    }


def measure_classification(truth: Any, predicted: Any, classes: list[Any], scores: Any = None) -> dict[str, float]:
    """Return the metrics of classes: of two, those of the second; of more, means of all by their number of rows.

    `scores` are the probabilities or margins: one of each row for two classes, else one of each class.
    """
    truth, predicted = np.asarray(truth), np.asarray(predicted)
    options: dict[str, Any] = {"zero_division": 0}
    if len(classes) == 2:
        options |= {"pos_label": classes[1]}
    else:
        options |= {"average": "weighted", "labels": classes}
    found = {
        "accuracy": metrics.accuracy_score(truth, predicted),
        "precision": metrics.precision_score(truth, predicted, **options),
        "recall": metrics.recall_score(truth, predicted, **options),
        "f1_score": metrics.f1_score(truth, predicted, **options),
    }
    if scores is not None and len(set(truth.tolist())) == len(classes):
        found["auc"] = _measure_area(truth, np.asarray(scores), classes)
    return found


def measure_anomalies(truth: Any, predicted: Any, scores: Any) -> dict[str, float]:
    return measure_classification(np.asarray(truth).astype(int), np.asarray(predicted).astype(int), [0, 1], scores)


def measure(task: str, truth: Any, predicted: Any, classes: list[Any], scores: Any) -> dict[str, float]:
    if task == REGRESSION:
        return measure_regression(truth, predicted)
    if task == CLASSIFICATION:
        return measure_classification(truth, predicted, classes, scores)
    return measure_anomalies(truth, predicted, scores)


def log_metrics(found: dict[str, float], prefix: str = "") -> None:
    """Log metrics to the run of this job; those that have no value are left out."""
    known = {f"{prefix}{name}": float(value) for name, value in found.items() if not math.isnan(value)}
    for name, value in known.items():
        print(f"{name}: {value:.6g}")
    if os.environ.get("MLFLOW_TRACKING_URI"):
        import mlflow

        mlflow.log_metrics(known)


def _measure_area(truth: Any, scores: Any, classes: list[Any]) -> float:
    """Return the area under the ROC curve; of several classes the mean of each against all others, by rows."""
    if len(classes) == 2:
        return float(metrics.roc_auc_score(truth == classes[1], scores))
    areas = [metrics.roc_auc_score(truth == one, scores[:, number]) for number, one in enumerate(classes)]
    return float(np.average(areas, weights=[(truth == one).sum() for one in classes]))


def _divide(part: float, whole: float) -> float:
    return float(part / whole) if whole else math.nan
