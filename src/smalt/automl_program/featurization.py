"""Featurization: the features of a table, and which type each of its columns has.

A `Featurizer` goes into the model's pickle by value, so that a model loads without smalt.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from .checks import is_number
from .columns import (
    CategoryColumn,
    DateColumn,
    HashedColumn,
    NumberColumn,
    TextColumn,
    to_dates,
    to_numbers,
    to_texts,
)
from .problems import AutoMLError, show_value
from .words import COLUMN_TYPES, fold_word

_DATE = re.compile(r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d{1,2}:\d{2}.*)?\s*")
_LEVELS, _SAMPLE = 200, 2000


class Featurizer:
    """A table of raw columns in, a table of numbers and categories out."""

    def __init__(self, settings: Mapping[str, Any] | None = None, seed: int = 0) -> None:
        settings = settings or {}
        self.seed = seed
        self.is_on = fold_word(settings.get("mode") or "auto") != "off"
        self.blocked = {fold_word(word) for word in settings.get("blocked_transformers") or ()}
        self.types = {
            str(name): fold_word(kind) for name, kind in (settings.get("column_name_and_types") or {}).items()
        }
        self.parameters: dict[str, dict[str, dict[str, Any]]] = {}
        """The parameters of each transformer by column; those for all columns are under ""."""
        self.columns: dict[str, Any] = {}
        self.names: dict[tuple[str, str], str] = {}
        self.reasons: dict[str, str] = {}
        for name, entries in (settings.get("transformer_params") or {}).items():
            self._read_parameters(fold_word(name), entries or ())

    def fit(self, frame: Any) -> Featurizer:
        """Decide the type of each column, and learn what its features need."""
        self.inputs = [str(name) for name in frame.columns]
        for name in self.inputs:
            if (column := self._choose_column(name, frame[name])) is not None:
                self._check_values(name, frame[name])
                column.fit(frame[name], self.seed)
                self.columns[name] = column
        used: set[str] = set()
        for name, column in self.columns.items():
            for part in column.transform(frame[name].iloc[:50]):
                self.names[name, part] = _make_name(name, part, used)
        return self

    def transform(self, frame: Any) -> Any:
        """Return the features; a column that is not there counts as missing."""
        features: dict[str, Any] = {}
        for name, column in self.columns.items():
            values = frame[name] if name in frame.columns else pd.Series([None] * len(frame), index=frame.index)
            for part, array in column.transform(values.reset_index(drop=True)).items():
                features[self.names[name, part]] = array
        return pd.DataFrame(features, index=frame.index)

    def fit_transform(self, frame: Any) -> Any:
        return self.fit(frame).transform(frame)

    def find_source(self, feature: str) -> str:
        """Return the column that a feature was made of."""
        return next((source for (source, _), name in self.names.items() if name == feature), feature)

    def list_types(self) -> list[tuple[str, str, str]]:
        """Return (column, type, reason) of each raw column."""
        kinds = {name: type(column).__name__.removesuffix("Column") for name, column in self.columns.items()}
        return [(name, kinds.get(name, "Ignored"), self.reasons.get(name, "")) for name in self.inputs]

    def list_ineffective_imputers(self) -> list[str]:
        """Return a sentence for each column whose imputer does nothing."""
        found = []
        for name, parameters in self.parameters.get("imputer", {}).items():
            column, strategy = self.columns.get(name), parameters.get("strategy", "mean")
            if column is None or strategy in ("ffill", "bfill") or strategy in column.strategies:
                continue
            kind = type(column).__name__.removesuffix("Column").lower()
            allowed = f"; {' and '.join(column.strategies)} do" if column.strategies else ""
            text = f"the strategy {strategy} does not act on a column of the type {kind}{allowed}"
            found.append(f"the imputer of '{name}' has no effect: {text}")
        return found

    def _read_parameters(self, transformer: str, entries: Any) -> None:
        for entry in entries:
            for name in entry.get("fields") or [""]:
                self.parameters.setdefault(transformer, {})[name] = dict(entry.get("parameters") or {})

    def _find_parameters(self, transformer: str, column: str) -> dict[str, Any]:
        given = self.parameters.get(transformer, {})
        return given.get(column, given.get("", {}))

    def _choose_column(self, name: str, values: Any) -> Any:
        kind = self.types.get(name) or self._guess_type(name, values)
        if kind not in {fold_word(one) for one in COLUMN_TYPES} or kind in ("ignore", "allnan"):
            self.reasons.setdefault(name, "as its type says")
            return None
        imputer = self._find_parameters("imputer", name)
        strategy, fill = imputer.get("strategy"), imputer.get("fill_value")
        if kind == "numeric":
            if strategy == "constant" and not is_number(fill):
                raise AutoMLError(
                    f"featurization.transformer_params.imputer: the column '{name}' is of numbers, and the fill value "
                    f"{fill!r} is not a number"
                )
            strategy = strategy if strategy in ("mean", "median", "most_frequent", "constant") else "median"
            return NumberColumn(strategy, fill, marks_missing=self.is_on and not imputer)
        if kind == "datetime":
            return DateColumn()
        if kind == "text":
            return TextColumn("tfidf" in self.blocked, self._find_parameters("tfidf", name))
        if kind in ("categoricalhash", "hashes") and "hashonehotencoder" not in self.blocked:
            return HashedColumn(int(self._find_parameters("hashonehotencoder", name).get("number_of_bits", 8)))
        return CategoryColumn(_LEVELS, strategy, fill)

    def _check_values(self, name: str, values: Any) -> None:
        """Refuse a type by the user that no value of the column has: the feature would be the same in each row."""
        readers = {"numeric": (to_numbers, "number"), "datetime": (to_dates, "date")}
        read, noun = readers.get(self.types.get(name, ""), (None, ""))
        if read is not None and values.notna().any() and not pd.notna(read(values)).any():
            wrong = show_value(values.dropna().iloc[0])
            raise AutoMLError(f"featurization.column_name_and_types: '{name}' has no {noun} in any row, but {wrong}")

    def _guess_type(self, name: str, values: Any) -> str:
        known = values.dropna()
        if known.empty:
            self.reasons[name] = "it is empty"
            return "ignore"
        if pd.api.types.is_datetime64_any_dtype(values):
            return "datetime"
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            if self.is_on and known.nunique() < 2 and len(known) == len(values):
                self.reasons[name] = "it has one value"
                return "ignore"
            return "numeric"
        return self._guess_text(name, known) if self.is_on else "categorical"

    def _guess_text(self, name: str, known: Any) -> str:
        texts = to_texts(known.iloc[:: max(1, len(known) // _SAMPLE)])
        if texts.map(lambda text: bool(_DATE.fullmatch(text))).all() and to_dates(texts).notna().mean() > 0.95:
            return "datetime"
        distinct, rows = known.nunique(), len(known)
        if distinct < 2:
            self.reasons[name] = "it has one value"
            return "ignore"
        words = texts.str.split().str.len().mean()
        is_text = words >= 4 and distinct > max(20, 0.1 * rows) and not {"tfidf", "countvectorizer"} <= self.blocked
        if is_text:
            return "text"
        if distinct == rows or (distinct > 0.95 * rows and rows > 50):
            self.reasons[name] = "nearly every row has a value of its own"
            return "ignore"
        return "categorical"


def _make_name(column: str, part: str, used: set[str]) -> str:
    """Return a name of letters, digits and _, which every library takes."""
    base = re.sub(r"\W+", "_", f"{column}_{part}" if part else column, flags=re.ASCII).strip("_") or "column"
    name, number = base, 2
    while name in used:
        name, number = f"{base}_{number}", number + 1
    used.add(name)
    return name


def find_categories(features: Any) -> list[str]:
    """Return the names of the features that are categories."""
    return [name for name in features.columns if isinstance(features[name].dtype, pd.CategoricalDtype)]


def encode_codes(features: Any) -> Any:
    """Return the features with the number of each category in its place."""
    names = find_categories(features)
    if not names:
        return features
    return features.assign(**{name: np.asarray(features[name].cat.codes, dtype=float) for name in names})
