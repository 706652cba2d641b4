"""Classification and regression: from the data to the best model."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from . import ensembles, metrics, words
from .dataset import TableData, load_tables
from .featurization import Featurizer
from .models import StackedEnsemble, TableClassifier, TableRegressor, WeightedEnsemble
from .problems import NoModelError
from .reports import find_importance
from .search import LearningProblem, SearchLimits, TableSearch
from .settings import RunSettings
from .trials import SearchTrial

_EXPLAINED = 1000  # rows
_SMALL = 100_000  # cells; below it threads cost more than they bring


@dataclass
class SearchResult:
    """The best model, what it scores, and all that reports of it need."""

    best: SearchTrial
    model: Any
    trials: list[SearchTrial]
    example: Any
    optional: list[str]
    labels: Any = None
    truth: Any = None
    predictions: Any = None
    """The predictions for the validation rows, in the order of `truth`."""
    test_metrics: dict[str, float] | None = None
    test_table: Any = None
    explain: Any = None
    """A function that returns (column, importance) pairs."""
    kinds: list[tuple[str, str, str]] | None = None


_Ensemble = tuple[SearchTrial, Any, list[Any]]
"""The trial of an ensemble, its model, and its predictions for each fold."""


class TableRun:
    """One AutoML run on a table."""

    def __init__(
        self, settings: RunSettings, note: Callable[[str], None], on_trial: Callable[[SearchTrial], None]
    ) -> None:
        self.settings, self.note, self.on_trial = settings, note, on_trial
        self.started = time.time()
        self.stage = "preparing"
        self.featurizer = Featurizer(settings.get("featurization"), settings.seed)

    def prepare(self) -> None:
        """Read the data, and make the features of it."""
        settings = self.settings
        self.data = data = load_tables(settings, self.note)
        self.featurizer.fit(data.frame.iloc[data.training_rows])
        for name, kind, reason in self.featurizer.list_types():
            if kind == "Ignored":
                self.note(f"the column '{name}' is not used: {reason}")
        if not self.featurizer.columns:
            raise NoModelError("training_data: no column is of use: each is empty, has one value, or is ignored")
        self.problem = self._make_problem(data)
        self.search = TableSearch(self.problem, self._make_limits(), self.on_trial)

    def train(self, learner: str, hyperparameters: dict[str, Any]) -> Any:
        """Return a model of raw columns, trained on all rows."""
        return self.wrap_model(self.search.fit_final(learner, hyperparameters, self.data.final_rows))

    def train_vote(self, members: list[tuple[str, dict[str, Any]]], weights: list[float]) -> Any:
        models = [self.search.fit_final(learner, config, self.data.final_rows) for learner, config in members]
        return self.wrap_model(WeightedEnsemble(models, weights, self.problem.classes))

    def run(self) -> SearchResult:
        settings = self.settings
        self.prepare()
        training = settings.get("training")
        learners = words.list_learners(
            settings.task, training.get("allowed_training_algorithms"), training.get("blocked_training_algorithms")
        )
        self.stage = "searching"
        self.search.run(learners)
        self.stage = "finishing"
        self.note(f"the search ended after {len(self.search.trials)} trials: {self.search.stop_reason}")
        completed = [trial for trial in self.search.trials if trial.is_completed]
        if not completed:
            reasons = [trial.error for trial in self.search.trials if trial.error]
            raise NoModelError(
                f"no trial completed; the first: {reasons[0]}" if reasons else "no trial ended in the time given"
            )
        return self._finish(completed)

    def wrap_model(self, model: Any) -> Any:
        """Return a model of features as one of raw columns."""
        if self.data.labels is None:
            return TableRegressor(self.featurizer, model)
        return TableClassifier(self.featurizer, model, self.data.labels)

    def get_example(self) -> tuple[Any, list[str]]:
        """Return some rows of raw columns, and the names of those that a caller may leave out."""
        unused = [name for name, kind, _ in self.featurizer.list_types() if kind == "Ignored"]
        return self.data.frame.iloc[self.data.training_rows].head(20), unused

    def _make_problem(self, data: TableData) -> LearningProblem:
        settings = self.settings
        features = self.featurizer.transform(data.frame)
        self.user_weights = data.weights
        weights = data.weights
        if settings.metric == "norm_macro_recall":
            counts = np.bincount(data.truth, minlength=len(data.labels))
            weights = (1 if weights is None else weights) * (len(data.truth) / counts[data.truth])
            self.note("rows weigh in inverse proportion to the size of their class, as the metric is norm_macro_recall")
        classes = None if data.labels is None else len(data.labels)
        return LearningProblem(
            settings.task, features, data.truth, weights, data.folds, data.final_rows, classes,
            self.measure, self.score, settings.metric, settings.is_maximised,
        )  # fmt: skip

    def measure(self, predictions: Any, rows: Any) -> metrics.Metrics:
        weights = None if self.user_weights is None else self.user_weights[rows]
        return self.measure_rows(self.data.truth[rows], predictions, weights)

    def score(self, predictions: Any, rows: Any) -> float:
        weights = None if self.user_weights is None else self.user_weights[rows]
        truth, metric = self.data.truth, self.settings.metric
        if self.data.labels is not None:
            return metrics.score_classes(metric, truth[rows], predictions, weights)
        return metrics.score_numbers(metric, truth[rows], predictions, truth.min(), truth.max(), weights)

    def measure_rows(self, truth: Any, predictions: Any, weights: Any) -> metrics.Metrics:
        if self.data.labels is not None:
            return metrics.measure_classes(truth, predictions, weights, self._find_positive())
        return metrics.measure_numbers(truth, predictions, self.data.truth.min(), self.data.truth.max(), weights)

    def _find_positive(self) -> int | None:
        label = self.settings.fields.get("positive_label")
        texts = [str(one) for one in self.data.labels]
        return None if label is None else texts.index(str(label))

    def _make_limits(self) -> SearchLimits:
        settings = self.settings
        is_small = self.problem.features.size < _SMALL
        reserve = 0.1 * settings.seconds + (0.1 * settings.seconds if self._wants_ensembles() else 0)
        limits = settings.get("limits")
        stops_early = limits.get("enable_early_termination")
        goal = limits.get("exit_score")
        return SearchLimits(
            deadline=self.started + settings.seconds - min(reserve, 600.0),
            trial_seconds=settings.trial_seconds,
            max_trials=settings.max_trials,
            exit_score=None if goal is None else float(goal),
            stops_early=True if stops_early is None else bool(stops_early),
            threads=1 if is_small else settings.threads,
            seed=settings.seed,
            verbosity=settings.verbosity,
        )

    def _wants_ensembles(self) -> bool:
        switches = ("enable_vote_ensemble", "enable_stack_ensemble")
        return any(self.settings.get_switch(name, True) for name in switches) and self.settings.max_trials > 1

    def _finish(self, completed: list[SearchTrial]) -> SearchResult:
        best = completed[0]
        for trial in completed:
            if self.problem.is_better(trial.score, best.score):
                best = trial
        models = {best.number: self._fit_again(best)}
        predictions = best.predictions
        for trial, model, parts in self._make_ensembles(models):
            trial.model = model
            self.search.trials.append(trial)
            self.on_trial(trial)
            if self.problem.is_better(trial.score, best.score):
                best, predictions, models[trial.number] = trial, parts, model
        model = self.wrap_model(models[best.number])
        valid = np.concatenate([rows for _, rows in self.data.folds.pairs])
        result = SearchResult(
            best, model, self.search.trials, *self.get_example(), self.data.labels,
            self.data.truth[valid], None if predictions is None else np.concatenate(predictions),
            kinds=self.featurizer.list_types(), explain=lambda: self._explain(model),
        )  # fmt: skip
        self._test(result)
        return result

    def _fit_again(self, trial: SearchTrial) -> Any:
        """Return a trial's model, trained on all rows; the model that was scored if that fails."""
        rows = self.data.final_rows
        if self.data.folds.is_holdout and len(self.data.folds.pairs[0][0]) == len(rows) and trial.is_whole:
            return trial.model
        try:
            return self.search.fit_final(trial.learner, trial.hyperparameters, rows)
        except Exception as error:
            self.note(
                f"trial {trial.number} could not be trained on all rows ({error}); the model that was scored stays"
            )
            return trial.model

    def _make_ensembles(self, models: dict[int, Any]) -> list[_Ensemble]:
        """Return the ensembles that can be made; one that fails is noted, since the trials are a result without it."""
        if not self._wants_ensembles():
            return []
        candidates = ensembles.list_candidates(self.problem, self.search.trials)
        candidates = [one for one in candidates if self._has_time_for([one])]
        made: list[_Ensemble] = []
        for switch, make in (("enable_vote_ensemble", self._make_vote), ("enable_stack_ensemble", self._make_stack)):
            if not self.settings.get_switch(switch, True):
                continue
            try:
                ensemble = make(candidates, models, len(self.search.trials) + len(made))
            except Exception as error:
                kind = switch.removeprefix("enable_").replace("_", " ")
                self.note(f"the {kind} could not be made: {type(error).__name__}: {error}")
                continue
            made += [] if ensemble is None else [ensemble]
        if not made:
            self.note("no ensemble was made: there are less than two algorithms to combine, or no time was left")
        return made

    def _make_vote(self, candidates: list[SearchTrial], models: dict[int, Any], number: int) -> _Ensemble | None:
        plan = ensembles.plan_vote(self.problem, candidates)
        if plan is None:
            return None
        started = time.time()
        model = WeightedEnsemble(self._fit_members(plan.members, models), plan.weights, self.problem.classes)
        trial = self._make_trial(number, "VotingEnsemble", plan.members, plan.metrics, started, plan.weights)
        return trial, model, plan.predictions

    def _make_stack(self, candidates: list[SearchTrial], models: dict[int, Any], number: int) -> _Ensemble | None:
        settings = self.settings.get("training").get("stack_ensemble_settings") or {}
        plan = ensembles.plan_stack(self.problem, candidates, settings, self.settings.seed)
        if plan is None or not self._has_time_for(plan.members):
            return None
        started = time.time()
        model = StackedEnsemble(self._fit_members(plan.members, models), plan.meta, self.problem.classes)
        trial = self._make_trial(number, "StackEnsemble", plan.members, plan.metrics, started)
        return trial, model, plan.predictions

    def _has_time_for(self, members: list[SearchTrial]) -> bool:
        folds = max(1, len(self.data.folds.pairs) - 1)
        needed = sum(trial.seconds / folds for trial in members)
        return time.time() + 1.3 * needed < self.started + self.settings.seconds

    def _fit_members(self, members: list[SearchTrial], models: dict[int, Any]) -> list[Any]:
        for trial in members:
            if trial.number not in models:
                models[trial.number] = self._fit_again(trial)
        return [models[trial.number] for trial in members]

    def _make_trial(
        self,
        number: int,
        name: str,
        members: list[SearchTrial],
        found: metrics.Metrics,
        started: float,
        weights: list[float] | None = None,
    ) -> SearchTrial:
        described: dict[str, Any] = {"members": [f"{one.number}: {one.algorithm}" for one in members]}
        if weights:
            described["weights"] = [round(weight, 4) for weight in weights]
        return SearchTrial(
            number, name, name, described, started, time.time() - started,
            len(self.data.final_rows), found, found.get(self.settings.metric),
        )  # fmt: skip

    def _explain(self, model: Any) -> list[tuple[str, float]]:
        """Return the importance of each column for the score, on rows that validated."""
        rows = np.concatenate([valid for _, valid in self.data.folds.pairs])
        rows = np.random.default_rng(self.settings.seed).permutation(rows)[:_EXPLAINED]  # a table may be in order
        columns = list(self.featurizer.columns)
        sign = 1 if self.problem.is_maximised else -1
        until = self.started + self.settings.seconds + 60

        def score(frame: Any) -> float:
            if time.time() > until:
                raise TimeoutError("no time was left")
            predictions = self.problem.predict(model.model, self.featurizer.transform(frame))
            return sign * self.score(predictions, rows)

        return find_importance(columns, self.data.frame.iloc[rows], score, self.settings.seed)

    def _test(self, result: SearchResult) -> None:
        data = self.data
        if data.test_frame is None:
            return
        features = self.featurizer.transform(data.test_frame)
        predictions = self.problem.predict(result.model.model, features)
        table = data.test_frame.copy()
        if data.labels is not None:
            table["predicted"] = data.labels[predictions.argmax(axis=1)]
            for index, label in enumerate(data.labels):
                table[f"predicted_proba_{label}"] = predictions[:, index]
        else:
            table["predicted"] = predictions
        if data.test_truth is not None:
            result.test_metrics = self.measure_rows(data.test_truth, predictions, data.test_weights)
            table["actual"] = data.test_truth if data.labels is None else data.labels[data.test_truth]
        result.test_table = table
