"""Cross-validation of a learner: the rows of each fold are scored by a model of the others."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import polars as pl
from sklearn.model_selection import KFold, StratifiedKFold

from ..features import fit_pipeline, make_features, make_labels, make_pipeline
from ..learners.catalogue import CLASSIFICATION
from ..learners.definitions import LearnerDefinition
from ..metrics import measure
from ..models import TrainedModel, score_features
from ..problems import ComponentError
from ..scored_tables import find_scores


class ScoredFold(NamedTuple):
    """The rows of a fold, their scores and their metrics."""

    rows: Any
    scores: pl.DataFrame
    metrics: dict[str, float]


def score_folds(
    definition: LearnerDefinition, frame: pl.DataFrame, label: str, count: int, seed: int, where: str
) -> list[ScoredFold]:
    """Return the folds of a table; those of classes have each class in about its share."""
    task = definition.learner.task
    names = [name for name in frame.columns if name != label]
    features = make_features(frame, names, takes_missing=definition.learner.takes_missing, where=where)
    labels = make_labels(frame, label, task, where)
    check_fold_count(labels, count, task, where)
    splitter: Any = (StratifiedKFold if task == CLASSIFICATION else KFold)(count, shuffle=True, random_state=seed)
    folds = []
    for others, rows in splitter.split(np.zeros(len(labels)), labels):
        trained = fit_fold(definition, features.iloc[others], labels[others])
        folds.append(score_fold(TrainedModel(trained, task, names, label), features.iloc[rows], labels[rows], rows))
    return folds


def check_fold_count(labels: Any, count: int, task: str, where: str) -> None:
    fewest = int(pd.Series(labels).value_counts().min()) if task == CLASSIFICATION else len(labels)
    if count > fewest:
        things = "rows of the rarest class" if task == CLASSIFICATION else "rows"
        raise ComponentError(f"{where} has {fewest} {things}, too few for {count} folds; give fewer number_of_folds")


def fit_fold(definition: LearnerDefinition, features: pd.DataFrame, labels: Any) -> Any:
    return fit_pipeline(make_pipeline(definition, features), features, labels)


def score_fold(model: TrainedModel, features: pd.DataFrame, labels: Any, rows: Any) -> ScoredFold:
    scores = score_features(model, features)
    classes = model.pipeline.classes_.tolist() if model.task == CLASSIFICATION else []
    predicted, strengths = find_scores(scores, classes)
    return ScoredFold(rows, scores, measure(model.task, labels, predicted, classes, strengths))
