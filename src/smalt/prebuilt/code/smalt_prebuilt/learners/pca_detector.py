"""A detector of anomalies by their distance from the main components; saved models carry its code."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA


class PcaDetector(BaseEstimator):
    """Finds rows that the main components of the training data do not reproduce."""

    def __init__(self, n_components: int = 2, contamination: float = 0.1, random_state: int = 0) -> None:
        self.n_components = n_components
        self.contamination = contamination
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> PcaDetector:
        rows = _make_dense(X)
        count = min(self.n_components, *rows.shape)
        self.components_ = PCA(n_components=count, random_state=self.random_state).fit(rows)
        self.offset_ = float(np.quantile(self.score_samples(rows), self.contamination))
        return self

    def score_samples(self, X: Any) -> Any:
        """Return the negative length of what the components leave of each row: the lower, the less normal."""
        rows = _make_dense(X)
        again = self.components_.inverse_transform(self.components_.transform(rows))
        return -np.sqrt(((rows - again) ** 2).sum(axis=1))

    def predict(self, X: Any) -> Any:
        """Return -1 for each anomaly and 1 for each other row."""
        return np.where(self.score_samples(X) < self.offset_, -1, 1)


def _make_dense(rows: Any) -> Any:
    return np.asarray(rows.todense() if hasattr(rows, "todense") else rows, dtype=float)
