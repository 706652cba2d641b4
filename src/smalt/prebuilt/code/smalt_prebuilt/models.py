"""Trained models as components hand them on: MLflow models, whose metadata has what scoring needs to know."""

from __future__ import annotations

import logging
import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import mlflow.pyfunc
import mlflow.sklearn
import pandas as pd
import polars as pl
from mlflow.models import Model, infer_signature

from .features import make_features
from .learners import pca_detector, quantile_forest
from .learners.catalogue import ANOMALIES, CLASSIFICATION, CLUSTERING
from .problems import ComponentError
from .scored_tables import CLUSTERS, DISTANCE, LABELS, MARGINS, PROBABILITIES, QUANTILE

_KEY = "smalt"
_PACKAGES = ("scikit-learn", "numpy", "pandas", "scipy", "cloudpickle")
"""The packages that a saved model needs, at the versions of now."""

logging.getLogger("mlflow").setLevel(logging.ERROR)
cloudpickle.register_pickle_by_value(pca_detector)
cloudpickle.register_pickle_by_value(quantile_forest)


class TrainedModel(NamedTuple):
    """A fitted pipeline, or a model of somebody else: then `task` is empty and its columns are not known."""

    pipeline: Any
    task: str
    features: list[str]
    label: str | None
    takes_missing: bool = False
    is_pyfunc: bool = False

    def make_features(self, frame: pl.DataFrame, where: str) -> pd.DataFrame:
        return make_features(frame, self.features, takes_missing=self.takes_missing, where=where)


def save_model(folder: Path, model: TrainedModel, features: pd.DataFrame) -> None:
    """Write the model as the content of a folder."""
    known = {
        "task": model.task,
        "features": model.features,
        "label": model.label,
        "takes_missing": model.takes_missing,
    }
    predicted = model.pipeline.predict(features.head(5))
    partial = folder.with_name(f".{folder.name}.partial")
    mlflow.sklearn.save_model(
        model.pipeline,
        str(partial),
        serialization_format="cloudpickle",
        signature=infer_signature(features.head(5), predicted),
        pip_requirements=[f"{name}=={version(name)}" for name in _PACKAGES],
        metadata={_KEY: known},
    )
    shutil.copytree(partial, folder, dirs_exist_ok=True)
    shutil.rmtree(partial)


def load_model(folder: Path, what: str) -> TrainedModel:
    """Return the model of a component, or any MLflow model."""
    if not (folder / "MLmodel").is_file():
        raise ComponentError(f"{what} is no MLflow model: {folder} has no file MLmodel; connect a trained model to it")
    known = (Model.load(str(folder)).metadata or {}).get(_KEY)
    try:
        if known is None:
            return TrainedModel(mlflow.pyfunc.load_model(str(folder)), "", [], None, is_pyfunc=True)
        return TrainedModel(mlflow.sklearn.load_model(str(folder)), **known)
    except (mlflow.exceptions.MlflowException, ImportError) as error:
        words = " ".join(str(error).split())
        raise ComponentError(f"{what} cannot be loaded in the environment smalt-prebuilt: {words}") from None


def score_rows(model: TrainedModel, frame: pl.DataFrame, where: str) -> pl.DataFrame:
    """Return the columns that a model gives for the rows of a table."""
    if model.is_pyfunc:
        return _score_by_others(model, frame)
    return score_features(model, model.make_features(frame, where))


def score_features(model: TrainedModel, features: pd.DataFrame) -> pl.DataFrame:
    """Return the scores of features as they are."""
    predicted = model.pipeline.predict(features)
    if model.task == ANOMALIES:
        scores = -model.pipeline.score_samples(features)
        return pl.DataFrame({LABELS: (predicted == -1).astype(int), PROBABILITIES: scores})
    if model.task == CLUSTERING:
        distances = model.pipeline.transform(features)
        columns = {f"{DISTANCE}{number}": distances[:, number] for number in range(distances.shape[1])}
        return pl.DataFrame({CLUSTERS: predicted, **columns})
    columns = {LABELS: predicted.tolist()}
    if model.task == CLASSIFICATION:
        columns.update(_score_classes(model.pipeline, features))
    columns.update(_score_quantiles(model.pipeline, features))
    return pl.DataFrame(columns)


def _score_classes(pipeline: Any, features: pd.DataFrame) -> dict[str, Any]:
    """Return the probability of two classes' second, or of each; a support vector machine has margins."""
    classes = pipeline.classes_.tolist()
    if not hasattr(pipeline, "predict_proba"):
        margins = pipeline.decision_function(features)
        if len(classes) == 2:
            return {MARGINS: margins}
        return {f"{MARGINS}_{label}": margins[:, number] for number, label in enumerate(classes)}
    probabilities = pipeline.predict_proba(features)
    if len(classes) == 2:
        return {PROBABILITIES: probabilities[:, 1]}
    return {f"{PROBABILITIES}_{label}": probabilities[:, number] for number, label in enumerate(classes)}


def _score_quantiles(pipeline: Any, features: pd.DataFrame) -> dict[str, Any]:
    """Return a column for each quantile that a learner of quantiles has."""
    learner = pipeline[-1]
    if not hasattr(learner, "predict_quantiles"):
        return {}
    found = learner.predict_quantiles(pipeline[:-1].transform(features))
    return {f"{QUANTILE} {part:g}": found[:, number] for number, part in enumerate(learner.quantiles)}


def _score_by_others(model: TrainedModel, frame: pl.DataFrame) -> pl.DataFrame:
    try:
        predicted = model.pipeline.predict(frame.to_pandas())
    except Exception as error:  # whatever a model of somebody else raises
        raise ComponentError(f"the model refuses the table: {' '.join(str(error).split())}") from None
    if isinstance(predicted, pd.DataFrame):
        return pl.from_pandas(predicted)
    return pl.DataFrame({LABELS: list(predicted)})
