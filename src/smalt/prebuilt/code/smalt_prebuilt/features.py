"""Features and labels of learners, as pandas has them: numbers as floats, categories as texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .learners.catalogue import CLASSIFICATION, CLUSTERING
from .learners.definitions import LearnerDefinition
from .learners.estimators import make_estimator
from .problems import ComponentError, join_names, make_column_error

_ADVICE = "clean them with clean_missing_data, or leave the columns out with select_columns_in_dataset"


def make_pipeline(definition: LearnerDefinition, features: pd.DataFrame) -> Pipeline:
    """Return a learner with the preparation of its features: categories become indicators."""
    is_scaled = definition.learner.is_scaled or bool(definition.parameters.get("normalize"))
    numbers = [name for name in features.columns if features[name].dtype == float]
    others = [name for name in features.columns if name not in numbers]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    parts = [("numbers", StandardScaler() if is_scaled else "passthrough", numbers), ("categories", encoder, others)]
    preparation = ColumnTransformer([part for part in parts if part[2]])
    return Pipeline([("features", preparation), ("learner", make_estimator(definition))])


def make_features(frame: pl.DataFrame, columns: list[str], *, takes_missing: bool, where: str) -> pd.DataFrame:
    """Return these columns as features; raise ComponentError for what no learner can use."""
    made: dict[str, Any] = {}
    missing: dict[str, int] = {}
    if not columns:
        raise ComponentError(f"{where} has no column to learn from")
    if not frame.height:
        raise ComponentError(f"{where} has no rows")
    for name in columns:
        if name not in frame.columns:
            raise make_column_error(name, frame.columns, where)
        column = frame[name]
        if column.dtype.is_temporal() or column.dtype.is_nested():
            raise ComponentError(
                f"{where}: column '{name}' is of type {column.dtype}, which is no feature; change it with "
                "edit_metadata, or leave it out with select_columns_in_dataset"
            )
        if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
            made[name] = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(float)
            count = int(np.isnan(made[name]).sum())
        else:
            made[name] = np.array(column.cast(pl.String).to_list(), dtype=object)
            count = column.null_count()
        if count:
            missing[name] = count
    if missing and not takes_missing:
        raise ComponentError(f"{where}: values are missing in {join_names(missing)}; {_ADVICE}")
    return pd.DataFrame(made)


def make_labels(frame: pl.DataFrame, name: str, task: str, where: str) -> Any:
    """Return the values of the label column: classes, or numbers."""
    column = frame[name]
    if count := column.null_count() + (int(column.is_nan().sum()) if column.dtype.is_float() else 0):
        raise ComponentError(
            f"{where}: {count} values are missing in the label column '{name}'; remove these rows with "
            "clean_missing_data"
        )
    if task != CLASSIFICATION:
        if not column.dtype.is_numeric():
            _refuse_marks(column, where)
            raise ComponentError(
                f"{where}: the label column '{name}' is of type {column.dtype}, and regression needs numbers; choose a "
                "learner for classification"
            )
        return column.cast(pl.Float64).to_numpy()
    if column.dtype.is_float() and (column != column.round()).any():
        raise ComponentError(
            f"{where}: the label column '{name}' has numbers such as {column.filter(column != column.round())[0]:g}, "
            "which are no classes; choose a learner for regression"
        )
    if column.n_unique() < 2:
        raise ComponentError(f"{where}: the label column '{name}' has one value only, '{column[0]}'")
    if column.dtype in (pl.Categorical, pl.Enum):
        column = column.cast(pl.String)
    return np.array(column.to_list(), dtype=object if column.dtype == pl.String else None)


def _refuse_marks(column: pl.Series, where: str) -> None:
    """Raise ComponentError if most of the texts are numbers, so that the others stand for missing values."""
    if column.dtype != pl.String:
        return
    others = column.filter(column.str.strip_chars().cast(pl.Float64, strict=False).is_null())
    if 0 < len(others) < len(column) / 2:
        mark = others.mode().sort()[0]
        raise ComponentError(
            f"{where}: the label column '{column.name}' has numbers, but the value '{mark}' in "
            f"{(others == mark).sum()} of {len(column)} rows is no number; if it stands for a missing value, set "
            "missing_values in Import Data, and remove these rows with clean_missing_data"
        )


def fit_pipeline(pipeline: Pipeline, features: pd.DataFrame, labels: Any = None) -> Pipeline:
    """Train; what scikit-learn refuses is one sentence."""
    try:
        return pipeline.fit(features, labels)
    except ValueError as error:
        raise ComponentError(f"the learner refuses the data: {' '.join(str(error).split())}") from None


def check_cluster_count(definition: LearnerDefinition, rows: int) -> None:
    count = definition.parameters.get("number_of_centroids", 1)
    if definition.learner.task == CLUSTERING and count > rows:
        raise ComponentError(f"number_of_centroids is {count}, and the table has {rows} rows")
