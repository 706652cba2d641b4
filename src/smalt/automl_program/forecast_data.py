"""The data of a forecast: series on a grid, the features of their rows, and folds that roll through time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from . import checks
from .calendars import CalendarFeatures, list_holidays
from .columns import find_number_format, to_dates, to_numbers
from .featurization import Featurizer
from .forecasters import FeatureMaker, SeriesShape
from .grids import (
    GridError,
    SeriesGrid,
    fill_gaps,
    find_sources,
    fix_frequency,
    guess_horizon,
    guess_season,
    infer_frequency,
    make_grid,
)
from .problems import AutoMLError, join_columns, show_value
from .settings import RunSettings
from .splits import Folds
from .tables import read_table
from .words import fold_word

Note = Callable[[str], None]


@dataclass
class ForecastData:
    """Rows of raw columns with their places on the grid; `test` and `validation` rows come after the training rows."""

    shape: SeriesShape
    grid: SeriesGrid
    maker: FeatureMaker
    frame: Any
    places: Any
    steps: Any
    truth: Any
    origins: Any
    """The step at which the forecast begins, for each row and fold; -1 where it is not validated."""
    folds: Folds
    starts: Any
    """The step from which each series is hidden from the models of each fold, by fold and series."""
    columns: list[str]
    is_observed: Any
    """True for each series and step whose target the tables have; the other targets were filled."""
    fills_back: bool
    """True if missing targets are filled with the value after them."""
    test_frame: Any = None

    @property
    def series(self) -> Any:
        return np.array([self.grid.keys[place] for place in self.places], dtype=object)

    def hide_values(self, starts: Any) -> Any:
        """Return the targets that are known before a step of each series: NaN from there on."""
        values = self.grid.values
        is_hidden = np.arange(values.shape[1])[None, :] >= starts[:, None]
        if self.fills_back:
            is_borrowed = np.isfinite(values) & ~self.is_observed & (self._sources >= starts[:, None])
            values = np.where(is_borrowed, self._carried, values)
        return np.where(is_hidden, np.nan, values)

    @cached_property
    def _sources(self) -> Any:
        return find_sources(self.is_observed)

    @cached_property
    def _carried(self) -> Any:
        observed = pd.DataFrame(np.where(self.is_observed, self.grid.values, np.nan))
        return observed.ffill(axis=1).to_numpy()


class ForecastLoader:
    """Reads a forecast's tables, and brings them to a regular grid."""

    def __init__(self, settings: RunSettings, note: Note) -> None:
        self.settings, self.note = settings, note
        self.fields = settings.get("forecasting")
        ids = self.fields.get("time_series_id_column_names") or []
        self.ids = [ids] if isinstance(ids, str) else list(ids)
        self.time, self.target = str(self.fields["time_column_name"]), settings.target
        self.number_format: str | None = None

    def load(self) -> ForecastData:
        try:
            return self._load_data()
        except GridError as error:
            raise AutoMLError(f"training_data: {error}") from None

    def _load_data(self) -> ForecastData:
        training = self._read_rows("training_data", self.settings.training_data)
        validation = self._read_rows("validation_data", self.settings.validation_data)
        test = self._read_rows("test_data", self.settings.test_data)
        frame = training if validation is None else pd.concat([training, validation], ignore_index=True)
        ids = SeriesShape(self.time, self.ids, self.target, 1, 1)
        asked = self.fields.get("frequency")
        frequency = fix_frequency(str(asked)) if asked else infer_frequency(frame[self.time], ids.make_keys(frame))
        frame = self._aggregate_rows(frame, frequency)
        shape = self._make_shape(frequency)
        keys = shape.make_keys(frame)
        self._check_times(frame, keys)
        frame, keys = self._treat_short_series(frame, keys, shape)
        grid = make_grid(keys, frame[self.time], to_numbers(frame[self.target]), frequency)
        is_observed = np.isfinite(grid.values)
        if filled := fill_gaps(grid, self._list_imputers().get(self.target, {})):
            self.note(f"{filled} missing values of the target were filled")
        if test is not None:
            test = self._aggregate_rows(test, frequency)
            test = self._select_test_rows(test, grid, shape)
        shown = f"the frequency is {frequency}, the horizon {shape.horizon}, the season {shape.season}"
        self.note(f"{shown}; there are {len(grid.keys)} series" if self.ids else shown)
        return self._make_data(frame, keys, grid, is_observed, shape, validation, test)

    def _read_rows(self, name: str, path: Any) -> Any:
        if path is None:
            return None
        frame = read_table(name, path, self.settings.get_type(name))
        for field, column in self._list_needed(name):
            if column not in frame.columns:
                raise AutoMLError(
                    f"{field}: {name} has no column '{column}'; it has {join_columns(list(frame.columns))}"
                )
        times = to_dates(frame[self.time])
        if times.isna().any():
            wrong = show_value(frame[self.time][times.isna()].iloc[0])
            raise AutoMLError(
                f"time_column_name: '{self.time}' of {name} has {wrong}, which is no time; write 2020-01-31, or a "
                "number for a year (2020) or a day (20200131)"
            )
        if name == "training_data" and (number := find_number_format(frame[self.time])):
            self.number_format = number
            self.note(f"the numbers of '{self.time}' are {'years' if number == '%Y' else 'days'}")
        frame = frame.assign(**{self.time: times})
        return frame.sort_values(self.time, kind="stable").reset_index(drop=True)

    def _list_needed(self, name: str) -> list[tuple[str, str]]:
        needed = [("time_column_name", self.time), *(("time_series_id_column_names", one) for one in self.ids)]
        if name == "training_data":
            needed += checks.list_featurized_columns(self.settings.fields)
        return needed if name == "test_data" else [("target_column_name", self.target), *needed]

    def _make_shape(self, frequency: str) -> SeriesShape:
        horizon, season = self.fields.get("forecast_horizon"), self.fields.get("seasonality")
        horizon = guess_horizon(frequency) if horizon == "auto" else int(horizon or 1)
        season = guess_season(frequency) if season in (None, "auto") else int(season)
        shape = SeriesShape(self.time, self.ids, self.target, horizon, season)
        shape.number_format = self.number_format
        lags, window = self.fields.get("target_lags"), self.fields.get("target_rolling_window_size")
        if lags == "auto":
            shape.lags, shape.has_level = _guess_lags(horizon, season), True
        elif lags is not None:
            shape.lags = sorted({int(lag) for lag in (lags if isinstance(lags, list) else [lags])})
        shape.window = max(2, season) if window == "auto" else int(window or 0)
        return shape

    def _aggregate_rows(self, frame: Any, frequency: str) -> Any:
        function = fold_word(self.fields.get("target_aggregate_function") or "none")
        if function == "none":
            return frame
        if not self.fields.get("frequency"):
            raise AutoMLError("forecasting.target_aggregate_function: it needs 'frequency', to which it aggregates")
        grouper = [*self.ids, pd.Grouper(key=self.time, freq=frequency)]
        functions = {
            name: "mean" if pd.api.types.is_numeric_dtype(frame[name]) else "first"
            for name in frame.columns
            if name not in (*self.ids, self.time)
        }
        if self.target in functions:
            functions[self.target] = function
        groups = frame.groupby(grouper, sort=True)
        made = groups.agg(functions) if functions else groups.first()
        if self.target in functions:  # pandas has a sum of nothing, which is 0
            made[self.target] = made[self.target].where(groups[self.target].count() > 0)
        made = made[groups.size() > 0].reset_index()
        return made.sort_values(self.time, kind="stable").reset_index(drop=True)

    def _check_times(self, frame: Any, keys: Any) -> None:
        twice = pd.DataFrame({"key": keys, "time": frame[self.time]}).duplicated()
        if twice.any():
            place = int(np.flatnonzero(twice.to_numpy())[0])
            of_series = f" of the series {keys[place]}" if self.ids else ""
            raise AutoMLError(
                f"forecasting: the time {frame[self.time][place]}{of_series} is there twice; name the columns that "
                "tell series apart in time_series_id_column_names, or give target_aggregate_function and frequency"
            )

    def _select_test_rows(self, test: Any, grid: SeriesGrid, shape: SeriesShape) -> Any:
        """Return the rows after the training data; find what is wrong with times before the search takes hours."""
        try:
            _, steps = grid.place_times(test[self.time])
        except GridError as error:
            raise AutoMLError(f"test_data: {error}") from None
        keys = shape.make_keys(test)
        self._check_times(test, keys)
        ends = np.append(grid.find_ends(), 0)[grid.find_places(keys)]  # the last is for series that are new
        is_after = steps >= ends
        if not is_after.any():
            raise AutoMLError(f"test_data: no row is after the training data, which end at {grid.times[-1]}")
        if not is_after.all():
            count = int((~is_after).sum())
            self.note(f"test_data: {count} rows that are not after the training data of their series were left out")
        return test[is_after].reset_index(drop=True)

    def _treat_short_series(self, frame: Any, keys: Any, shape: SeriesShape) -> tuple[Any, Any]:
        """Drop or pad series that are too short to validate on, as `short_series_handling_config` says."""
        how = fold_word(self.fields.get("short_series_handling_config") or "auto")
        counts = pd.Series(keys).value_counts()
        least = shape.horizon + max([2, *(lag for lag in shape.lags if lag <= shape.horizon)])
        short = sorted(counts[counts < least].index)
        if not short or how == "none":
            return frame, keys
        if len(short) == len(counts):
            if how == "drop":
                raise AutoMLError(f"training_data: all series are shorter than {least} rows, so none is left")
            if how == "auto":
                how = "pad"
        if how in ("auto", "drop"):
            self.note(f"{len(short)} series with less than {least} rows were left out: {', '.join(short[:5])}")
            kept = ~pd.Series(keys).isin(short).to_numpy()
            return frame[kept].reset_index(drop=True), keys[kept]
        self.note(f"{len(short)} series with less than {least} rows were padded at their begin: {', '.join(short[:5])}")
        frequency = fix_frequency(str(self.fields["frequency"])) if self.fields.get("frequency") else None
        frequency = frequency or infer_frequency(frame[self.time], keys)
        parts = [frame]
        for key in short:
            own = frame[keys == key]
            first = own.iloc[[0]]
            times = pd.date_range(end=first[self.time].iloc[0], periods=least - len(own) + 1, freq=frequency)[:-1]
            parts.append(pd.concat([first] * len(times), ignore_index=True).assign(**{self.time: times}))
        joined = pd.concat(parts, ignore_index=True).sort_values(self.time, kind="stable").reset_index(drop=True)
        return joined, shape.make_keys(joined)

    def _list_imputers(self) -> dict[str, dict[str, Any]]:
        """Return the imputers' parameters by column."""
        found = {}
        for name, entries in (self.settings.get("featurization").get("transformer_params") or {}).items():
            for entry in entries or () if fold_word(name) == "imputer" else ():
                found.update({column: dict(entry.get("parameters") or {}) for column in entry.get("fields") or ()})
        return found

    def _carry_values(self, frame: Any, keys: Any) -> Any:
        """Fill columns whose imputer takes the value before or after, within each series."""
        for column, parameters in self._list_imputers().items():
            if column in frame.columns and parameters.get("strategy") in ("ffill", "bfill"):
                groups = frame[column].groupby(keys)
                filled = groups.ffill() if parameters["strategy"] == "ffill" else groups.bfill()
                frame = frame.assign(**{column: filled})
        return frame

    def _make_data(
        self, frame: Any, keys: Any, grid: SeriesGrid, is_observed: Any, shape: SeriesShape, validation: Any, test: Any
    ) -> ForecastData:
        frame = self._carry_values(frame, keys)
        places, steps = grid.find_places(keys), grid.find_steps(frame[self.time])
        truth = grid.values[places, steps]
        known = np.isfinite(truth)
        frame, places, steps, truth = frame[known].reset_index(drop=True), places[known], steps[known], truth[known]
        first = None if validation is None else int(grid.find_steps([validation[self.time].min()])[0])
        origins = self._roll_origins(grid, shape, places, steps, first)
        origins = origins[:, ((origins >= 0) & is_observed[places, steps][:, None]).any(axis=0)]
        if not origins.shape[1]:
            raise AutoMLError(f"training_data: no row of the last {shape.horizon} steps has a target to validate on")
        starts = _find_fold_starts(origins, places, len(grid.keys))
        columns = self._choose_columns(frame)
        calendar = CalendarFeatures(shape.season, self._check_country()).fit(grid.times)
        featurizer = Featurizer(self.settings.get("featurization"), self.settings.seed).fit(frame[columns])
        maker = FeatureMaker(shape, calendar, featurizer, grid.keys)
        sources = find_sources(is_observed)[places, steps]
        pairs = [
            (
                np.flatnonzero(sources < starts[fold][places]),
                np.flatnonzero((sources == steps) & (origins[:, fold] >= 0)),
            )
            for fold in range(origins.shape[1])
        ]
        folds = Folds(
            pairs, f"{len(pairs)} forecasts of {shape.horizon} steps, from the latest origins that the series allow"
        )
        fills_back = self._list_imputers().get(self.target, {}).get("strategy") == "bfill"
        return ForecastData(
            shape, grid, maker, frame, places, steps, truth, origins, folds, starts, columns,
            is_observed, fills_back, test,
        )  # fmt: skip

    def _roll_origins(self, grid: SeriesGrid, shape: SeriesShape, places: Any, steps: Any, first: int | None) -> Any:
        """Return for each row and fold the step at which the row's forecast begins; -1 where it is not validated."""
        ends, horizon = grid.find_ends(), shape.horizon
        if first is not None:
            inside = steps >= first
            return np.where(inside, first + (steps - first) // horizon * horizon, -1)[:, None]
        asked, size = self.settings.fields.get("n_cross_validations"), self.fields.get("cv_step_size")
        stride = horizon if size in (None, "auto") else int(size)
        longest = int((ends - _find_starts(grid)).max())
        most = (longest - horizon - max(2, horizon if asked in (None, "auto") else 2)) // stride + 1
        count = max(1, min(3 if asked in (None, "auto") else int(asked), most))
        if longest < horizon + 2:
            raise AutoMLError(
                f"training_data: the longest series has {longest} rows, too few for a horizon of {horizon}"
            )
        if isinstance(asked, int) and count < asked:
            self.note(f"{count} folds, not {asked}: the longest series has {longest} rows only")
        origins = np.full((len(steps), count), -1)
        for fold in range(count):
            begin = (ends - horizon - stride * (count - 1 - fold))[places]
            inside = (steps >= begin) & (steps < begin + horizon) & (begin > _find_starts(grid)[places])
            origins[inside, fold] = begin[inside]
        return origins

    def _choose_columns(self, frame: Any) -> list[str]:
        unknown = self.fields.get("features_unknown_at_forecast_time") or []
        unknown = [unknown] if isinstance(unknown, str) else list(unknown)
        for name in unknown:
            if name not in frame.columns:
                raise AutoMLError(f"forecasting.features_unknown_at_forecast_time: there is no column '{name}'")
        if unknown:
            self.note(f"not used, since the future does not have them: {', '.join(unknown)}")
        taken = {self.time, self.target, *self.ids, *unknown, self.settings.fields.get("weight_column_name")}
        return [name for name in frame.columns if name not in taken]

    def _check_country(self) -> str | None:
        country = self.fields.get("country_or_region_for_holidays")
        if not country:
            return None
        try:
            list_holidays(str(country), range(2020, 2021))
        except LookupError:
            raise AutoMLError(
                f"forecasting.country_or_region_for_holidays: no holidays are known of {country!r}; "
                "give a code such as US"
            ) from None
        return str(country)


def _find_fold_starts(origins: Any, places: Any, count: int) -> Any:
    """Return the first origin of each series in each fold; of a series that is not validated there, the fold's last."""
    none = np.iinfo(int).max
    starts = np.full((origins.shape[1], count), none)
    for fold, own in enumerate(starts):
        is_validated = origins[:, fold] >= 0
        np.minimum.at(own, places[is_validated], origins[is_validated, fold])
        own[own == none] = own[own != none].max()
    return starts


def _find_starts(grid: SeriesGrid) -> Any:
    return np.argmax(~np.isnan(grid.values), axis=1)


def _guess_lags(horizon: int, season: int) -> list[int]:
    """Return lags that are known for the whole horizon: the latest step, and the last seasons before it."""
    seasons = -(-horizon // season)
    lags = {horizon, *((seasons + more) * season for more in range(3))}
    if season == 24:
        lags |= {-(-horizon // 168) * 168}
    return sorted(lags)
