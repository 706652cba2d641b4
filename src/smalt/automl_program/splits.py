"""Validation: which rows a trial is scored on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from .problems import AutoMLError

Fold = tuple[Any, Any]
_SMALL, _LARGE = 1000, 20000
_MOST_TO_VALIDATE = 50000


class Folds:
    """Pairs of training and validation rows, in the form that FLAML takes as a splitter."""

    shuffle = False

    def __init__(self, pairs: list[Fold], text: str) -> None:
        self.pairs, self.text = pairs, text

    def split(self, rows: Any, truth: Any = None, groups: Any = None) -> Iterator[Fold]:
        return iter(self.pairs)

    def get_n_splits(self, *_: Any) -> int:
        return len(self.pairs)

    @property
    def is_holdout(self) -> bool:
        return len(self.pairs) == 1


def make_folds(fields: Mapping[str, Any], frame: Any, truth: Any, is_classes: bool, seed: int) -> Folds:
    """Return the folds that the settings ask for, or the service's defaults: they depend on the number of rows."""
    rows = len(frame)
    if names := fields.get("cv_split_column_names"):
        return _read_columns(list(names), frame)
    size, count = fields.get("validation_data_size"), fields.get("n_cross_validations")
    if isinstance(count, int) and not isinstance(count, bool):
        if count > rows:
            raise AutoMLError(
                f"n_cross_validations: {count} folds need at least {count} rows, and the table has {rows}"
            )
        return _cut_folds(
            truth, is_classes, seed, count, size and float(size), f"{count} folds, as n_cross_validations says"
        )
    if size:
        part = float(size)
        return Folds(
            [_hold_out(truth, part, is_classes, seed)], f"{part:.0%} of the rows, as validation_data_size says"
        )
    if rows > _LARGE:
        part = min(0.1, _MOST_TO_VALIDATE / rows)
        text = f"{part:.0%} of the rows, since the table has more than {_LARGE}"
        return Folds([_hold_out(truth, part, is_classes, seed)], text)
    count = min(rows, 10 if rows < _SMALL else 3)
    return _cut_folds(truth, is_classes, seed, count, None, f"{count} folds, since the table has {rows} rows")


def hold_out_part(truth: Any, part: float, is_classes: bool, seed: int) -> Fold:
    """Return the rows to keep and the rows to hold out for a test."""
    return _hold_out(truth, part, is_classes, seed)


def _cut_folds(truth: Any, is_classes: bool, seed: int, count: int, part: float | None, text: str) -> Folds:
    """Return folds; with a part, each validates on that part of the rows, drawn for itself (Monte Carlo)."""
    if part:
        pairs = [_hold_out(truth, part, is_classes, seed + number) for number in range(count)]
        return Folds(pairs, f"{text}, each with {part:.0%} of the rows")
    places = _deal_rows(truth, is_classes, count, seed)
    pairs = [(_list_rows(places != fold), _list_rows(places == fold)) for fold in range(count)]
    generator = np.random.default_rng(seed)
    return Folds([(generator.permutation(train), valid) for train, valid in pairs if len(valid)], text)


def _deal_rows(truth: Any, is_classes: bool, count: int, seed: int) -> Any:
    """Return the fold of each row, dealt class by class; -1 for the only row of a class, which is always trained on."""
    generator = np.random.default_rng(seed)
    places: Any = np.empty(len(truth), dtype=int)
    if not is_classes:
        places[generator.permutation(len(truth))] = np.arange(len(truth)) % count
        return places
    start = 0
    for label in np.unique(truth):
        rows = generator.permutation(_list_rows(truth == label))
        places[rows] = -1 if len(rows) == 1 else (start + np.arange(len(rows))) % count
        start += len(rows)
    return places


def _hold_out(truth: Any, part: float, is_classes: bool, seed: int) -> Fold:
    generator = np.random.default_rng(seed)
    held: list[int] = []
    groups = [_list_rows(truth == label) for label in np.unique(truth)] if is_classes else [np.arange(len(truth))]
    for group in groups:
        rows = generator.permutation(group)
        held.extend(rows[: min(len(rows) - 1, round(part * len(rows)))].tolist())
    if not held:
        held = [int(generator.integers(len(truth)))]
    is_held: Any = np.zeros(len(truth), dtype=bool)
    is_held[held] = True
    return generator.permutation(_list_rows(~is_held)), _list_rows(is_held)


def _read_columns(names: list[str], frame: Any) -> Folds:
    pairs = []
    for name in names:
        if name not in frame.columns:
            raise AutoMLError(f"cv_split_column_names: the training data have no column '{name}'")
        values = frame[name]
        if not values.isin([0, 1]).all():
            raise AutoMLError(
                f"cv_split_column_names: the column '{name}' has other values than 0 (validate) and 1 (train)"
            )
        train, valid = _list_rows(values.to_numpy() == 1), _list_rows(values.to_numpy() == 0)
        if not len(train) or not len(valid):
            raise AutoMLError(f"cv_split_column_names: the column '{name}' has no row to train or none to validate on")
        pairs.append((train, valid))
    return Folds(pairs, f"the columns {', '.join(names)}")


def _list_rows(mask: Any) -> Any:
    return np.flatnonzero(np.asarray(mask))
