"""Series on a regular grid of time: a row for each series, a column for each step.

Grids go into the model's pickle by value, so that a model loads without smalt.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

_OLD_NAMES = {"H": "h", "T": "min", "S": "s", "M": "ME", "Q": "QE", "Y": "YE", "A": "YE"}
_SEASONS = {"h": 24, "min": 60, "D": 7, "B": 5, "W": 52, "ME": 12, "MS": 12, "QE": 4, "QS": 4, "YE": 1, "YS": 1}
_HORIZONS = {"h": 24, "min": 60, "D": 14, "B": 10, "W": 8, "ME": 12, "MS": 12, "QE": 4, "QS": 4}


class GridError(ValueError):
    """Times that do not make a grid; the text is one sentence."""


class SeriesGrid:
    """The targets of all series, by series and step; NaN where none is known."""

    def __init__(self, keys: list[str], times: Any, values: Any, frequency: str) -> None:
        self.keys, self.times, self.values, self.frequency = keys, times, values, frequency
        self.places = {key: place for place, key in enumerate(keys)}

    def extend_to(self, last: Any) -> SeriesGrid:
        """Return a grid that reaches the given time, with nothing known beyond the old end."""
        if last <= self.times[-1]:
            return self
        times = pd.date_range(self.times[0], last, freq=self.frequency)
        added = np.full((len(self.keys), len(times) - len(self.times)), np.nan)
        return SeriesGrid(self.keys, times, np.hstack([self.values, added]), self.frequency)

    def place_times(self, times: Any) -> tuple[SeriesGrid, Any]:
        """Return a grid that reaches the last of the times, and the step of each time on it."""
        times = pd.DatetimeIndex(times)
        grid = self.extend_to(times.max())
        steps = grid.find_steps(times)
        if (steps < 0).any():
            wrong = times[steps < 0][0]
            raise GridError(f"the time {wrong} is before the training data, or not on the frequency '{self.frequency}'")
        return grid, steps

    def add_series(self, keys: list[str]) -> SeriesGrid:
        new = [key for key in keys if key not in self.places]
        if not new:
            return self
        added = np.full((len(new), self.values.shape[1]), np.nan)
        return SeriesGrid([*self.keys, *new], self.times, np.vstack([self.values, added]), self.frequency)

    def find_steps(self, times: Any) -> Any:
        """Return the step of each time; -1 for those that are not on the grid."""
        return self.times.get_indexer(pd.DatetimeIndex(times))

    def find_places(self, keys: Any) -> Any:
        return np.array([self.places.get(key, -1) for key in keys], dtype=int)

    def find_ends(self) -> Any:
        """Return for each series the step after its last known value."""
        known = ~np.isnan(self.values)
        width = self.values.shape[1]
        return np.where(known.any(axis=1), width - known[:, ::-1].argmax(axis=1), 0)


def fix_frequency(name: str) -> str:
    """Return a frequency under the name that pandas has for it now: `H` is `h`, `M` is `ME`."""
    number = name.rstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-")
    unit = name[len(number) :]
    head, _, anchor = unit.partition("-")
    fixed = number + _OLD_NAMES.get(head, head) + (f"-{anchor}" if anchor else "")
    try:
        pd.tseries.frequencies.to_offset(fixed)
    except ValueError:
        raise GridError(f"{name!r} is no frequency of pandas, such as D, W-THU, h or MS") from None
    return fixed


def infer_frequency(times: Any, keys: Any) -> str:
    """Return the frequency of the longest series, or the distance that is most frequent."""
    longest = pd.Series(keys).value_counts().index[0]
    own = pd.DatetimeIndex(np.unique(pd.DatetimeIndex(times)[np.asarray(keys) == longest]))
    found = _infer_name(own) if len(own) > 2 else None
    if found is None and len(own) > 12:
        found = next(
            (one for one in (_infer_name(own[start : start + 12]) for start in range(len(own) - 12)) if one), None
        )
    if found is None:
        steps = pd.Series(own).diff().dropna()
        if steps.empty:
            raise GridError("no frequency can be inferred, since each series has one time only; give 'frequency'")
        seconds = int(steps.mode()[0].total_seconds())
        found = f"{seconds}s" if seconds % 86400 else f"{seconds // 86400}D"
    return fix_frequency(found)


def _infer_name(times: Any) -> str | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pandas 3.1 warns that pandas 4 returns an offset
        found = pd.infer_freq(times)
    return getattr(found, "freqstr", found)


def get_unit(frequency: str) -> str:
    return pd.tseries.frequencies.to_offset(frequency).rule_code.partition("-")[0].lstrip("0123456789")


def guess_season(frequency: str) -> int:
    offset = pd.tseries.frequencies.to_offset(frequency)
    return max(1, _SEASONS.get(get_unit(frequency), 1) // max(1, offset.n))


def guess_horizon(frequency: str) -> int:
    return _HORIZONS.get(get_unit(frequency), 1)


def make_grid(keys: Any, times: Any, values: Any, frequency: str) -> SeriesGrid:
    """Return the grid of (series, time, value) rows."""
    times = pd.DatetimeIndex(times)
    names = sorted(set(keys))
    grid_times = pd.date_range(times.min(), times.max(), freq=frequency)
    grid = SeriesGrid(names, grid_times, np.full((len(names), len(grid_times)), np.nan), frequency)
    steps = grid.find_steps(times)
    if (steps < 0).any():
        wrong = times[steps < 0][0]
        raise GridError(f"the time {wrong} is not on the frequency '{frequency}' that begins at {times.min()}")
    grid.values[grid.find_places(keys), steps] = values
    return grid


def fill_gaps(grid: SeriesGrid, imputer: Mapping[str, Any]) -> int:
    """Fill what is missing between the first and the last value of each series; return how many values that were."""
    count = 0
    strategy = imputer.get("strategy", "ffill")
    for row in grid.values:
        known = np.flatnonzero(~np.isnan(row))
        if not len(known):
            continue
        inner = row[known[0] : known[-1] + 1]
        missing = np.isnan(inner)
        count += int(missing.sum())
        if not missing.any():
            continue
        if strategy == "constant":
            inner[missing] = float(imputer["fill_value"])
        elif strategy in ("mean", "median"):
            past = pd.Series(inner).expanding()  # what comes later is not known where a forecast begins
            inner[missing] = (past.mean() if strategy == "mean" else past.median()).to_numpy()[missing]
        else:
            series = pd.Series(inner)
            inner[:] = (series.bfill() if strategy == "bfill" else series.ffill()).to_numpy()
    return count


def find_sources(is_observed: Any) -> Any:
    """Return for each series and step the next step, or the same, whose value is observed; the width for none."""
    width = is_observed.shape[1]
    steps = np.where(is_observed, np.arange(width)[None, :], width)
    return np.minimum.accumulate(steps[:, ::-1], axis=1)[:, ::-1]
