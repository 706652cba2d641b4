"""The estimators of scikit-learn behind the learners."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.cluster import KMeans
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    IsolationForest,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, PoissonRegressor, Ridge
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.svm import SVC, SVR

from ..problems import ComponentError
from .definitions import LearnerDefinition
from .pca_detector import PcaDetector
from .quantile_forest import QuantileForest

Parameters = dict[str, Any]


def make_estimator(definition: LearnerDefinition) -> Any:
    """Return the estimator of a learner, without the preparation of features."""
    if definition.base:
        return OneVsRestClassifier(make_estimator(definition.base))
    return _BUILDERS[definition.name](definition.parameters)


def _make_linear(given: Parameters) -> Any:
    weight, intercept = given["l2_regularization_weight"], given["include_intercept_term"]
    if weight == 0:
        return LinearRegression(fit_intercept=intercept)
    return Ridge(alpha=weight, fit_intercept=intercept)


def _make_logistic(given: Parameters) -> Any:
    weight = given["l2_regularization_weight"]
    strength = 1 / weight if weight else float("inf")
    return LogisticRegression(C=strength, max_iter=given["number_of_iterations"])


def _make_trees(kind: Any) -> Callable[[Parameters], Any]:
    return lambda given: kind(
        max_iter=given["number_of_trees"],
        max_leaf_nodes=given["maximum_leaves_per_tree"],
        min_samples_leaf=given["minimum_samples_per_leaf"],
        learning_rate=given["learning_rate"],
        early_stopping=False,
        random_state=given["random_seed"],
    )


def _make_forest(kind: Any) -> Callable[[Parameters], Any]:
    return lambda given: kind(
        n_estimators=given["number_of_trees"],
        max_depth=given["maximum_depth"],
        min_samples_leaf=given["minimum_samples_per_leaf"],
        random_state=given["random_seed"],
    )


def _make_network(kind: Any) -> Callable[[Parameters], Any]:
    return lambda given: kind(
        hidden_layer_sizes=parse_layers(given["hidden_nodes"]),
        learning_rate_init=given["learning_rate"],
        max_iter=given["number_of_iterations"],
        alpha=given["l2_regularization_weight"],
        random_state=given["random_seed"],
    )


def parse_layers(text: str) -> tuple[int, ...]:
    """Return the sizes of a network's hidden layers: '100' or '64, 32'."""
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        sizes = (0,)
    if min(sizes) < 1:
        raise ComponentError(f"hidden_nodes is '{text}'; give the nodes of each hidden layer, such as 100 or 64, 32")
    return sizes


def _make_clusters(given: Parameters) -> Any:
    return KMeans(
        n_clusters=given["number_of_centroids"],
        init=given["initialization"].replace("_plus_plus", "++").replace("k_means", "k-means"),
        max_iter=given["iterations"],
        n_init=10,
        random_state=given["random_seed"],
    )


def parse_quantiles(text: str) -> tuple[float, ...]:
    """Return the quantiles of a list such as '0.25, 0.5'."""
    try:
        quantiles = tuple(float(part) for part in text.split(","))
    except ValueError:
        quantiles = (0.0,)
    if not all(0 < quantile < 1 for quantile in quantiles):
        raise ComponentError(f"quantiles is '{text}'; give numbers between 0 and 1, such as 0.25, 0.5, 0.75")
    return quantiles


def _make_quantiles(given: Parameters) -> Any:
    return QuantileForest(
        quantiles=parse_quantiles(given["quantiles"]),
        n_estimators=given["number_of_trees"],
        max_depth=given["maximum_depth"],
        min_samples_leaf=given["minimum_samples_per_leaf"],
        random_state=given["random_seed"],
    )


_BUILDERS: dict[str, Callable[[Parameters], Any]] = {
    "linear_regression": _make_linear,
    "boosted_decision_tree_regression": _make_trees(HistGradientBoostingRegressor),
    "decision_forest_regression": _make_forest(RandomForestRegressor),
    "support_vector_regression": lambda given: SVR(kernel=given["kernel"], C=given["c"], epsilon=given["epsilon"]),
    "neural_network_regression": _make_network(MLPRegressor),
    "poisson_regression": lambda given: PoissonRegressor(
        alpha=given["l2_regularization_weight"], max_iter=given["number_of_iterations"]
    ),
    "fast_forest_quantile_regression": _make_quantiles,
    "logistic_regression": _make_logistic,
    "boosted_decision_tree_classification": _make_trees(HistGradientBoostingClassifier),
    "decision_forest_classification": _make_forest(RandomForestClassifier),
    "support_vector_machine": lambda given: SVC(kernel=given["kernel"], C=given["c"]),
    "neural_network_classification": _make_network(MLPClassifier),
    "k_means_clustering": _make_clusters,
    "pca_based_anomaly_detection": lambda given: PcaDetector(
        given["number_of_components"], given["anomaly_fraction"], given["random_seed"]
    ),
    "isolation_forest_anomaly_detection": lambda given: IsolationForest(
        n_estimators=given["number_of_trees"],
        contamination=given["anomaly_fraction"],
        random_state=given["random_seed"],
    ),
}
