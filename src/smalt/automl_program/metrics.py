"""Metrics by the service's definitions: docs/automl.md has them in a table."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

Metrics = dict[str, float]


def measure_classes(
    truth: Any, chances: Any, weights: Any = None, positive: int | None = None, predicted: Any = None
) -> Metrics:
    """Return all metrics of classification; `truth` holds indices of classes, `chances` a column for each class.

    Mean areas, mean average precisions and `balanced_accuracy` leave out the classes that `truth` does not have;
    precision, recall and F1 are scikit-learn's, which counts each class that is predicted.
    """
    from sklearn import metrics as m

    truth = np.asarray(truth, dtype=int)
    chances = np.asarray(chances, dtype=float)
    predicted = chances.argmax(axis=1) if predicted is None else np.asarray(predicted, dtype=int)
    labels = np.arange(chances.shape[1])
    present = np.unique(truth)
    counts = np.bincount(truth, minlength=len(labels))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            "accuracy": m.accuracy_score(truth, predicted, sample_weight=weights),
            "weighted_accuracy": m.accuracy_score(truth, predicted, sample_weight=counts[truth] / len(truth)),
            "balanced_accuracy": _average_recall(truth, predicted, present, weights),
            "matthews_correlation": m.matthews_corrcoef(truth, predicted, sample_weight=weights),
            "log_loss": m.log_loss(truth, _normalise_chances(chances), labels=labels, sample_weight=weights),
        }
        chance = 1 / max(2, len(present))
        found["norm_macro_recall"] = max(0.0, (found["balanced_accuracy"] - chance) / (1 - chance))
        for average in ("macro", "micro", "weighted"):
            shared = {"average": average, "sample_weight": weights, "zero_division": 0}
            found[f"f1_score_{average}"] = m.f1_score(truth, predicted, **shared)
            found[f"precision_score_{average}"] = m.precision_score(truth, predicted, **shared)
            found[f"recall_score_{average}"] = m.recall_score(truth, predicted, **shared)
        found.update(_measure_ranking(truth, chances, present, weights))
        if positive is not None:
            found.update(_measure_positive(truth == positive, chances[:, positive], predicted == positive, weights))
    return _keep_finite(found)


def _average_recall(truth: Any, predicted: Any, present: Any, weights: Any) -> float:
    from sklearn.metrics import recall_score

    shared = {"labels": present, "average": "macro", "sample_weight": weights, "zero_division": 0}
    return float(recall_score(truth, predicted, **shared))


def _measure_ranking(truth: Any, chances: Any, present: Any, weights: Any) -> Metrics:
    from sklearn.metrics import average_precision_score, roc_auc_score

    if len(present) < 2:
        return {}
    indicators = truth[:, None] == np.arange(chances.shape[1])[None, :]
    areas = [roc_auc_score(indicators[:, c], chances[:, c], sample_weight=weights) for c in present]
    precisions = [average_precision_score(indicators[:, c], chances[:, c], sample_weight=weights) for c in present]
    unit = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    shares = np.array([unit[truth == c].sum() for c in present])
    flat_weights: Any = None if weights is None else np.repeat(unit, chances.shape[1])
    flat = {"sample_weight": flat_weights}
    return {
        "AUC_macro": float(np.mean(areas)),
        "AUC_weighted": float(np.average(areas, weights=shares)),
        "AUC_micro": roc_auc_score(indicators.ravel(), chances.ravel(), **flat),
        "average_precision_score_macro": float(np.mean(precisions)),
        "average_precision_score_weighted": float(np.average(precisions, weights=shares)),
        "average_precision_score_micro": average_precision_score(indicators.ravel(), chances.ravel(), **flat),
    }


def _measure_positive(truth: Any, chance: Any, predicted: Any, weights: Any) -> Metrics:
    from sklearn import metrics as m

    found = {
        "f1_score_binary": m.f1_score(truth, predicted, sample_weight=weights, zero_division=0),
        "precision_score_binary": m.precision_score(truth, predicted, sample_weight=weights, zero_division=0),
        "recall_score_binary": m.recall_score(truth, predicted, sample_weight=weights, zero_division=0),
    }
    if 0 < truth.sum() < len(truth):
        found["AUC_binary"] = m.roc_auc_score(truth, chance, sample_weight=weights)
        found["average_precision_score_binary"] = m.average_precision_score(truth, chance, sample_weight=weights)
    return found


def _normalise_chances(chances: Any) -> Any:
    sums = chances.sum(axis=1, keepdims=True)
    return np.where(sums > 0, chances / np.where(sums > 0, sums, 1), 1 / chances.shape[1])


def measure_numbers(truth: Any, predicted: Any, low: float, high: float, weights: Any = None) -> Metrics:
    """Return all metrics of regression; errors are normalised by the range of the target, `low` to `high`."""
    from scipy.stats import spearmanr
    from sklearn import metrics as m

    truth, predicted = np.asarray(truth, dtype=float), np.asarray(predicted, dtype=float)
    if not np.isfinite(predicted).all():
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            "mean_absolute_error": m.mean_absolute_error(truth, predicted, sample_weight=weights),
            "median_absolute_error": m.median_absolute_error(truth, predicted, sample_weight=weights),
            "root_mean_squared_error": float(np.sqrt(m.mean_squared_error(truth, predicted, sample_weight=weights))),
        }
        extent = abs(high - low)
        for name in list(found):
            if extent:
                found[f"normalized_{name}"] = min(1.0, found[name] / extent)
            else:
                found[f"normalized_{name}"] = 0.0 if np.array_equal(truth, predicted) else 1.0
        found["mean_absolute_percentage_error"] = _measure_percentage(truth, predicted)
        found["explained_variance"] = m.explained_variance_score(truth, predicted, sample_weight=weights)
        if len(truth) > 1:
            found["r2_score"] = max(-1.0, m.r2_score(truth, predicted, sample_weight=weights))
        is_flat = len(np.unique(truth)) == 1 or len(np.unique(predicted)) == 1
        found["spearman_correlation"] = -1.0 if is_flat else float(spearmanr(truth, predicted)[0])
        if (truth >= 0).all() and (predicted >= 0).all():
            logarithm = float(np.sqrt(m.mean_squared_log_error(truth, predicted, sample_weight=weights)))
            found["root_mean_squared_log_error"] = logarithm
            if low > -1:
                scale = abs(np.log1p(high) - np.log1p(low))
                normalized = min(1.0, logarithm / scale) if scale else float(logarithm > 0)
                found["normalized_root_mean_squared_log_error"] = normalized
    return _keep_finite(found)


def measure_series(truth: Any, predicted: Any, series: Any, ranges: Mapping[Any, tuple[float, float]]) -> Metrics:
    """Return all metrics of a forecast: normalised ones are the mean over the series, each by its own range."""
    truth, predicted, series = np.asarray(truth, float), np.asarray(predicted, float), np.asarray(series)
    pooled = measure_numbers(truth, predicted, float(truth.min()), float(truth.max()))
    of_series: list[Metrics] = []
    for name in np.unique(series):
        rows = series == name
        low, high = ranges.get(name, (float(truth[rows].min()), float(truth[rows].max())))
        of_series.append(measure_numbers(truth[rows], predicted[rows], low, high))
    for name in [name for name in pooled if name.startswith("normalized_")]:
        known = [one[name] for one in of_series if name in one]
        pooled[name] = float(np.mean(known)) if known else 1.0
    return pooled


def _measure_percentage(truth: Any, predicted: Any) -> float:
    usable = ~np.isclose(truth, 0.0)
    return float(100 * np.mean(np.abs((truth[usable] - predicted[usable]) / truth[usable]))) if usable.any() else np.nan


def score_classes(metric: str, truth: Any, chances: Any, weights: Any = None) -> float:
    """Return one primary metric of `measure_classes`, in a fraction of its time."""
    predicted, present = chances.argmax(axis=1), np.unique(truth)
    if metric == "accuracy":
        return float(np.average(predicted == truth, weights=weights))
    if metric == "norm_macro_recall":
        chance = 1 / max(2, len(present))
        return max(0.0, (_average_recall(truth, predicted, present, weights) - chance) / (1 - chance))
    from sklearn import metrics as m

    if metric == "precision_score_weighted":
        return float(m.precision_score(truth, predicted, average="weighted", sample_weight=weights, zero_division=0))
    if len(present) < 2:
        return float("nan")
    function = m.roc_auc_score if metric == "AUC_weighted" else m.average_precision_score
    unit = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=float)
    scores = [function(truth == label, chances[:, label], sample_weight=weights) for label in present]
    return float(np.average(scores, weights=[unit[truth == label].sum() for label in present]))


def score_numbers(metric: str, truth: Any, predicted: Any, low: float, high: float, weights: Any = None) -> float:
    """Return one primary metric of `measure_numbers`, in a fraction of its time."""
    errors = predicted - truth
    if metric == "spearman_correlation":
        from scipy.stats import spearmanr

        is_flat = len(np.unique(truth)) == 1 or len(np.unique(predicted)) == 1
        return -1.0 if is_flat else float(spearmanr(truth, predicted)[0])
    if metric == "r2_score":
        spread = np.average((truth - np.average(truth, weights=weights)) ** 2, weights=weights)
        return max(-1.0, 1 - float(np.average(errors**2, weights=weights) / spread)) if spread else float("nan")
    if metric == "normalized_mean_absolute_error":
        size = float(np.average(np.abs(errors), weights=weights))
    else:
        size = float(np.sqrt(np.average(errors**2, weights=weights)))
    extent = abs(high - low)
    return min(1.0, size / extent) if extent else float(size > 0)


def score_series(
    metric: str, truth: Any, predicted: Any, series: Any, ranges: Mapping[Any, tuple[float, float]]
) -> float:
    """Return one primary metric of `measure_series`, in a fraction of its time."""
    if not metric.startswith("normalized_"):
        return score_numbers(metric, truth, predicted, float(truth.min()), float(truth.max()))
    names, places = np.unique(series, return_inverse=True)
    scores = []
    for place, name in enumerate(names):
        rows = places == place
        low, high = ranges.get(name, (float(truth[rows].min()), float(truth[rows].max())))
        scores.append(score_numbers(metric, truth[rows], predicted[rows], low, high))
    return float(np.mean(scores))


def average_metrics(folds: Iterable[Metrics]) -> Metrics:
    """Return the mean of each metric over the folds that have it."""
    folds = list(folds)
    names = dict.fromkeys(name for fold in folds for name in fold)
    return {name: float(np.mean([fold[name] for fold in folds if name in fold])) for name in names}


def _keep_finite(found: Mapping[str, Any]) -> Metrics:
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}
