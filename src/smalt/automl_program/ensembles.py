"""Ensembles of trials: models that vote, and models that are stacked, scored on the same rows as the trials."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from .metrics import Metrics, average_metrics
from .models import join_chances
from .search import LearningProblem
from .trials import SearchTrial
from .words import META_LEARNERS, find_word

_CANDIDATES, _ROUNDS, _PATIENCE = 12, 15, 4


class VotePlan(NamedTuple):
    """The trials that vote, with their weights, and what they score together."""

    members: list[SearchTrial]
    weights: list[float]
    metrics: Metrics
    predictions: list[Any]


class StackPlan(NamedTuple):
    """The trials that are stacked, the model over them, and what it scores."""

    members: list[SearchTrial]
    meta: Any
    metrics: Metrics
    predictions: list[Any]


def list_candidates(problem: LearningProblem, trials: Sequence[SearchTrial]) -> list[SearchTrial]:
    """Return the best trials, and the best of each algorithm, that were scored on whole data."""
    usable = [trial for trial in trials if trial.is_completed and trial.is_whole and trial.predictions]
    usable.sort(key=lambda trial: trial.score or 0.0, reverse=problem.is_maximised)
    chosen: list[SearchTrial] = []
    seen: set[tuple[str, float | None]] = set()
    algorithms: set[str] = set()
    for trial in usable:
        is_new = trial.algorithm not in algorithms
        if (len(chosen) < _CANDIDATES or is_new) and (trial.algorithm, trial.score) not in seen:
            chosen.append(trial)
            algorithms.add(trial.algorithm)
            seen.add((trial.algorithm, trial.score))
    return chosen


def plan_vote(problem: LearningProblem, candidates: Sequence[SearchTrial]) -> VotePlan | None:
    """Return the vote that greedy selection finds: each round adds the trial that raises the score most."""
    if len(candidates) < 2:
        return None
    counts: Any = np.zeros(len(candidates), dtype=int)
    best: tuple[float, Any] | None = None
    sums = [np.zeros_like(part) for part in candidates[0].predictions or ()]
    for size in range(1, _ROUNDS + 1):
        scores = [
            _score_sums(problem, [a + b for a, b in zip(sums, one.predictions or (), strict=True)], size)
            for one in candidates
        ]
        chosen = int(np.argmax(scores) if problem.is_maximised else np.argmin(scores))
        counts[chosen] += 1
        sums = [a + b for a, b in zip(sums, candidates[chosen].predictions or (), strict=True)]
        if best is None or problem.is_better(scores[chosen], best[0]):
            best = (scores[chosen], counts.copy())
        elif size - best[1].sum() >= _PATIENCE:
            break
    assert best is not None
    members = [(trial, count) for trial, count in zip(candidates, best[1], strict=True) if count]
    weights = [float(count / best[1].sum()) for _, count in members]
    parts = [
        _blend_predictions([trial.predictions or [] for trial, _ in members], weights, fold)
        for fold in range(len(sums))
    ]
    return VotePlan([trial for trial, _ in members], weights, _measure_parts(problem, parts), parts)


def plan_stack(
    problem: LearningProblem, candidates: Sequence[SearchTrial], settings: Mapping[str, Any], seed: int
) -> StackPlan | None:
    """Return the stack over the best trial of each algorithm; each row is predicted by a model that did not see it."""
    members = list({trial.algorithm: trial for trial in reversed(candidates)}.values())[::-1][:5]
    if len(members) < 2:
        return None
    inputs = np.concatenate([_collect_predictions(problem, members, fold) for fold in range(len(problem.folds.pairs))])
    rows = np.concatenate([valid for _, valid in problem.folds.pairs])
    truth = problem.truth[rows]
    weights = None if problem.weights is None else problem.weights[rows]
    distinct, places = np.unique(rows, return_inverse=True)  # folds may share rows
    parts = np.random.default_rng(seed).permutation(len(distinct))[places] % 5
    predicted = _predict_across(problem, lambda: _make_meta(problem, settings), inputs, truth, weights, parts)
    if predicted is None:
        return None
    ends = np.cumsum([len(valid) for _, valid in problem.folds.pairs])[:-1]
    meta = _fit_meta(_make_meta(problem, settings), inputs, truth, weights)
    predictions = np.split(predicted, ends)
    return StackPlan(members, meta, _measure_parts(problem, predictions), predictions)


def _score_sums(problem: LearningProblem, sums: list[Any], size: int) -> float:
    scores = [problem.score(part / size, valid) for part, (_, valid) in zip(sums, problem.folds.pairs, strict=True)]
    known = [score for score in scores if np.isfinite(score)]
    return float(np.mean(known)) if known else (-1e9 if problem.is_maximised else 1e9)


def _measure_parts(problem: LearningProblem, parts: Sequence[Any]) -> Metrics:
    pairs = zip(parts, problem.folds.pairs, strict=True)
    return average_metrics(problem.measure(part, valid) for part, (_, valid) in pairs)


def _blend_predictions(predictions: Sequence[list[Any]], weights: Sequence[float], fold: int) -> Any:
    return np.average([one[fold] for one in predictions], axis=0, weights=weights)


def _collect_predictions(problem: LearningProblem, members: Sequence[SearchTrial], fold: int) -> Any:
    parts = [(trial.predictions or [])[fold] for trial in members]
    return join_chances(parts) if problem.classes else np.column_stack(parts)


def _predict_across(
    problem: LearningProblem, make: Callable[[], Any], inputs: Any, truth: Any, weights: Any, parts: Any
) -> Any:
    """Return the predictions of meta learners, each for the rows of a part, which it did not learn from."""
    shape = (len(truth), problem.classes) if problem.classes else (len(truth),)
    predicted = np.zeros(shape)
    for part in np.unique(parts):
        train, valid = parts != part, parts == part
        if problem.classes and len(np.unique(truth[train])) < 2:
            return None
        meta = _fit_meta(make(), inputs[train], truth[train], None if weights is None else weights[train])
        if problem.classes:
            predicted[np.ix_(valid, np.asarray(meta.classes_, dtype=int))] = meta.predict_proba(inputs[valid])
        else:
            predicted[valid] = meta.predict(inputs[valid])
    return predicted


def _fit_meta(meta: Any, inputs: Any, truth: Any, weights: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return meta.fit(inputs, truth) if weights is None else meta.fit(inputs, truth, sample_weight=weights)


def _make_meta(problem: LearningProblem, settings: Mapping[str, Any]) -> Any:
    from sklearn.linear_model import (
        ElasticNet,
        ElasticNetCV,
        LinearRegression,
        LogisticRegression,
        LogisticRegressionCV,
    )

    allowed = META_LEARNERS["classification" if problem.classes else "regression"]
    name = find_word(settings.get("stack_meta_learner_type") or "", allowed) or allowed[0]
    more = dict(settings.get("stack_meta_learner_kwargs") or {})
    if name.startswith("LightGBM"):
        import lightgbm

        kind = lightgbm.LGBMClassifier if problem.classes else lightgbm.LGBMRegressor
        return kind(**{"verbose": -1, "n_estimators": 50, "num_leaves": 7, "n_jobs": 1, **more})
    defaults: dict[str, tuple[Any, dict[str, Any]]] = {
        "LogisticRegression": (LogisticRegression, {"max_iter": 500}),
        "LogisticRegressionCV": (LogisticRegressionCV, {"max_iter": 500, "cv": 3}),
        "ElasticNet": (ElasticNet, {"alpha": 0.001, "positive": True}),
        "ElasticNetCV": (ElasticNetCV, {"cv": 3, "positive": True}),
        "LinearRegression": (LinearRegression, {}),
    }
    kind, settings_of_kind = defaults[name]
    return kind(**{**settings_of_kind, **more})
