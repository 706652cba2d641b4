"""The course of an AutoML run, whatever its task: data, search, ensembles, and the best model of them."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from . import words
from .featurization import Featurizer
from .learners import SearchStop
from .metrics import Metrics
from .problems import NoModelError
from .search import LearningProblem, SearchLimits, TableSearch
from .settings import RunSettings
from .trials import SearchResult, SearchTrial

Ensemble = tuple[SearchTrial, Any, list[Any]]
"""The trial of an ensemble, its model, and its predictions for each fold."""


class SearchRun(ABC):
    """One AutoML run; a class below knows the task's data and models."""

    problem: LearningProblem
    search: TableSearch

    def __init__(
        self, settings: RunSettings, note: Callable[[str], None], on_trial: Callable[[SearchTrial], None]
    ) -> None:
        self.settings, self.note, self.on_trial = settings, note, on_trial
        self.started = time.time()
        self.stage = "preparing"
        self.trials: list[SearchTrial] = []

    @abstractmethod
    def prepare(self) -> None:
        """Read the data, and make the features of it."""

    @abstractmethod
    def train(self, learner: str, hyperparameters: dict[str, Any]) -> Any:
        """Return a model of raw columns, trained on all rows."""

    @abstractmethod
    def train_vote(self, members: list[tuple[str, dict[str, Any]]], weights: list[float]) -> Any:
        """Return a model of raw columns that is the weighted mean of others."""

    @abstractmethod
    def wrap_model(self, model: Any) -> Any:
        """Return the model of a trial as one of raw columns."""

    @abstractmethod
    def get_example(self) -> tuple[Any, list[str]]:
        """Return some rows of raw columns, and the names of those that a caller may leave out."""

    def run(self) -> SearchResult:
        self.prepare()
        training = self.settings.get("training")
        allowed, blocked = training.get("allowed_training_algorithms"), training.get("blocked_training_algorithms")
        self.stage = "searching"
        try:
            reason = self._search(words.list_learners(self.settings.task, allowed, blocked), bool(allowed))
        except SearchStop as stop:
            reason = str(stop)
        self.stage = "finishing"
        self.note(f"the search ended after {len(self.trials)} trials: {reason}")
        completed = [trial for trial in self.trials if trial.is_completed]
        if not completed:
            reasons = [trial.error for trial in self.trials if trial.error]
            raise NoModelError(
                f"no trial completed; the first: {reasons[0]}" if reasons else "no trial ended in the time given"
            )
        return self._finish_search(completed)

    @abstractmethod
    def _search(self, learners: list[str], is_allowed: bool) -> str | None:
        """Make the trials, and return why the search ended; `is_allowed` is True if the user has named the learners."""

    @abstractmethod
    def _fit_whole(self, trial: SearchTrial) -> Any:
        """Return a trial's model, trained on all rows."""

    @abstractmethod
    def _get_scored_model(self, trial: SearchTrial) -> Any:
        """Return the model of a trial that was scored, in the form of `_fit_whole`."""

    @abstractmethod
    def _make_ensembles(self, models: dict[int, Any]) -> list[Ensemble]:
        """Return the ensembles that can be made; `models` has those that are trained on all rows, by their trials."""

    @abstractmethod
    def _make_result(self, best: SearchTrial, model: Any, predictions: list[Any] | None) -> SearchResult: ...

    def _finish_search(self, completed: list[SearchTrial]) -> SearchResult:
        best = completed[0]
        for trial in completed:
            if self.problem.is_better(trial.score, best.score):
                best = trial
        models = {best.number: self._fit_again(best)}
        predictions = best.predictions
        for trial, model, parts in self._make_ensembles(models):
            trial.model = model
            self._report_trial(trial)
            if self.problem.is_better(trial.score, best.score):
                best, predictions, models[trial.number] = trial, parts, model
        return self._make_result(best, models[best.number], predictions)

    def _report_trial(self, trial: SearchTrial) -> None:
        self.trials.append(trial)
        self.on_trial(trial)

    def _make_limits(self, reserve: float, is_small: bool) -> SearchLimits:
        """Return the limits of the search, which leaves a share of the time for what follows it."""
        settings, limits = self.settings, self.settings.get("limits")
        goal, stops_early = limits.get("exit_score"), limits.get("enable_early_termination")
        return SearchLimits(
            deadline=self.started + settings.seconds - min(reserve * settings.seconds, 600.0),
            trial_seconds=settings.trial_seconds,
            max_trials=settings.max_trials,
            exit_score=None if goal is None else float(goal),
            stops_early=True if stops_early is None else bool(stops_early),
            threads=1 if is_small else settings.threads,
            seed=settings.seed,
            verbosity=settings.verbosity,
        )

    def _fit_again(self, trial: SearchTrial) -> Any:
        """Return a trial's model, trained on all rows; the model that was scored if that fails."""
        try:
            return self._fit_whole(trial)
        except Exception as error:
            text = f"trial {trial.number} could not be trained on all rows ({type(error).__name__}: {error})"
            self.note(f"{text}; the model that was scored stays")
            return self._get_scored_model(trial)

    def _fit_members(self, members: list[SearchTrial], models: dict[int, Any]) -> list[Any]:
        for trial in members:
            if trial.number not in models:
                models[trial.number] = self._fit_again(trial)
        return [models[trial.number] for trial in members]

    def _try_ensemble(self, kind: str, make: Callable[[], Ensemble | None]) -> Ensemble | None:
        """Return an ensemble; one that fails is noted, since the trials are a result without it."""
        try:
            return make()
        except Exception as error:
            self.note(f"the {kind} ensemble could not be made: {type(error).__name__}: {error}")
            return None

    def _describe_ensemble(
        self,
        number: int,
        name: str,
        members: list[SearchTrial],
        found: Metrics,
        started: float,
        weights: list[float] | None = None,
    ) -> SearchTrial:
        described: dict[str, Any] = {"members": [f"{one.number}: {one.algorithm}" for one in members]}
        if weights:
            described["weights"] = [round(weight, 4) for weight in weights]
        return SearchTrial(
            number, name, name, described, started, time.time() - started,
            len(self.problem.final_rows), found, found.get(self.settings.metric),
        )  # fmt: skip

    def _note_columns(self, featurizer: Featurizer) -> None:
        for name, kind, reason in featurizer.list_types():
            if kind == "Ignored":
                self.note(f"the column '{name}' is not used: {reason}")
        for text in featurizer.list_ineffective_imputers():
            self.note(text)
