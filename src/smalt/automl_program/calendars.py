"""Features of the calendar: parts of the time that vary, the place in the season, and holidays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


class CalendarFeatures:
    """Features of times; they go into the model's pickle by value."""

    PARTS = ("year", "quarter", "month", "day", "day_of_week", "day_of_year", "hour", "minute")

    def __init__(self, season: int, country: str | None) -> None:
        self.season, self.country = season, country

    def fit(self, times: Any) -> CalendarFeatures:
        self.start, self.frequency = times[0], times.freqstr
        self.parts = [part for part in self.PARTS if len(np.unique(getattr(times, part))) > 1]
        self.has_week = self.frequency.startswith("W")
        return self

    def transform(self, times: Any, steps: Any) -> dict[str, Any]:
        """Return the features of times, given with their steps on the grid."""
        times = pd.DatetimeIndex(times)
        features = {f"time_{part}": np.asarray(getattr(times, part), dtype=float) for part in self.parts}
        features["time_index"] = np.asarray(steps, dtype=float)
        if self.has_week:
            features["time_week"] = np.asarray(times.isocalendar().week, dtype=float)
        if self.season > 1:
            angle = 2 * np.pi * (np.asarray(steps) % self.season) / self.season
            features.update(season_sin=np.sin(angle), season_cos=np.cos(angle))
        if self.country:
            features.update(self._mark_holidays(times))
        return features

    def _mark_holidays(self, times: Any) -> dict[str, Any]:
        days = times.normalize()
        known = list_holidays(self.country or "", range(days.min().year - 1, days.max().year + 2))
        dates = pd.DatetimeIndex(sorted(known)) if known else pd.DatetimeIndex([])
        one = pd.Timedelta(days=1)
        features = {
            "holiday": days.isin(dates).astype(float),
            "before_holiday": (days + one).isin(dates).astype(float),
            "after_holiday": (days - one).isin(dates).astype(float),
        }
        if self.has_week:
            ahead = [sum((day + one * shift) in dates for shift in range(7)) for day in days]
            features["holidays_of_week"] = np.array(ahead, dtype=float)
        return features


def list_holidays(country: str, years: Any) -> list[Any]:
    """Return the dates of a country's holidays, given its code of two letters; LookupError if there is none."""
    import holidays

    known = holidays.list_supported_countries()
    if country.upper() not in known:
        raise LookupError(country)
    return [pd.Timestamp(day) for day in holidays.country_holidays(country.upper(), years=list(years))]
