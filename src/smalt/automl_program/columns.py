"""Columns of features: each class makes the features of one column of one type.

Instances go into the model's pickle by value, so that a model loads without smalt.
"""

from __future__ import annotations

import re
import zlib
from typing import Any

import numpy as np
import pandas as pd

MISSING = "(missing)"
OTHER = "(other)"
_NUMBER_TIME = re.compile(r"[12]\d{3}([01]\d[0-3]\d)?")


class NumberColumn:
    """A number: missing values become a fill value, and a column of its own says where they were."""

    strategies: tuple[str, ...] = ("mean", "median", "most_frequent", "constant")

    def __init__(self, strategy: str = "median", fill: Any = None, marks_missing: bool = True) -> None:
        self.strategy, self.fill, self.marks_missing = strategy, fill, marks_missing

    def fit(self, values: Any, seed: int) -> None:
        numbers = to_numbers(values)
        known = numbers[np.isfinite(numbers)]
        if self.strategy == "constant":
            self.value = float(self.fill)
        elif not len(known):
            self.value = 0.0
        elif self.strategy == "most_frequent":
            found, counts = np.unique(known, return_counts=True)
            self.value = float(found[counts.argmax()])
        else:
            self.value = float(np.mean(known) if self.strategy == "mean" else np.median(known))
        self.marks_missing = self.marks_missing and len(known) < len(numbers)

    def transform(self, values: Any) -> dict[str, Any]:
        numbers = to_numbers(values)
        missing = ~np.isfinite(numbers)
        features = {"": np.where(missing, self.value, numbers)}
        if self.marks_missing:
            features["missing"] = missing.astype(float)
        return features


class CategoryColumn:
    """A category: one code for each value that is frequent enough; the rest share one."""

    strategies: tuple[str, ...] = ("most_frequent", "constant")

    def __init__(self, limit: int = 200, strategy: str | None = None, fill: Any = None) -> None:
        self.limit, self.strategy, self.fill = limit, strategy, fill

    def fit(self, values: Any, seed: int) -> None:
        texts = to_texts(values)
        counts = texts.value_counts()
        self.replacement = MISSING
        if self.strategy == "most_frequent" and len(counts):
            self.replacement = str(counts.index[0])
        elif self.strategy == "constant":
            self.replacement = str(self.fill)
        texts = texts.fillna(self.replacement)
        counts = texts.value_counts().sort_index(kind="stable").sort_values(ascending=False, kind="stable")
        self.counts = {str(name): int(count) for name, count in counts.items()}
        kept = list(self.counts)[: self.limit]
        self.has_other = len(kept) < len(self.counts)
        self.levels = sorted(kept) + ([OTHER] if self.has_other else [])

    def transform(self, values: Any) -> dict[str, Any]:
        texts = to_texts(values).fillna(self.replacement)
        features: dict[str, Any] = {}
        if self.has_other:
            features["count"] = texts.map(self.counts).fillna(0).to_numpy(dtype=float)
            texts = texts.where(texts.isin(self.levels), OTHER)
        features[""] = make_categories(texts, self.levels)
        return features


class HashedColumn:
    """A category of many values: a number of buckets, so that values which were never seen have one, too."""

    strategies: tuple[str, ...] = ()

    def __init__(self, bits: int = 8) -> None:
        self.buckets = 2**bits

    def fit(self, values: Any, seed: int) -> None: ...

    def transform(self, values: Any) -> dict[str, Any]:
        texts = to_texts(values).fillna(MISSING)
        codes = texts.map(lambda text: zlib.crc32(text.encode()) % self.buckets).to_numpy()
        return {"": pd.Categorical(codes, categories=range(self.buckets))}


class DateColumn:
    """A date: its parts, and the days since 1970."""

    strategies: tuple[str, ...] = ()
    PARTS = ("year", "month", "day", "day_of_week", "day_of_year", "quarter", "hour", "minute")

    def fit(self, values: Any, seed: int) -> None:
        dates = to_dates(values)
        self.parts = [part for part in self.PARTS if getattr(dates.dt, part).nunique() > 1]
        days = self._count_days(dates)
        self.value = float(np.nanmedian(days)) if np.isfinite(days).any() else 0.0
        self.has_missing = bool(dates.isna().any())

    def transform(self, values: Any) -> dict[str, Any]:
        dates = to_dates(values)
        days = self._count_days(dates)
        features: dict[str, Any] = {"days": np.where(np.isfinite(days), days, self.value)}
        for part in self.parts:
            features[part] = getattr(dates.dt, part).fillna(-1).to_numpy(dtype=float)
        if self.has_missing:
            features["missing"] = (~np.isfinite(days)).astype(float)
        return features

    @staticmethod
    def _count_days(dates: Any) -> Any:
        return (dates - pd.Timestamp("1970-01-01")).dt.total_seconds().to_numpy(dtype=float) / 86400.0


class TextColumn:
    """A text: its words, weighed by TF-IDF or counted, reduced to some dimensions; and its length."""

    strategies: tuple[str, ...] = ()

    def __init__(self, counts_only: bool = False, parameters: dict[str, Any] | None = None, size: int = 50) -> None:
        self.counts_only, self.parameters, self.size = counts_only, parameters or {}, size
        self.reducer: Any = None

    def fit(self, values: Any, seed: int) -> None:
        from sklearn.decomposition import TruncatedSVD
        from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer

        kind = CountVectorizer if self.counts_only else TfidfVectorizer
        settings = {"max_features": 5000, "min_df": 2, "ngram_range": (1, 2), "dtype": np.float64, **self.parameters}
        settings["ngram_range"] = tuple(settings["ngram_range"])
        if not self.counts_only:
            settings.setdefault("sublinear_tf", True)
        self.vectorizer = kind(**settings)
        try:
            matrix = self.vectorizer.fit_transform(to_texts(values).fillna(""))
        except ValueError:  # no word is in two rows
            self.vectorizer = None
            return
        if matrix.shape[1] > self.size:
            self.reducer = TruncatedSVD(n_components=self.size, random_state=seed).fit(matrix)

    def transform(self, values: Any) -> dict[str, Any]:
        texts = to_texts(values).fillna("")
        features: dict[str, Any] = {"length": texts.str.len().to_numpy(dtype=float)}
        if self.vectorizer is not None:
            matrix = self.vectorizer.transform(texts)
            dense = self.reducer.transform(matrix) if self.reducer is not None else matrix.toarray()
            features.update({f"word{index}": dense[:, index] for index in range(dense.shape[1])})
        return features


def make_categories(texts: Any, levels: list[str]) -> Any:
    """Return categories of the given levels; a text that is none of them is missing."""
    codes = pd.Series(texts).map({level: code for code, level in enumerate(levels)})
    return pd.Categorical.from_codes(codes.fillna(-1).astype(int), categories=levels)


def to_numbers(values: Any) -> Any:
    if pd.api.types.is_bool_dtype(values):
        values = values.astype(float)
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=float, na_value=np.nan)


def to_texts(values: Any) -> Any:
    """Return the values as texts: 1, 1.0 and True are the same, and a missing one stays missing.

    Each value has the text that it would have alone: a row is scored by itself, and learned from among others.
    """
    values = values.astype(object)
    return values.where(values.isna(), values.map(to_text)).where(~values.isna(), None)


def to_text(value: Any) -> str:
    if isinstance(value, bool | np.bool_) or (isinstance(value, float | np.floating) and float(value).is_integer()):
        return str(int(value))
    return str(value)


def to_dates(values: Any) -> Any:
    """Return the times; a number is a year (1981) or a day (20200131), and any other is none."""
    if not pd.api.types.is_datetime64_any_dtype(values):
        if not pd.api.types.is_string_dtype(values.dtype) or values.dtype == object:
            values = values.astype(object).map(_spell_time)
        values = pd.to_datetime(values, errors="coerce", format="mixed")
    return values.dt.tz_convert("UTC").dt.tz_localize(None) if values.dt.tz is not None else values


def find_number_format(values: Any) -> str | None:
    """Return the format of times that are numbers: `%Y` for years, `%Y%m%d` for days; None if they are texts."""
    if not pd.api.types.is_numeric_dtype(values):
        return None
    return "%Y%m%d" if (values > 9999).any() else "%Y"


def _spell_time(value: Any) -> Any:
    """Return the text of a time that is a number, which pandas takes for nanoseconds."""
    if not isinstance(value, bool | int | float | np.number | np.bool_):
        return value
    text = to_text(value)
    return text if _NUMBER_TIME.fullmatch(text) else None
