"""Classification and regression: from the data to the best model."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from . import ensembles, metrics
from .dataset import TableData, find_label, load_tables
from .featurization import Featurizer
from .models import StackedEnsemble, TableClassifier, TableRegressor, WeightedEnsemble
from .problems import NoModelError
from .reports import find_importance
from .search import LearningProblem, TableSearch
from .search_run import Ensemble, SearchRun
from .settings import RunSettings
from .trials import SearchResult, SearchTrial

_EXPLAINED = 1000  # rows
_SMALL = 100_000  # cells; below it threads cost more than they bring


class TableRun(SearchRun):
    """One AutoML run on a table."""

    def __init__(
        self, settings: RunSettings, note: Callable[[str], None], on_trial: Callable[[SearchTrial], None]
    ) -> None:
        super().__init__(settings, note, on_trial)
        self.featurizer = Featurizer(settings.get("featurization"), settings.seed)

    def prepare(self) -> None:
        settings = self.settings
        self.data = data = load_tables(settings, self.note)
        self.featurizer.fit(data.frame.iloc[data.training_rows])
        self._note_columns(self.featurizer)
        if not self.featurizer.columns:
            raise NoModelError("training_data: no column is of use: each is empty, has one value, or is ignored")
        self.problem = self._make_problem(data)
        limits = self._make_limits(0.2 if self._wants_ensembles() else 0.1, self.problem.features.size < _SMALL)
        self.search = TableSearch(self.problem, limits, self._report_trial)

    def train(self, learner: str, hyperparameters: dict[str, Any]) -> Any:
        return self.wrap_model(self.search.fit_final(learner, hyperparameters, self.data.final_rows))

    def train_vote(self, members: list[tuple[str, dict[str, Any]]], weights: list[float]) -> Any:
        models = [self.search.fit_final(learner, config, self.data.final_rows) for learner, config in members]
        return self.wrap_model(WeightedEnsemble(models, weights, self.problem.classes))

    def wrap_model(self, model: Any) -> Any:
        if self.data.labels is None:
            return TableRegressor(self.featurizer, model)
        return TableClassifier(self.featurizer, model, self.data.labels)

    def get_example(self) -> tuple[Any, list[str]]:
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
        return None if label is None else find_label(self.data.labels, label)

    def _search(self, learners: list[str], is_allowed: bool) -> str | None:
        self.search.run(learners)
        return self.search.stop_reason

    def _wants_ensembles(self) -> bool:
        switches = ("enable_vote_ensemble", "enable_stack_ensemble")
        return any(self.settings.get_switch(name, True) for name in switches) and self.settings.max_trials > 1

    def _make_result(self, best: SearchTrial, model: Any, predictions: list[Any] | None) -> SearchResult:
        model = self.wrap_model(model)
        valid = np.concatenate([rows for _, rows in self.data.folds.pairs])
        result = SearchResult(
            best, model, self.trials, *self.get_example(), self.data.labels,
            self.data.truth[valid], None if predictions is None else np.concatenate(predictions),
            kinds=self.featurizer.list_types(), explain=lambda: self._explain(model),
        )  # fmt: skip
        self._test(result)
        return result

    def _fit_whole(self, trial: SearchTrial) -> Any:
        rows = self.data.final_rows
        if self.data.folds.is_holdout and len(self.data.folds.pairs[0][0]) == len(rows) and trial.is_whole:
            return trial.model
        return self.search.fit_final(trial.learner, trial.hyperparameters, rows)

    def _get_scored_model(self, trial: SearchTrial) -> Any:
        return trial.model

    def _make_ensembles(self, models: dict[int, Any]) -> list[Ensemble]:
        if not self._wants_ensembles():
            return []
        candidates = ensembles.list_candidates(self.problem, self.trials)
        candidates = [one for one in candidates if self._has_time_for([one])]
        made: list[Ensemble] = []
        for kind, make in (("vote", self._make_vote), ("stack", self._make_stack)):
            if self.settings.get_switch(f"enable_{kind}_ensemble", True):
                number = len(self.trials) + len(made)
                ensemble = self._try_ensemble(kind, partial(make, candidates, models, number))
                made += [] if ensemble is None else [ensemble]
        if not made:
            self.note("no ensemble was made: there are less than two algorithms to combine, or no time was left")
        return made

    def _make_vote(self, candidates: list[SearchTrial], models: dict[int, Any], number: int) -> Ensemble | None:
        plan = ensembles.plan_vote(self.problem, candidates)
        if plan is None:
            return None
        started = time.time()
        model = WeightedEnsemble(self._fit_members(plan.members, models), plan.weights, self.problem.classes)
        trial = self._describe_ensemble(number, "VotingEnsemble", plan.members, plan.metrics, started, plan.weights)
        return trial, model, plan.predictions

    def _make_stack(self, candidates: list[SearchTrial], models: dict[int, Any], number: int) -> Ensemble | None:
        settings = self.settings.get("training").get("stack_ensemble_settings") or {}
        plan = ensembles.plan_stack(self.problem, candidates, settings, self.settings.seed)
        if plan is None or not self._has_time_for(plan.members):
            return None
        started = time.time()
        model = StackedEnsemble(self._fit_members(plan.members, models), plan.meta, self.problem.classes)
        trial = self._describe_ensemble(number, "StackEnsemble", plan.members, plan.metrics, started)
        return trial, model, plan.predictions

    def _has_time_for(self, members: list[SearchTrial]) -> bool:
        folds = max(1, len(self.data.folds.pairs) - 1)
        needed = sum(trial.seconds / folds for trial in members)
        return time.time() + 1.3 * needed < self.started + self.settings.seconds

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
