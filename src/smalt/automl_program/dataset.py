"""The data of one AutoML run: training, validation and test rows, with target and weights apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from . import checks
from .columns import to_numbers, to_texts
from .problems import AutoMLError, join_columns, show_value
from .settings import RunSettings
from .splits import Folds, hold_out_part, make_folds
from .tables import read_table

Note = Callable[[str], None]


@dataclass
class TableData:
    """Rows of raw columns, their targets and weights; `labels` are the classes that targets are indices of."""

    frame: Any
    truth: Any
    weights: Any
    folds: Folds
    final_rows: Any
    labels: Any = None
    test_frame: Any = None
    test_truth: Any = None
    test_weights: Any = None

    @property
    def training_rows(self) -> Any:
        """Return the rows that featurization may learn from: not those of the user's validation data."""
        return self.final_rows


def load_tables(settings: RunSettings, note: Note) -> TableData:
    """Read what the settings name, and decide which rows validate and test."""
    training = _read_rows(settings, "training_data", settings.training_data, note)
    validation = _read_rows(settings, "validation_data", settings.validation_data, note)
    test = _read_rows(settings, "test_data", settings.test_data, note)
    is_classes = settings.task == "classification"
    labels = _list_labels(training[settings.target], settings) if is_classes else None
    size = settings.fields.get("test_data_size")
    if test is None and size:
        training, test = _hold_out_test(training, float(size), labels, settings)
        note(f"test: {len(test)} rows, as test_data_size says")
    rows = len(training)
    if validation is not None:
        if settings.target not in validation.columns:
            raise AutoMLError(f"validation_data: the table has no column '{settings.target}'")
        validation = _keep_known(validation, settings, labels, note)
        joined = pd.concat([training, validation], ignore_index=True)
    else:
        _check_size(rows, has_test=test is not None)
        joined = training
    truth = _encode_target(joined, settings, labels, "training_data")
    if validation is not None:
        order = np.random.default_rng(settings.seed).permutation(rows)
        folds = Folds([(order, np.arange(rows, len(joined)))], f"the {len(joined) - rows} rows of validation_data")
    else:
        folds = make_folds(settings.fields, joined, truth, is_classes, settings.seed)
    note(f"validation: {folds.text}")
    weights = _read_weights(joined, settings)
    extra = [settings.target, *_list_extra(settings)]
    data = TableData(joined.drop(columns=extra), truth, weights, folds, np.arange(rows), labels)
    if data.frame.columns.empty:
        raise AutoMLError("training_data: there is no column besides the target")
    if test is not None:
        _add_test(data, test, extra, settings, note)
    return data


def _hold_out_test(training: Any, size: float, labels: Any, settings: RunSettings) -> tuple[Any, Any]:
    """Return the rows to train with and the rows to test with."""
    truth = _encode_target(training, settings, labels, "training_data")
    kept, held = hold_out_part(truth, size, settings.task == "classification", settings.seed + 1)
    return training.iloc[np.sort(kept)].reset_index(drop=True), training.iloc[held].reset_index(drop=True)


def _check_size(rows: int, has_test: bool) -> None:
    if rows < 2:
        apart = ", apart from the rows to test" if has_test else ""
        raise AutoMLError(f"training_data: a search needs at least 2 rows with a target{apart}; the table has {rows}")


def _add_test(data: TableData, test: Any, extra: list[str], settings: RunSettings, note: Note) -> None:
    if settings.target in test.columns:
        test = _keep_known(test, settings, data.labels, note, "test_data")
        data.test_truth = _encode_target(test, settings, data.labels, "test_data")
        if settings.fields.get("weight_column_name") in test.columns:
            data.test_weights = _read_weights(test, settings)
    data.test_frame = test.drop(columns=[one for one in extra if one in test.columns])


def _read_rows(settings: RunSettings, name: str, path: Path | None, note: Note) -> Any:
    if path is None:
        return None
    frame = read_table(name, path, settings.get_type(name))
    if name == "training_data":
        featurized = checks.list_featurized_columns(settings.fields)
        for field, column in [("target_column_name", settings.target), *_list_named(settings), *featurized]:
            if column not in frame.columns:
                known = join_columns(list(frame.columns))
                raise AutoMLError(f"{field}: the training data have no column '{column}'; they have {known}")
    if settings.target in frame.columns:
        missing = int(frame[settings.target].isna().sum())
        if missing and missing == len(frame):
            raise AutoMLError(f"{name}: the target column '{settings.target}' is empty")
        if missing:
            note(f"{name}: {missing} rows without a target were left out")
            frame = frame[frame[settings.target].notna()].reset_index(drop=True)
            frame = frame.assign(**{settings.target: _restore_integers(frame[settings.target])})
    return frame


def _restore_integers(values: Any) -> Any:
    """Return whole numbers as integers: pandas reads them as fractions where some are missing."""
    if not pd.api.types.is_float_dtype(values) or not ((values % 1 == 0) & (values.abs() < 2**53)).all():
        return values
    return values.astype("int64")


def _list_named(settings: RunSettings) -> list[tuple[str, str]]:
    named = [("cv_split_column_names", name) for name in settings.fields.get("cv_split_column_names") or ()]
    weight = settings.fields.get("weight_column_name")
    return [*named, *([("weight_column_name", weight)] if weight else [])]


def _list_extra(settings: RunSettings) -> list[str]:
    return list(dict.fromkeys(column for _, column in _list_named(settings)))


def find_label(labels: Any, label: object) -> int | None:
    """Return the place of a label that the settings name; 1 and 1.0 are the same."""
    for texts in ([str(one) for one in labels], to_texts(pd.Series(labels, dtype=object)).tolist()):
        for text in (str(label), *to_texts(pd.Series([label], dtype=object))):
            if text in texts:
                return texts.index(text)
    return None


def _list_labels(target: Any, settings: RunSettings) -> Any:
    labels = np.array(sorted(target.unique(), key=lambda label: (type(label).__name__, label)), dtype=object)
    if len(labels) < 2:
        raise AutoMLError(
            f"target_column_name: the column '{settings.target}' has one class only, {show_value(labels[0])}"
        )
    if len(labels) == len(target):
        raise AutoMLError(
            f"target_column_name: no two rows have the same '{settings.target}'; for a number use the task regression"
        )
    positive = settings.fields.get("positive_label")
    if positive is not None and find_label(labels, positive) is None:
        shown = ", ".join(str(label) for label in labels[:10])
        raise AutoMLError(f"positive_label: the target has no class {positive!r}; it has {shown}")
    try:
        return np.array(labels.tolist())
    except ValueError:
        return labels


def _encode_target(frame: Any, settings: RunSettings, labels: Any, name: str) -> Any:
    values = frame[settings.target]
    if labels is not None:
        places = {label: index for index, label in enumerate(labels.tolist())}
        return values.map(places).to_numpy(dtype=int)
    numbers = to_numbers(values)
    if not np.isfinite(numbers).all():
        wrong = show_value(values[~np.isfinite(numbers)].iloc[0])
        noun = "finite number" if pd.api.types.is_numeric_dtype(values) else "number"
        raise AutoMLError(
            f"{name}: the target '{settings.target}' has {wrong}, which is no {noun}, in a {settings.task}"
        )
    if name == "training_data" and len(np.unique(numbers)) == 1:
        raise AutoMLError(f"target_column_name: the column '{settings.target}' has one value only, {numbers[0]:g}")
    return numbers


def _keep_known(frame: Any, settings: RunSettings, labels: Any, note: Note, name: str = "validation_data") -> Any:
    """Return the rows whose class the training data have; the model cannot predict another."""
    if labels is None:
        return frame
    known = frame[settings.target].isin(labels.tolist())
    if not known.all():
        note(f"{name}: {int((~known).sum())} rows of classes that the training data do not have were left out")
    if not known.any():
        raise AutoMLError(f"{name}: no row has a class that the training data have")
    return frame[known].reset_index(drop=True)


def _read_weights(frame: Any, settings: RunSettings) -> Any:
    name = settings.fields.get("weight_column_name")
    if not name:
        return None
    weights = to_numbers(frame[name])
    is_wrong = ~(np.isfinite(weights) & (weights >= 0))
    if is_wrong.any():
        wrong = frame[name][is_wrong].iloc[0]
        what = "a row without a weight" if pd.isna(wrong) else f"{show_value(wrong)}, which is no weight"
        raise AutoMLError(f"weight_column_name: the column '{name}' has {what}; a weight is a number of at least 0")
    if not weights.any():
        raise AutoMLError(f"weight_column_name: all weights of the column '{name}' are 0")
    return weights
