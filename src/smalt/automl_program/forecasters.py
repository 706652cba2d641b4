"""Forecasters: models that continue series from their history.

They go into the model's pickle by value: who loads one needs scikit-learn, pandas and the library of the algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .calendars import CalendarFeatures
from .columns import make_categories, to_dates
from .featurization import Featurizer
from .grids import SeriesGrid
from .problems import show_value
from .series_models import forecast_series

ALL_ROWS = "(all)"


class SeriesShape:
    """The shape of the data: which columns are time and series, and what features steps have."""

    def __init__(self, time: str, ids: Sequence[str], target: str, horizon: int, season: int) -> None:
        self.time, self.ids, self.target, self.horizon, self.season = time, list(ids), target, horizon, season
        self.lags: list[int] = []
        self.window = 0
        self.has_level = False
        """True for the mean of the last season that is known for the whole horizon."""
        self.number_format: str | None = None
        """The format of the times of the training data, if these are numbers."""

    def make_keys(self, frame: Any) -> Any:
        if not self.ids:
            return np.full(len(frame), ALL_ROWS, dtype=object)
        texts = [frame[name].map(lambda value: str(value)).to_numpy(dtype=object) for name in self.ids]
        return np.array(["|".join(parts) for parts in zip(*texts, strict=True)], dtype=object)


class FeatureMaker:
    """The features of steps: calendar, series, the user's columns, lags and windows of the target."""

    def __init__(self, shape: SeriesShape, calendar: CalendarFeatures, featurizer: Featurizer, keys: list[str]) -> None:
        self.shape, self.calendar, self.featurizer, self.keys = shape, calendar, featurizer, keys

    def transform(self, frame: Any, grid: SeriesGrid, places: Any, steps: Any, values: Any, levels: Any = None) -> Any:
        """Return the features of rows; `values` holds the targets that are known when the row is forecast.

        `levels` are those of `find_levels`, if they are of other values.
        """
        features: dict[str, Any] = self.calendar.transform(grid.times[steps], steps)
        if len(self.keys) > 1:
            names = np.array([grid.keys[place] for place in places], dtype=object)
            features["series"] = make_categories(names, self.keys)
        level = (self.find_levels(values) if levels is None else levels)[places]
        for lag in self.shape.lags:
            past = _look_up(values, places, steps - lag)
            features[f"lag_{lag}"] = np.where(np.isfinite(past), past, level)
        if self.shape.has_level:
            backs = range(self.shape.horizon, self.shape.horizon + max(2, self.shape.season))
            features["level"] = _average_columns([_look_up(values, places, steps - back) for back in backs], level)
        if self.shape.window:
            past = np.stack([_look_up(values, places, steps - back) for back in range(1, self.shape.window + 1)])
            filled = np.where(np.isfinite(past), past, _average_columns(past, level))
            features.update(
                window_mean=filled.mean(axis=0), window_min=filled.min(axis=0), window_max=filled.max(axis=0)
            )
        own = self.featurizer.transform(frame)
        return pd.concat([pd.DataFrame(features, index=frame.index), own], axis=1)

    @staticmethod
    def find_levels(values: Any) -> Any:
        """Return the mean of each series, which stands for values before its begin; of all for an unknown series."""
        counts = np.isfinite(values).sum(axis=1)
        sums = np.nansum(values, axis=1)
        whole = sums.sum() / max(1, counts.sum())
        return np.where(counts > 0, sums / np.maximum(counts, 1), whole)


def _average_columns(rows: Any, fallback: Any) -> Any:
    """Return the mean of what is known of each column; the fallback where nothing is."""
    known = np.isfinite(rows)
    counts = known.sum(axis=0)
    return np.where(counts > 0, np.where(known, rows, 0.0).sum(axis=0) / np.maximum(counts, 1), fallback)


def _look_up(values: Any, places: Any, steps: Any) -> Any:
    is_there = (steps >= 0) & (steps < values.shape[1])
    return np.where(is_there, values[places, np.clip(steps, 0, values.shape[1] - 1)], np.nan)


class ForecastModel(BaseEstimator):
    """A model that forecasts the rows of a frame: the steps after the known values of their series."""

    _estimator_type = "regressor"

    def __init__(self, shape: Any = None, grid: Any = None, unused: Sequence[str] = ()) -> None:
        self.shape, self.grid, self.unused = shape, grid, unused
        self.errors: Any = None
        """The spread of the errors in validation, for each step of the horizon."""

    def predict(self, frame: Any) -> Any:
        return self.forecast(frame)[0]

    @property
    def quantiles(self) -> list[float]:
        return list(getattr(self, "_quantiles", [0.5]))

    @quantiles.setter
    def quantiles(self, values: Sequence[float]) -> None:
        if not all(0 < value < 1 for value in values):
            raise ValueError("quantiles lie between 0 and 1")
        self._quantiles = list(values)

    def forecast(self, X_pred: Any, y_pred: Any = None, ignore_data_errors: bool = True) -> tuple[Any, Any]:
        """Return the forecasts of the rows of a frame, and the frame with them.

        Targets that are known go into `y_pred` (NaN for those to forecast), or are in the frame's target column.
        """
        frame, places, steps, grid = self.place_rows(X_pred, y_pred)
        known = grid.values[places, steps]
        values = self.forecast_rows(frame, grid, places, steps)
        values = np.where(np.isfinite(known), known, values)
        table = frame.assign(**{"_automl_target_col": values})
        return values, table.set_index([self.shape.time, *self.shape.ids])

    def forecast_quantiles(self, X_pred: Any, y_pred: Any = None, ignore_data_errors: bool = True) -> Any:
        """Return the frame's time and series with a column for each of `quantiles`, by the errors in validation."""
        from scipy.stats import norm

        frame, places, steps, grid = self.place_rows(X_pred, y_pred)
        values, _ = self.forecast(X_pred, y_pred)
        ahead = np.clip(steps - grid.find_ends()[places], 0, len(self.errors) - 1)
        table = frame[[self.shape.time, *self.shape.ids]].copy()
        for quantile in self.quantiles:
            table[quantile] = values + norm.ppf(quantile) * self.errors[ahead]
        return table

    def rolling_forecast(self, X_pred: Any, y_pred: Any, step: int = 1, ignore_data_errors: bool = True) -> Any:
        """Return forecasts of each horizon that begins in the frame, `step` steps apart, beside the actual values."""
        frame, places, steps, grid = self.place_rows(X_pred, None)
        actual = np.asarray(y_pred, dtype=float)
        first = steps.min()
        tables = []
        for origin in range(int(first), int(steps.max()) + 1, step):
            rows = (steps >= origin) & (steps < origin + self.shape.horizon)
            before = steps < origin
            seen = grid.values.copy()
            seen[places[before], steps[before]] = actual[before]
            view = SeriesGrid(grid.keys, grid.times, seen, grid.frequency)
            values = self.forecast_rows(frame[rows], view, places[rows], steps[rows])
            table = frame.loc[rows, [self.shape.time, *self.shape.ids]].copy()
            tables.append(
                table.assign(
                    _automl_forecast_origin=grid.times[origin - 1], _automl_actual=actual[rows], _automl_forecast=values
                )
            )
        return pd.concat(tables, ignore_index=True)

    def forecast_rows(self, frame: Any, grid: SeriesGrid, places: Any, steps: Any) -> Any:
        raise NotImplementedError

    def place_rows(self, X_pred: Any, y_pred: Any) -> tuple[Any, Any, Any, SeriesGrid]:
        shape = self.shape
        frame = X_pred.copy() if isinstance(X_pred, pd.DataFrame) else pd.DataFrame(X_pred)
        frame = frame.reset_index(drop=True)
        missing = [name for name in (shape.time, *shape.ids) if name not in frame.columns]
        if missing:
            raise ValueError(f"the rows have no column '{missing[0]}'")
        times = to_dates(frame[shape.time])
        if times.isna().any():
            raise ValueError(
                f"'{shape.time}' has {show_value(frame[shape.time][times.isna()].iloc[0])}, which is no time"
            )
        grid, steps = self.grid.place_times(times)
        keys = shape.make_keys(frame)
        grid = grid.add_series(sorted(set(keys)))
        places = grid.find_places(keys)
        grid = SeriesGrid(grid.keys, grid.times, grid.values.copy(), grid.frequency)
        known = y_pred if y_pred is not None else frame.get(shape.target)
        if known is not None:
            numbers = np.asarray(pd.to_numeric(pd.Series(np.asarray(known)), errors="coerce"), dtype=float)
            is_known = np.isfinite(numbers)
            grid.values[places[is_known], steps[is_known]] = numbers[is_known]
        return frame, places, steps, grid


class TableForecaster(ForecastModel):
    """A regression on lags, calendar and columns; where a lag lies in the horizon its forecast takes its place."""

    def __init__(
        self, shape: Any = None, grid: Any = None, maker: Any = None, model: Any = None, unused: Sequence[str] = ()
    ) -> None:
        super().__init__(shape, grid, unused)
        self.maker, self.model = maker, model

    def forecast_rows(self, frame: Any, grid: SeriesGrid, places: Any, steps: Any) -> Any:
        return forecast_by_table(self.maker, self.model, frame, grid, places, steps)


def forecast_by_table(maker: FeatureMaker, model: Any, frame: Any, grid: SeriesGrid, places: Any, steps: Any) -> Any:
    """Return the forecasts of rows, step by step where features look back into the horizon."""
    if not maker.shape.window and not maker.shape.lags:
        return np.asarray(model.predict(maker.transform(frame, grid, places, steps, grid.values)), dtype=float)
    values = grid.values.copy()
    result = np.full(len(frame), np.nan)
    ends = grid.find_ends()
    ahead = steps - ends[places]
    width = 1 if maker.shape.window else max(1, min(maker.shape.lags))
    # Rows that lie less than the smallest lag apart do not need each other: they are forecast together.
    blocks = np.where(ahead < 0, -1, ahead // width)
    for block in np.unique(blocks):
        rows = np.flatnonzero(blocks == block)
        part = maker.transform(frame.iloc[rows], grid, places[rows], steps[rows], values)
        result[rows] = model.predict(part)
        unknown = np.isnan(values[places[rows], steps[rows]])
        values[places[rows][unknown], steps[rows][unknown]] = result[rows][unknown]
    return result


class SeriesForecaster(ForecastModel):
    """A method that continues each series by itself."""

    def __init__(
        self,
        shape: Any = None,
        grid: Any = None,
        name: str = "naive",
        maker: Any = None,
        past: Any = None,
        unused: Sequence[str] = (),
    ) -> None:
        super().__init__(shape, grid, unused)
        self.name, self.maker, self.past = name, maker, past

    def forecast_rows(self, frame: Any, grid: SeriesGrid, places: Any, steps: Any) -> Any:
        return forecast_by_series(self.name, self.maker, self.shape, frame, grid, places, steps, self.past)


def forecast_by_series(
    name: str,
    maker: Any,
    shape: SeriesShape,
    frame: Any,
    grid: SeriesGrid,
    places: Any,
    steps: Any,
    past: Mapping[int, Any] | None = None,
) -> Any:
    """Return the forecasts of rows, series by series."""
    result = np.full(len(frame), np.nan)
    ends = grid.find_ends()
    for place in np.unique(places):
        rows = np.flatnonzero(places == place)
        row, end = grid.values[place], int(ends[place])
        start = int(np.argmax(~np.isnan(row))) if end else 0
        length = int(steps[rows].max()) - end + 1
        if length < 1:
            result[rows] = row[steps[rows]]
            continue
        known = row[start:end]
        future, features = None, None
        if name == "arimax" and past and place in past:
            features = past[place][start:end]
            coming = maker.featurizer.transform(frame.iloc[rows]).select_dtypes("number").to_numpy(dtype=float)
            future = np.repeat(features[-1:], length, axis=0) if len(features) else None
            inside = steps[rows] >= end
            if future is not None:
                future[steps[rows][inside] - end] = coming[inside]
            features = features if len(features) == len(known) else None
        values = forecast_series(name, known, length, shape.season, future, features, grid.times[start : end + length])
        is_ahead = steps[rows] >= end
        result[rows[is_ahead]] = values[steps[rows][is_ahead] - end]
        result[rows[~is_ahead]] = row[steps[rows][~is_ahead]]
    return result


class AverageForecaster(ForecastModel):
    """Forecasters that vote: the weighted mean of their forecasts."""

    def __init__(
        self,
        shape: Any = None,
        grid: Any = None,
        members: Sequence[Any] = (),
        weights: Sequence[float] = (),
        unused: Sequence[str] = (),
    ) -> None:
        super().__init__(shape, grid, unused)
        self.members, self.weights = members, weights

    def forecast_rows(self, frame: Any, grid: SeriesGrid, places: Any, steps: Any) -> Any:
        parts = [member.forecast_rows(frame, grid, places, steps) for member in self.members]
        return np.average(parts, axis=0, weights=self.weights)
