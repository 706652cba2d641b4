"""The search: FLAML proposes algorithms and hyperparameters, and each is scored by the service's metrics."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flaml import AutoML
from flaml.automl.state import AutoMLState
from flaml.automl.task.factory import task_factory
from flaml.default import suggest_config, suggest_learner

from .learners import IGNORES_WEIGHTS, SearchStop, make_learner, unwrap_model
from .metrics import Metrics, average_metrics
from .models import EncodedModel, align_chances
from .splits import Folds
from .trials import SearchTrial
from .words import get_algorithm

_CELLS_PER_SECOND = 3000
_FAILED = 1e6  # FLAML's arithmetic does not survive an infinite loss
_MOST_KEPT = 400_000_000


@dataclass
class LearningProblem:
    """Features, targets and folds: all that a search needs to know of the data."""

    task: str
    features: Any
    truth: Any
    weights: Any
    folds: Folds
    final_rows: Any
    """The rows that the best model is trained on in the end."""
    classes: int | None
    measure: Callable[[Any, Any], Metrics]
    """Measure predictions (of classes: chances) for some rows, given by their numbers."""
    score: Callable[[Any, Any], float]
    """Return the primary metric alone."""
    metric: str
    is_maximised: bool

    @property
    def flaml_task(self) -> str:
        if self.classes is None:
            return "regression"
        return "binary" if self.classes == 2 else "multiclass"

    def predict(self, model: Any, features: Any) -> Any:
        if self.classes is None:
            return np.asarray(model.predict(features), dtype=float)
        return align_chances(model, features, self.classes)

    def is_better(self, score: float | None, other: float | None) -> bool:
        if score is None or other is None:
            return score is not None
        return score > other if self.is_maximised else score < other


@dataclass
class SearchLimits:
    """When to stop a search."""

    deadline: float
    trial_seconds: float
    max_trials: int
    exit_score: float | None
    stops_early: bool
    threads: int
    seed: int
    verbosity: int = 0
    """FLAML's: 3 tells of each iteration."""


class _ReportingAutoML(AutoML):
    """FLAML's search that tells of each trial, not only of each improvement."""

    report: Callable[[str, dict[str, Any]], None]

    def _log_trial(self, search_state: Any, estimator: str) -> None:
        self.report(estimator, dict(search_state.config or {}))

    def _search_sequential(self) -> None:
        super()._search_sequential()
        raise SearchStop("")  # before FLAML trains its best once more: that is done where the model is made


class TableSearch:
    """One run of FLAML over a learning problem."""

    def __init__(
        self,
        problem: LearningProblem,
        limits: SearchLimits,
        on_trial: Callable[[SearchTrial], None],
        first_number: int = 0,
        predict: Callable[[Any, Any, int], Any] | None = None,
    ) -> None:
        self.problem, self.limits, self.on_trial = problem, limits, on_trial
        self.trials: list[SearchTrial] = []
        self.stop_reason: str | None = None
        self._first = first_number
        self._predict = predict or (lambda model, rows, fold: problem.predict(model, problem.features.iloc[rows]))
        self._start_trial()

    def run(self, learners: Sequence[str]) -> None:
        """Search until a limit is reached, which `stop_reason` names."""
        automl = _ReportingAutoML()
        automl.report = self._report_trial
        for name in learners:
            automl.add_learner(name, make_learner(name))
        logging.getLogger("flaml").setLevel(logging.ERROR)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                automl.fit(**self._make_arguments(list(learners)))
            except SearchStop as stop:
                self.stop_reason = str(stop) or self._explain_end()
            except Exception as error:
                if not any(trial.is_completed for trial in self.trials):
                    raise
                self.stop_reason = f"FLAML failed with {type(error).__name__}: {error}"

    def fit_final(self, learner: str, config: dict[str, Any], rows: Any) -> EncodedModel:
        """Return a model of a trial's hyperparameters, trained on the given rows."""
        problem = self.problem
        model = make_learner(learner)(task=problem.flaml_task, n_jobs=self.limits.threads, **config)
        weights = None if problem.weights is None else problem.weights[rows]
        more = {} if weights is None or learner in IGNORES_WEIGHTS else {"sample_weight": weights}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(problem.features.iloc[rows], problem.truth[rows], **more)
        if model.failure:
            raise RuntimeError(model.failure)
        return unwrap_model(model)

    def _make_arguments(self, learners: list[str]) -> dict[str, Any]:
        problem, limits = self.problem, self.limits
        learners, start = self._choose_start(learners)
        arguments: dict[str, Any] = {
            "task": "regression" if problem.classes is None else "classification",
            "metric": self._score_fold,
            "estimator_list": learners,
            "time_budget": max(1.0, limits.deadline - time.time()),
            "max_iter": max(2, limits.max_trials),
            "train_time_limit": limits.trial_seconds,
            "log_type": "all",
            "retrain_full": False,
            "auto_augment": False,
            "skip_transform": True,
            "early_stop": limits.stops_early,
            "starting_points": start,
            "n_jobs": limits.threads,
            "seed": limits.seed,
            "verbose": self.limits.verbosity,
            "mlflow_logging": False,
            "split_type": "uniform" if problem.folds.is_holdout else problem.folds,
            "cv_score_agg_func": _average_folds,
        }
        return {**arguments, **self._make_data_arguments()}

    def _make_data_arguments(self) -> dict[str, Any]:
        """Return the arguments with the rows to train on, and how they are validated."""
        problem = self.problem
        if problem.folds.is_holdout:
            train, valid = self._order_rows(problem.folds.pairs[0][0]), problem.folds.pairs[0][1]
            arguments = {
                "eval_method": "holdout", "X_val": problem.features.iloc[valid], "y_val": problem.truth[valid],
                "sample": True,
            }  # fmt: skip
        else:
            train = np.arange(len(problem.truth))
            arguments = {"eval_method": "cv", "n_splits": problem.folds.get_n_splits()}
        arguments.update(X_train=problem.features.iloc[train], y_train=problem.truth[train])
        if problem.weights is not None:
            arguments["sample_weight"] = problem.weights[train]
        return arguments

    def _choose_start(self, learners: list[str]) -> tuple[list[str], Any]:
        """Return the learners, the most promising first, and where each starts: by FLAML's experience with such tables.

        Where time is short all start small: one trial by experience could take all of it. FLAML's experience names
        hyperparameters that not every task has (in 2.8 `criterion` of a regression's forest); these are left out.
        """
        problem = self.problem
        if self.limits.deadline - time.time() < problem.features.size / _CELLS_PER_SECOND:
            return learners, "static"
        task, points = task_factory(problem.flaml_task), {}
        for name in learners:
            space = make_learner(name).search_space(data_size=problem.features.shape, task=task)
            try:
                found = suggest_config(task, problem.features, problem.truth, name, "", k=1)
            except FileNotFoundError:
                continue
            points[name] = {key: value for key, value in found[0]["hyperparameters"].items() if key in space}
        if not points:
            return learners, "static"
        first = suggest_learner(task, problem.features, problem.truth, estimator_list=list(points), location="")
        return sorted(learners, key=lambda name: name != first), points

    def _order_rows(self, rows: Any) -> Any:
        """Put a row of each class first: FLAML's first looks take the first rows."""
        if self.problem.classes is None:
            return rows
        _, firsts = np.unique(self.problem.truth[rows], return_index=True)
        return np.concatenate([rows[firsts], np.delete(rows, firsts)])

    def _start_trial(self) -> None:
        self._started = time.time()
        self._folds: list[tuple[Metrics, Any]] = []
        self._failure: str | None = None
        self._model: Any = None
        self._rows = 0

    def _score_fold(
        self, X_val: Any, y_val: Any, estimator: Any, labels: Any, X_train: Any, y_train: Any, *_: Any
    ) -> tuple[float, dict[str, Any]]:
        self._rows = max(self._rows, len(y_train))
        self._failure = self._failure or estimator.failure
        if self._failure:
            return _FAILED, {"score": 0.0}
        self._model = unwrap_model(estimator)
        fold = len(self._folds)
        rows = self.problem.folds.pairs[fold][1]
        predictions = self._predict(self._model, rows, fold)
        if not np.isfinite(predictions).all():
            self._failure = "it predicts what is no finite number"
            return _FAILED, {"score": 0.0}
        metrics = self.problem.measure(predictions, rows)
        score = metrics.get(self.problem.metric)
        self._folds.append((metrics, predictions))
        if score is None:  # not the model's fault: the rows of the fold are all of one class, for example
            return (_FAILED if self.problem.folds.is_holdout else np.nan), {"score": np.nan}
        return (1 - score if self.problem.is_maximised else score), {"score": score}

    def _report_trial(self, learner: str, config: dict[str, Any]) -> None:
        whole = len(self.problem.folds.pairs[0][0])
        trial = SearchTrial(
            number=self._first + len(self.trials),
            algorithm=get_algorithm(self.problem.task, learner),
            learner=learner,
            hyperparameters=AutoMLState.sanitize(config),
            started=self._started,
            seconds=time.time() - self._started,
            rows=self._rows,
            error=self._failure,
            is_whole=not self.problem.folds.is_holdout or self._rows >= whole,
        )
        if self._failure is None and self._folds:
            trial.metrics = average_metrics(metrics for metrics, _ in self._folds)
            trial.score = trial.metrics.get(self.problem.metric)
            if trial.score is None:
                trial.error = f"{self.problem.metric} cannot be computed of the validation rows of any fold"
            self._keep_predictions(trial)
        self.trials.append(trial)
        self.on_trial(trial)
        self._start_trial()
        self._check_limits(trial)

    def _keep_predictions(self, trial: SearchTrial) -> None:
        """Keep a trial's predictions; where they are too many, those of the worst trials go, and the best's stay."""
        trial.model = self._model
        if not trial.is_completed:
            return
        trial.predictions = [predictions for _, predictions in self._folds]
        kept = [one for one in (*self.trials, trial) if one.predictions is not None]
        kept.sort(key=lambda one: one.score or 0.0, reverse=not self.problem.is_maximised)  # the worst first
        size = sum(predictions.nbytes for _, predictions in self._folds)
        for worst in kept[: max(0, len(kept) - max(1, _MOST_KEPT // max(1, size)))]:
            worst.predictions = None

    def _check_limits(self, trial: SearchTrial) -> None:
        limits, goal = self.limits, self.limits.exit_score
        if trial.is_completed and goal is not None and not self.problem.is_better(goal, trial.score):
            raise SearchStop(f"the exit score {goal:g} was reached")
        if len(self.trials) + self._first >= limits.max_trials:
            raise SearchStop(f"all {limits.max_trials} trials were made")
        if time.time() >= limits.deadline:
            raise SearchStop("its time was over")

    def _explain_end(self) -> str:
        if time.time() >= self.limits.deadline - 1:
            return "its time was over"
        return "the scores no longer rose" if self.limits.stops_early else "nothing was left to try"


def _average_folds(losses: Sequence[float], scores: Sequence[dict[str, float]]) -> tuple[float, dict[str, float]]:
    """Return the mean loss and score of the folds that have one, in the form that FLAML takes."""
    known = [(loss, score["score"]) for loss, score in zip(losses, scores, strict=True) if np.isfinite(loss)]
    if not known:
        return _FAILED, {"score": 0.0}
    loss, score = np.mean(known, axis=0)
    return float(loss), {"score": float(score)}
