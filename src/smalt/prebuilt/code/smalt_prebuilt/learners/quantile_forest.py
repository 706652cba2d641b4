"""A forest that predicts quantiles by the training rows in a row's leaves; saved models carry its code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.ensemble import RandomForestRegressor

_MOST_WEIGHTS = 10_000_000
"""Weights in memory at once: rows that are scored together times training rows."""


class QuantileForest(RegressorMixin, BaseEstimator):
    """A row's weights are those of the training rows in its leaves, each leaf counting as much as the others."""

    def __init__(
        self,
        quantiles: Sequence[float] = (0.25, 0.5, 0.75),
        n_estimators: int = 100,
        max_depth: int | None = None,
        min_samples_leaf: int = 1,
        random_state: int = 0,
    ) -> None:
        self.quantiles = quantiles
        self.n_estimators = n_estimators
        self.max_depth = max_depth
        self.min_samples_leaf = min_samples_leaf
        self.random_state = random_state

    def fit(self, X: Any, y: Any) -> QuantileForest:
        self.forest_ = RandomForestRegressor(
            n_estimators=self.n_estimators,
            max_depth=self.max_depth,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.random_state,
        ).fit(X, y)
        order = np.argsort(y, kind="stable")
        self.targets_ = np.asarray(y, float)[order]
        self.leaves_ = self.forest_.apply(X)[order]
        return self

    def predict(self, X: Any) -> Any:
        """Return the medians."""
        return self.predict_quantiles(X, [0.5])[:, 0]

    def predict_quantiles(self, X: Any, quantiles: Sequence[float] | None = None) -> Any:
        """Return a column for each quantile: the least target below or at which there is that part of the weights."""
        wanted = np.asarray(self.quantiles if quantiles is None else quantiles, float)
        leaves = self.forest_.apply(X)
        step = max(1, _MOST_WEIGHTS // len(self.targets_))
        parts = [self._find_quantiles(leaves[start : start + step], wanted) for start in range(0, len(leaves), step)]
        return np.vstack(parts)

    def _find_quantiles(self, leaves: Any, wanted: Any) -> Any:
        weights = np.zeros((len(leaves), len(self.targets_)))
        for tree in range(leaves.shape[1]):
            shared = leaves[:, tree, None] == self.leaves_[None, :, tree]
            weights += shared / np.maximum(shared.sum(axis=1, keepdims=True), 1)
        reached = np.cumsum(weights, axis=1) / weights.sum(axis=1, keepdims=True)
        places = [(reached >= quantile - 1e-12).argmax(axis=1) for quantile in wanted]
        return np.column_stack([self.targets_[place] for place in places])
