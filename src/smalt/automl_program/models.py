"""Models that predict from raw columns.

They go into the model's pickle by value: who loads one needs scikit-learn, pandas and the library of the algorithm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator

from .featurization import Featurizer, encode_codes, find_categories


class EncodedModel(BaseEstimator):
    """A model of scikit-learn's kind on features: it gets categories as they are, as codes, or one column for each."""

    def __init__(self, model: Any = None, encoding: str = "codes", scaling: str = "none") -> None:
        self.model, self.encoding, self.scaling = model, encoding, scaling

    def fit(self, features: Any, truth: Any, sample_weight: Any = None) -> EncodedModel:
        self.scaler = self._make_scaler()
        encoded = self._encode_features(features)
        if self.scaler is not None:
            encoded = self.scaler.fit_transform(encoded)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.model.fit(encoded, truth, **weights)
        return self

    @property
    def classes_(self) -> Any:
        return self.model.classes_

    def predict(self, features: Any) -> Any:
        return np.asarray(self.model.predict(self._prepare_features(features)))

    def predict_proba(self, features: Any) -> Any:
        """Return the chance of each class; of a model without chances, its decision in the form of chances."""
        prepared = self._prepare_features(features)
        if hasattr(self.model, "predict_proba"):
            return np.asarray(self.model.predict_proba(prepared))
        decision = np.asarray(self.model.decision_function(prepared), dtype=float)
        if decision.ndim == 1:
            positive = 1 / (1 + np.exp(-np.clip(decision, -50, 50)))
            return np.column_stack([1 - positive, positive])
        powers = np.exp(decision - decision.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def _prepare_features(self, features: Any) -> Any:
        encoded = self._encode_features(features)
        return encoded if getattr(self, "scaler", None) is None else self.scaler.transform(encoded)

    def _encode_features(self, features: Any) -> Any:
        if self.encoding == "native":
            return features
        if self.encoding == "codes":
            return encode_codes(features)
        names = find_categories(features)
        return pd.get_dummies(features, columns=names, dtype=float).to_numpy() if names else features.to_numpy()

    def _make_scaler(self) -> Any:
        from sklearn.preprocessing import MinMaxScaler, StandardScaler

        return {"none": lambda: None, "standard": StandardScaler, "unit": lambda: MinMaxScaler(clip=True)}[
            self.scaling
        ]()


class TableRegressor(BaseEstimator):
    """A model that predicts numbers from raw columns."""

    _estimator_type = "regressor"

    def __init__(self, featurizer: Featurizer | None = None, model: Any = None) -> None:
        self.featurizer, self.model = featurizer, model

    @property
    def feature_names_in_(self) -> Any:
        assert self.featurizer is not None
        return np.array(self.featurizer.inputs, dtype=object)

    @property
    def steps(self) -> list[tuple[str, Any]]:
        """The featurizer and the model, as SDK v1's pipelines have them."""
        return [("datatransformer", self.featurizer), (type(self.model).__name__.lower(), self.model)]

    @property
    def named_steps(self) -> dict[str, Any]:
        return dict(self.steps)

    def make_features(self, frame: Any) -> Any:
        assert self.featurizer is not None
        if not isinstance(frame, pd.DataFrame):
            is_rows = isinstance(frame, list) and frame and isinstance(frame[0], Mapping)
            frame = pd.DataFrame(frame) if is_rows else pd.DataFrame(np.asarray(frame), columns=self.featurizer.inputs)
        return self.featurizer.transform(frame)

    def predict(self, frame: Any) -> Any:
        return np.asarray(self.model.predict(self.make_features(frame)), dtype=float)


class TableClassifier(TableRegressor):
    """A model that predicts classes, by the labels that the target column has, from raw columns."""

    _estimator_type = "classifier"

    def __init__(self, featurizer: Featurizer | None = None, model: Any = None, labels: Any = None) -> None:
        super().__init__(featurizer, model)
        self.labels = labels

    @property
    def classes_(self) -> Any:
        return np.asarray(self.labels)

    def predict(self, frame: Any) -> Any:
        return self.classes_[self.predict_proba(frame).argmax(axis=1)]

    def predict_proba(self, frame: Any) -> Any:
        return align_chances(self.model, self.make_features(frame), len(self.classes_))


class WeightedEnsemble(BaseEstimator):
    """Models that vote: the weighted mean of their predictions or chances."""

    def __init__(self, models: Sequence[Any] = (), weights: Sequence[float] = (), classes: int | None = None) -> None:
        self.models, self.weights, self.classes = models, weights, classes

    @property
    def classes_(self) -> Any:
        return np.arange(self.classes or 0)

    def predict(self, features: Any) -> Any:
        if self.classes:
            return self.predict_proba(features).argmax(axis=1)
        return np.average([model.predict(features) for model in self.models], axis=0, weights=self.weights)

    def predict_proba(self, features: Any) -> Any:
        chances = [align_chances(model, features, self.classes or 0) for model in self.models]
        return np.average(chances, axis=0, weights=self.weights)


class StackedEnsemble(BaseEstimator):
    """A model over models: it predicts from their predictions or chances."""

    def __init__(self, models: Sequence[Any] = (), meta: Any = None, classes: int | None = None) -> None:
        self.models, self.meta, self.classes = models, meta, classes

    @property
    def classes_(self) -> Any:
        return np.arange(self.classes or 0)

    def predict(self, features: Any) -> Any:
        if self.classes:
            return self.predict_proba(features).argmax(axis=1)
        return np.asarray(self.meta.predict(self._collect_predictions(features)))

    def predict_proba(self, features: Any) -> Any:
        return align_chances(self.meta, self._collect_predictions(features), self.classes or 0)

    def _collect_predictions(self, features: Any) -> Any:
        if self.classes:
            return join_chances([align_chances(model, features, self.classes) for model in self.models])
        return np.column_stack([model.predict(features) for model in self.models])


def join_chances(chances: Sequence[Any]) -> Any:
    """Return the chances side by side, each without its first class, which follows from the others."""
    return np.column_stack([one[:, 1:] for one in chances])


def align_chances(model: Any, features: Any, classes: int) -> Any:
    """Return a column for each class, also for those that the model has not seen."""
    chances = np.asarray(model.predict_proba(features), dtype=float)
    seen = np.asarray(model.classes_, dtype=int)
    if chances.shape[1] == classes and len(seen) == classes:
        return chances
    full = np.zeros((len(chances), classes))
    full[:, seen] = chances
    return full
