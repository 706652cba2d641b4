"""Forecasting: from the data to the best forecaster."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from . import ensembles, metrics, words
from .forecast_data import ForecastLoader
from .forecasters import (
    AverageForecaster,
    ForecastModel,
    SeriesForecaster,
    TableForecaster,
    forecast_by_series,
    forecast_by_table,
)
from .grids import SeriesGrid
from .learners import SearchStop
from .problems import NoModelError
from .reports import find_importance
from .search import LearningProblem, SearchLimits, TableSearch
from .series_models import SERIES_LEARNERS, is_installed
from .settings import RunSettings
from .tabular import SearchResult
from .trials import SearchTrial

_SMALL = 200_000
_EXPLAINING = 30.0  # seconds
_SERIES_SHARE = 0.35
"""The share of the time for methods of single series, if a search on a table follows."""


class ForecastRun:
    """One AutoML run on time series: methods of each series first, then a search on a table of lags and calendar."""

    def __init__(
        self, settings: RunSettings, note: Callable[[str], None], on_trial: Callable[[SearchTrial], None]
    ) -> None:
        self.settings, self.note, self.on_trial = settings, note, on_trial
        self.started = time.time()
        self.stage = "preparing"
        self.trials: list[SearchTrial] = []

    def prepare(self) -> None:
        """Read the data, and make the features of it."""
        self.data = data = ForecastLoader(self.settings, self.note).load()
        self.note(f"validation: {data.folds.text}")
        self.features = data.maker.transform(data.frame, data.grid, data.places, data.steps, data.grid.values)
        self.series = data.series
        self.ranges = {key: _find_range(row) for key, row in zip(data.grid.keys, data.grid.values, strict=True)}
        self.problem = LearningProblem(
            "forecasting", self.features, data.truth, None, data.folds, np.arange(len(data.truth)), None,
            self.measure, self.score, self.settings.metric, self.settings.is_maximised,
        )  # fmt: skip
        self.search = TableSearch(self.problem, self._make_limits(), self._report)

    def train(self, learner: str, hyperparameters: dict[str, Any]) -> ForecastModel:
        """Return a forecaster, trained on all rows."""
        if learner in SERIES_LEARNERS:
            return self.wrap_model(learner)
        rows = np.arange(len(self.data.truth))
        return self.wrap_model(self.search.fit_final(learner, hyperparameters, rows))

    def train_vote(self, members: list[tuple[str, dict[str, Any]]], weights: list[float]) -> ForecastModel:
        models = [self.train(learner, hyperparameters) for learner, hyperparameters in members]
        return AverageForecaster(self.data.shape, self.data.grid, models, weights)

    def run(self) -> SearchResult:
        self.prepare()
        training = self.settings.get("training")
        allowed = training.get("allowed_training_algorithms")
        learners = words.list_learners("forecasting", allowed, training.get("blocked_training_algorithms"))
        reason = "nothing was left to try"
        self.stage = "searching"
        try:
            of_table = [name for name in learners if name not in SERIES_LEARNERS]
            of_series = [name for name in learners if name in SERIES_LEARNERS]
            self._try_series_methods(of_series, _SERIES_SHARE if of_table else 1.0, bool(allowed))
            reason = self._search_table(of_table) or reason
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
        return self._finish(completed)

    def get_example(self) -> tuple[Any, list[str]]:
        data = self.data
        named = [self.settings.get("forecasting")["time_column_name"], *data.shape.ids]
        unused = [name for name, kind, _ in data.maker.featurizer.list_types() if kind == "Ignored"]
        return data.frame[[*named, *data.columns]].tail(20), unused

    def wrap_model(self, model: Any) -> ForecastModel:
        """Return a model of features, or the name of a series' method, as a forecaster."""
        data, grid = self.data, self.data.grid
        if isinstance(model, ForecastModel):
            return model
        if isinstance(model, str):
            made: ForecastModel = SeriesForecaster(data.shape, grid, model, data.maker, self._past(model))
        else:
            made = TableForecaster(data.shape, grid, data.maker, model)
        made.errors = np.full(data.shape.horizon, np.nan)
        return made

    def measure(self, predictions: Any, rows: Any) -> metrics.Metrics:
        return metrics.measure_series(self.data.truth[rows], predictions, self.series[rows], self.ranges)

    def score(self, predictions: Any, rows: Any) -> float:
        truth, metric = self.data.truth[rows], self.settings.metric
        return metrics.score_series(metric, truth, predictions, self.series[rows], self.ranges)

    def _past(self, name: str) -> dict[int, Any] | None:
        """Return the numbers of each series' rows, by step, for the method that uses them."""
        if name != "arimax":
            return None
        data, past = self.data, {}
        numbers = data.maker.featurizer.transform(data.frame).select_dtypes("number")
        for place in range(len(data.grid.keys)):
            rows = np.flatnonzero(data.places == place)
            table = np.full((len(data.grid.times), numbers.shape[1]), np.nan)
            table[data.steps[rows]] = numbers.to_numpy(dtype=float)[rows]
            past[place] = pd.DataFrame(table).ffill().bfill().fillna(0.0).to_numpy()
        return past

    def _forecast_fold(self, rows: Any, fold: int, forecast: Callable[..., Any]) -> Any:
        """Forecast the rows of a fold, each from its own origin, with nothing known after it."""
        data = self.data
        origins = data.origins[rows, fold]
        result = np.full(len(rows), np.nan)
        for block in _group_origins(origins, data.places[rows]):
            chosen = rows[block]
            values = data.grid.values.copy()
            start = np.full(len(data.grid.keys), values.shape[1])
            np.minimum.at(start, data.places[chosen], origins[block])
            values[np.arange(values.shape[1])[None, :] >= start[:, None]] = np.nan
            seen = SeriesGrid(data.grid.keys, data.grid.times, values, data.grid.frequency)
            result[block] = forecast(data.frame.iloc[chosen], seen, data.places[chosen], data.steps[chosen])
        return result

    def _try_series_methods(self, names: list[str], share: float, are_asked: bool) -> None:
        """Try methods in a share of the time; `are_asked` is True if the user has named them."""
        settings = self.settings
        deadline = self.started + share * settings.seconds
        for name in names:
            if not is_installed(name):
                if are_asked:
                    self._add_trial(name, None, "its package is not installed in this environment")
                continue
            if time.time() > deadline:
                self.note(f"{words.get_algorithm('forecasting', name)} was not tried: no time was left for it")
                continue
            self._try_method(name)
            if len(self.trials) >= settings.max_trials:
                raise SearchStop(f"all {settings.max_trials} trials were made")

    def _try_method(self, name: str) -> None:
        started, predictions = time.time(), []
        past = self._past(name)

        def forecast(frame: Any, grid: Any, places: Any, steps: Any) -> Any:
            if time.time() - started > min(self.settings.trial_seconds, self.settings.seconds / 3):
                raise TimeoutError
            return forecast_by_series(name, self.data.maker, self.data.shape, frame, grid, places, steps, past)

        try:
            for fold, (_, rows) in enumerate(self.data.folds.pairs):
                predictions.append(self._forecast_fold(rows, fold, forecast))
        except TimeoutError:
            self._add_trial(name, None, "it ran out of time", started)
        except Exception as error:
            self._add_trial(name, None, f"{type(error).__name__}: {error}", started)
        else:
            self._add_trial(name, predictions, None, started)

    def _add_trial(
        self, name: str, predictions: list[Any] | None, error: str | None, started: float | None = None
    ) -> None:
        started = started or time.time()
        algorithm = words.get_algorithm("forecasting", name)
        trial = SearchTrial(
            len(self.trials),
            algorithm,
            name,
            {},
            started,
            time.time() - started,
            len(self.data.truth),
            error=error,
            model=name,
        )
        if predictions is not None:
            pairs = zip(predictions, self.data.folds.pairs, strict=True)
            trial.metrics = metrics.average_metrics(self.measure(part, rows) for part, (_, rows) in pairs)
            trial.score, trial.predictions = trial.metrics.get(self.settings.metric), predictions
            if trial.score is None:
                trial.error = f"its predictions have no {self.settings.metric}"
        self.trials.append(trial)
        self.on_trial(trial)

    def _search_table(self, learners: list[str]) -> str | None:
        if not learners:
            return None
        self.search = TableSearch(self.problem, self._make_limits(), self._report, len(self.trials), self._predict_rows)
        self.search.run(learners)
        return self.search.stop_reason

    def _report(self, trial: SearchTrial) -> None:
        self.trials.append(trial)
        self.on_trial(trial)

    def _make_limits(self) -> SearchLimits:
        settings, limits = self.settings, self.settings.get("limits")
        goal, stops = limits.get("exit_score"), limits.get("enable_early_termination")
        is_small = self.features.size < _SMALL
        return SearchLimits(
            deadline=self.started + settings.seconds - min(0.15 * settings.seconds, 600.0),
            trial_seconds=settings.trial_seconds,
            max_trials=settings.max_trials,
            exit_score=None if goal is None else float(goal),
            stops_early=True if stops is None else bool(stops),
            threads=1 if is_small else settings.threads,
            seed=settings.seed,
            verbosity=settings.verbosity,
        )

    def _predict_rows(self, model: Any, rows: Any, fold: int) -> Any:
        return self._forecast_fold(rows, fold, lambda *place: forecast_by_table(self.data.maker, model, *place))

    def _finish(self, completed: list[SearchTrial]) -> SearchResult:
        best = completed[0]
        for trial in completed:
            if self.problem.is_better(trial.score, best.score):
                best = trial
        model, predictions = None, best.predictions
        wants_vote = self.settings.get_switch("enable_vote_ensemble", True) and self.settings.max_trials > 1
        if wants_vote and time.time() > self.started + self.settings.seconds:
            self.note("no ensemble was made: no time was left")
            wants_vote = False
        vote = (
            ensembles.plan_vote(self.problem, ensembles.list_candidates(self.problem, completed))
            if wants_vote
            else None
        )
        if vote is not None:
            started = time.time()
            members = [self._fit_again(trial) for trial in vote.members]
            made = AverageForecaster(self.data.shape, self.data.grid, members, vote.weights)
            described = {
                "members": [f"{one.number}: {one.algorithm}" for one in vote.members],
                "weights": [round(weight, 4) for weight in vote.weights],
            }
            trial = SearchTrial(
                len(self.trials), "VotingEnsemble", "VotingEnsemble", described, started, time.time() - started,
                len(self.data.truth), vote.metrics, vote.metrics.get(self.settings.metric), model=made,
            )  # fmt: skip
            self.trials.append(trial)
            self.on_trial(trial)
            if self.problem.is_better(trial.score, best.score):
                best, model, predictions = trial, made, vote.predictions
        model = model or self._fit_again(best)
        valid = np.concatenate([rows for _, rows in self.data.folds.pairs])
        model.errors = self._measure_errors(predictions)
        result = SearchResult(
            best, model, self.trials, *self.get_example(), None, self.data.truth[valid],
            None if predictions is None else np.concatenate(predictions), kinds=self.data.maker.featurizer.list_types(),
            explain=None if isinstance(model, SeriesForecaster) else lambda: self._explain(model),
        )  # fmt: skip
        self._test(result)
        return result

    def _fit_again(self, trial: SearchTrial) -> ForecastModel:
        return self.train(trial.learner, trial.hyperparameters)

    def _explain(self, model: ForecastModel) -> list[tuple[str, float]]:
        """Return the importance of each of the user's columns for the score of the last fold."""
        fold = len(self.data.folds.pairs) - 1
        rows = self.data.folds.pairs[fold][1]
        columns, kept = list(self.data.maker.featurizer.columns), self.data.frame
        sign = 1 if self.problem.is_maximised else -1

        def forecast(frame: Any, grid: Any, places: Any, steps: Any) -> Any:
            return model.forecast_rows(frame, grid, places, steps)

        until = time.time() + _EXPLAINING

        def score(frame: Any) -> float:
            if time.time() > until:
                raise TimeoutError("it took too long")
            self.data.frame = kept.copy()
            self.data.frame.loc[rows, columns] = frame[columns].to_numpy()
            try:
                predictions = self._forecast_fold(rows, fold, forecast)
            finally:
                self.data.frame = kept
            return sign * self.score(predictions, rows)

        return find_importance(columns, kept.iloc[rows], score, self.settings.seed)

    def _measure_errors(self, predictions: list[Any] | None) -> Any:
        """Return the spread of the errors for each step ahead, made to rise with the distance."""
        horizon = self.data.shape.horizon
        ahead, errors = [], []
        for fold, (_, rows) in enumerate(self.data.folds.pairs):
            if predictions is not None:
                ahead.append(self.data.steps[rows] - self.data.origins[rows, fold])
                errors.append(predictions[fold] - self.data.truth[rows])
        if not ahead:
            return np.full(horizon, np.nan)
        steps, all_errors = np.concatenate(ahead), np.concatenate(errors)
        spread = [
            float(np.sqrt(np.mean(all_errors[steps <= step] ** 2))) if (steps <= step).any() else 0.0
            for step in range(horizon)
        ]
        return np.maximum.accumulate(spread)

    def _test(self, result: SearchResult) -> None:
        test, shape = self.data.test_frame, self.data.shape
        if test is None:
            return
        known = shape.target in test.columns and test[shape.target].notna().all()
        if known:
            frame, places, steps, grid = result.model._place_rows(test.drop(columns=[shape.target]), None)
            actual = test[shape.target].to_numpy(dtype=float)
            predicted = np.full(len(frame), np.nan)
            first = steps.min()
            for origin in range(int(first), int(steps.max()) + 1, shape.horizon):
                rows = (steps >= origin) & (steps < origin + shape.horizon)
                if rows.any():
                    predicted[rows] = result.model.forecast_rows(frame[rows], grid, places[rows], steps[rows])
                    grid.values[places[rows], steps[rows]] = actual[rows]
            keys = shape.make_keys(frame)
            result.test_metrics = metrics.measure_series(actual, predicted, keys, self.ranges)
        else:
            predicted = result.model.forecast(test)[0]
        result.test_table = test.assign(predicted=predicted)


def _find_range(row: Any) -> tuple[float, float]:
    known = row[np.isfinite(row)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _group_origins(origins: Any, places: Any) -> list[Any]:
    """Return groups of rows that are forecast together: in each group a series has one origin."""
    order = pd.DataFrame({"place": places, "origin": origins})
    rank = order.groupby("place")["origin"].rank(method="dense").to_numpy(dtype=int)
    return [np.flatnonzero(rank == number) for number in np.unique(rank)]
