"""The learners: what each is for, its parameters, and the values that tuning tries by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

REGRESSION, CLASSIFICATION = "regression", "classification"
CLUSTERING, ANOMALIES = "clustering", "anomalies"


class Learner(NamedTuple):
    """A learner; `ranges` has the values that tuning tries for a parameter."""

    task: str
    parameters: Mapping[str, type]
    ranges: Mapping[str, Sequence[float]]
    is_scaled: bool = False
    """True if its features are brought to mean 0 and deviation 1."""
    takes_missing: bool = False
    """True if features may be missing."""


_TREES = {
    "number_of_trees": int,
    "maximum_leaves_per_tree": int,
    "minimum_samples_per_leaf": int,
    "learning_rate": float,
    "random_seed": int,
}
_TREE_RANGES: dict[str, Sequence[float]] = {
    "number_of_trees": [20, 100, 500],
    "maximum_leaves_per_tree": [8, 32, 128],
    "learning_rate": [0.025, 0.05, 0.1, 0.2, 0.4],
}
_FOREST = {
    "number_of_trees": int,
    "maximum_depth": int,
    "minimum_samples_per_leaf": int,
    "random_seed": int,
}
_FOREST_RANGES = {
    "number_of_trees": [10, 50, 200],
    "maximum_depth": [4, 16, 64],
    "minimum_samples_per_leaf": [1, 4, 16],
}
_NETWORK = {
    "hidden_nodes": str,
    "learning_rate": float,
    "number_of_iterations": int,
    "l2_regularization_weight": float,
    "random_seed": int,
}
_NETWORK_RANGES = {"learning_rate": [0.0005, 0.001, 0.005, 0.02], "l2_regularization_weight": [0.00001, 0.0001, 0.01]}
_MACHINE_RANGES = {"c": [0.1, 1, 10, 100]}

LEARNERS = {
    "linear_regression": Learner(
        REGRESSION,
        {"l2_regularization_weight": float, "include_intercept_term": bool},
        {"l2_regularization_weight": [0.0001, 0.001, 0.01, 0.1, 1, 10]},
    ),
    "boosted_decision_tree_regression": Learner(REGRESSION, _TREES, _TREE_RANGES, takes_missing=True),
    "decision_forest_regression": Learner(REGRESSION, _FOREST, _FOREST_RANGES),
    "support_vector_regression": Learner(
        REGRESSION, {"kernel": str, "c": float, "epsilon": float}, _MACHINE_RANGES, is_scaled=True
    ),
    "neural_network_regression": Learner(REGRESSION, _NETWORK, _NETWORK_RANGES, is_scaled=True),
    "poisson_regression": Learner(
        REGRESSION,
        {"l2_regularization_weight": float, "number_of_iterations": int},
        {"l2_regularization_weight": [0.0001, 0.001, 0.01, 0.1, 1, 10]},
        is_scaled=True,
    ),
    "fast_forest_quantile_regression": Learner(REGRESSION, {"quantiles": str, **_FOREST}, _FOREST_RANGES),
    "logistic_regression": Learner(
        CLASSIFICATION,
        {"l2_regularization_weight": float, "number_of_iterations": int},
        {"l2_regularization_weight": [0.01, 0.1, 1, 10]},
        is_scaled=True,
    ),
    "boosted_decision_tree_classification": Learner(CLASSIFICATION, _TREES, _TREE_RANGES, takes_missing=True),
    "decision_forest_classification": Learner(CLASSIFICATION, _FOREST, _FOREST_RANGES),
    "support_vector_machine": Learner(CLASSIFICATION, {"kernel": str, "c": float}, _MACHINE_RANGES, is_scaled=True),
    "neural_network_classification": Learner(CLASSIFICATION, _NETWORK, _NETWORK_RANGES, is_scaled=True),
    "k_means_clustering": Learner(
        CLUSTERING,
        {"number_of_centroids": int, "initialization": str, "iterations": int, "normalize": bool, "random_seed": int},
        {},
    ),
    "pca_based_anomaly_detection": Learner(
        ANOMALIES, {"number_of_components": int, "anomaly_fraction": float, "random_seed": int}, {}, is_scaled=True
    ),
    "isolation_forest_anomaly_detection": Learner(
        ANOMALIES, {"number_of_trees": int, "anomaly_fraction": float, "random_seed": int}, {}
    ),
}
