"""Forecasting: from the data to the best forecaster."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from . import ensembles, metrics, words
from .columns import to_numbers
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
from .reports import find_importance
from .search import LearningProblem, TableSearch
from .search_run import Ensemble, SearchRun
from .series_models import SERIES_LEARNERS, is_installed
from .trials import SearchResult, SearchTrial

_SMALL = 200_000
_EXPLAINING = 30.0  # seconds
_SERIES_SHARE = 0.35
"""The share of the time for methods of single series, if a search on a table follows."""


class ForecastRun(SearchRun):
    """One AutoML run on time series: methods of each series first, then a search on a table of lags and calendar."""

    def prepare(self) -> None:
        self.data = data = ForecastLoader(self.settings, self.note).load()
        self.note(f"validation: {data.folds.text}")
        levels = data.maker.find_levels(data.hide_values(data.starts.min(axis=0)))
        self.features = data.maker.transform(data.frame, data.grid, data.places, data.steps, data.grid.values, levels)
        self.series = data.series
        self.ranges = {key: _find_range(row) for key, row in zip(data.grid.keys, data.grid.values, strict=True)}
        self.problem = LearningProblem(
            "forecasting", self.features, data.truth, None, data.folds, np.arange(len(data.truth)), None,
            self.measure, self.score, self.settings.metric, self.settings.is_maximised,
        )  # fmt: skip
        self._note_columns(data.maker.featurizer)
        self.search = self._make_search()

    def train(self, learner: str, hyperparameters: dict[str, Any]) -> ForecastModel:
        if learner in SERIES_LEARNERS:
            return self.wrap_model(learner)
        rows = np.arange(len(self.data.truth))
        return self.wrap_model(self.search.fit_final(learner, hyperparameters, rows))

    def train_vote(self, members: list[tuple[str, dict[str, Any]]], weights: list[float]) -> ForecastModel:
        models = [self.train(learner, hyperparameters) for learner, hyperparameters in members]
        return AverageForecaster(self.data.shape, self.data.grid, models, weights)

    def _search(self, learners: list[str], is_allowed: bool) -> str | None:
        of_table = [name for name in learners if name not in SERIES_LEARNERS]
        of_series = [name for name in learners if name in SERIES_LEARNERS]
        self._try_series_methods(of_series, _SERIES_SHARE if of_table else 1.0, is_allowed)
        if not of_table:
            return "nothing was left to try"
        self.search = self._make_search()
        self.search.run(of_table)
        return self.search.stop_reason

    def _make_search(self) -> TableSearch:
        limits = self._make_limits(0.15, self.features.size < _SMALL)
        return TableSearch(self.problem, limits, self._report_trial, len(self.trials), self._predict_rows)

    def get_example(self) -> tuple[Any, list[str]]:
        data = self.data
        unused = [name for name, kind, _ in data.maker.featurizer.list_types() if kind == "Ignored"]
        example = data.frame[[data.shape.time, *data.shape.ids, *data.columns]].tail(20)
        if data.shape.number_format:  # as the user has them: MLflow compares the type of what is to be forecast
            numbers = example[data.shape.time].dt.strftime(data.shape.number_format).astype("int64")
            example = example.assign(**{data.shape.time: numbers})
        return example, unused

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
        data, count = self.data, len(rows)
        is_filled = (data.origins[:, fold] >= 0) & ~data.is_observed[data.places, data.steps]
        rows = np.concatenate([rows, np.flatnonzero(is_filled)])  # lags of validated rows may need their forecasts
        origins = data.origins[rows, fold]
        result = np.full(len(rows), np.nan)
        for block in _group_origins(origins, data.places[rows]):
            chosen = rows[block]
            starts = np.full(len(data.grid.keys), len(data.grid.times))
            np.minimum.at(starts, data.places[chosen], origins[block])
            seen = SeriesGrid(data.grid.keys, data.grid.times, data.hide_values(starts), data.grid.frequency)
            result[block] = forecast(data.frame.iloc[chosen], seen, data.places[chosen], data.steps[chosen])
        return result[:count]

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
        self._report_trial(trial)

    def _predict_rows(self, model: Any, rows: Any, fold: int) -> Any:
        return self._forecast_fold(rows, fold, lambda *place: forecast_by_table(self.data.maker, model, *place))

    def _make_ensembles(self, models: dict[int, Any]) -> list[Ensemble]:
        if not self.settings.get_switch("enable_vote_ensemble", True) or self.settings.max_trials < 2:
            return []
        if time.time() > self.started + self.settings.seconds:
            self.note("no ensemble was made: no time was left")
            return []
        vote = self._try_ensemble("vote", lambda: self._make_vote(models))
        return [] if vote is None else [vote]

    def _make_vote(self, models: dict[int, Any]) -> Ensemble | None:
        plan = ensembles.plan_vote(self.problem, ensembles.list_candidates(self.problem, self.trials))
        if plan is None:
            return None
        started = time.time()
        model = AverageForecaster(
            self.data.shape, self.data.grid, self._fit_members(plan.members, models), plan.weights
        )
        number = len(self.trials)
        trial = self._describe_ensemble(number, "VotingEnsemble", plan.members, plan.metrics, started, plan.weights)
        return trial, model, plan.predictions

    def _make_result(self, best: SearchTrial, model: ForecastModel, predictions: list[Any] | None) -> SearchResult:
        valid = np.concatenate([rows for _, rows in self.data.folds.pairs])
        model.errors = self._measure_errors(predictions)
        result = SearchResult(
            best, model, self.trials, *self.get_example(), None, self.data.truth[valid],
            None if predictions is None else np.concatenate(predictions), kinds=self.data.maker.featurizer.list_types(),
            explain=None if isinstance(model, SeriesForecaster) else lambda: self._explain(model),
        )  # fmt: skip
        self._test(result)
        return result

    def _fit_whole(self, trial: SearchTrial) -> ForecastModel:
        return self.train(trial.learner, trial.hyperparameters)

    def _get_scored_model(self, trial: SearchTrial) -> ForecastModel:
        return self.wrap_model(trial.model)

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
        rows = test.drop(columns=[shape.target], errors="ignore")
        actual = to_numbers(test[shape.target]) if shape.target in test.columns else np.full(len(test), np.nan)
        known = np.isfinite(actual)
        if known.any():
            predicted = self._forecast_test(result.model, rows, actual)
            keys = shape.make_keys(rows)
            result.test_metrics = metrics.measure_series(actual[known], predicted[known], keys[known], self.ranges)
        else:
            predicted = result.model.forecast(rows)[0]
        result.test_table = test.assign(predicted=predicted)

    def _forecast_test(self, model: ForecastModel, rows: Any, actual: Any) -> Any:
        """Return the forecasts of the test data, horizon by horizon; the next one knows the targets of the last."""
        horizon = self.data.shape.horizon
        frame, places, steps, grid = model.place_rows(rows, None)
        is_known, predicted = np.isfinite(actual), np.full(len(frame), np.nan)
        for origin in range(int(steps.min()), int(steps.max()) + 1, horizon):
            is_due = (steps >= origin) & (steps < origin + horizon)
            if not is_due.any():
                continue
            chosen = is_due | (~is_known & (steps < origin))  # forecasts take the place of targets that are missing
            values = model.forecast_rows(frame[chosen], grid, places[chosen], steps[chosen])
            predicted[is_due] = values[is_due[chosen]]
            seen = is_due & is_known
            grid.values[places[seen], steps[seen]] = actual[seen]
        return predicted


def _find_range(row: Any) -> tuple[float, float]:
    known = row[np.isfinite(row)]
    return (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)


def _group_origins(origins: Any, places: Any) -> list[Any]:
    """Return groups of rows that are forecast together: in each group a series has one origin."""
    order = pd.DataFrame({"place": places, "origin": origins})
    rank = order.groupby("place")["origin"].rank(method="dense").to_numpy(dtype=int)
    return [np.flatnonzero(rank == number) for number in np.unique(rank)]
