"""Learners of the search: FLAML's, and some of scikit-learn's that FLAML has not, in FLAML's form.

A learner that fails does not end the search: `failure` says why, and its trial counts as failed.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from flaml import tune
from flaml.automl.contrib.histgb import HistGradientBoostingEstimator
from flaml.automl.model import (
    BaseEstimator,
    ExtraTreesEstimator,
    LGBMEstimator,
    RandomForestEstimator,
    XGBoostLimitDepthEstimator,
    XGBoostSklearnEstimator,
)
from sklearn.dummy import DummyClassifier, DummyRegressor

from .models import EncodedModel


class SearchStop(BaseException):
    """The end of the search, raised from within: no `except Exception` of a library may catch it."""


class PlainLearner(BaseEstimator):
    """A model of scikit-learn, with categories one column each and numbers scaled."""

    limit_resource = True
    encoding, scaling = "one_hot", "standard"
    cost = 20.0

    def __init__(self, task: Any = "binary", **config: Any) -> None:
        super().__init__(task, **config)
        self.threads = self.params.pop("n_jobs", None)
        self.params.pop("random_seed", None)
        self.is_classes = self._task.is_classification()

    @classmethod
    def cost_relative2lgbm(cls) -> float:
        return cls.cost

    def make_model(self) -> Any:
        raise NotImplementedError

    def _fit(self, features: Any, truth: Any, sample_weight: Any = None, **_: Any) -> float:
        start = time.time()
        model = EncodedModel(self.make_model(), self.encoding, self.scaling)
        self._model = model.fit(features, truth, sample_weight)
        return time.time() - start


def _spread(lower: float, upper: float, first: float) -> dict[str, Any]:
    return {"domain": tune.loguniform(lower=lower, upper=upper), "init_value": first}


class LogisticLearner(PlainLearner):
    cost = 3.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {"C": _spread(0.001, 1000.0, 1.0)}

    def make_model(self) -> Any:
        from sklearn.linear_model import LogisticRegression

        return LogisticRegression(max_iter=500, **self.params)


class StochasticGradientLearner(PlainLearner):
    cost = 10.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        losses = ["log_loss", "modified_huber"] if task.is_classification() else ["squared_error", "huber"]
        return {
            "alpha": _spread(1e-6, 1.0, 1e-4),
            "loss": {"domain": tune.choice(losses), "init_value": losses[0]},
            "penalty": {"domain": tune.choice(["l2", "l1", "elasticnet"]), "init_value": "l2"},
        }

    def make_model(self) -> Any:
        from sklearn.linear_model import SGDClassifier, SGDRegressor

        return (SGDClassifier if self.is_classes else SGDRegressor)(random_state=0, **self.params)


class VectorLearner(PlainLearner):
    cost = 100.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {
            "C": _spread(0.01, 1000.0, 1.0),
            "gamma": {"domain": tune.choice(["scale", "auto"]), "init_value": "scale"},
        }

    def make_model(self) -> Any:
        from sklearn.svm import SVC

        return SVC(decision_function_shape="ovr", cache_size=500, **self.params)


class LinearVectorLearner(PlainLearner):
    cost = 30.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {"C": _spread(0.001, 1000.0, 1.0)}

    def make_model(self) -> Any:
        from sklearn.svm import LinearSVC

        return LinearSVC(dual=False, random_state=0, **self.params)


class NeighborLearner(PlainLearner):
    cost = 30.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        upper = max(3, min(200, int(data_size[0] / 3)))
        return {
            "n_neighbors": {"domain": tune.lograndint(lower=1, upper=upper), "init_value": min(5, upper - 1)},
            "weights": {"domain": tune.choice(["uniform", "distance"]), "init_value": "distance"},
        }

    def make_model(self) -> Any:
        from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

        return (KNeighborsClassifier if self.is_classes else KNeighborsRegressor)(n_jobs=self.threads, **self.params)

    def _fit(self, features: Any, truth: Any, sample_weight: Any = None, **more: Any) -> float:
        return super()._fit(features, truth, None, **more)


class TreeLearner(PlainLearner):
    encoding, scaling = "codes", "none"
    cost = 1.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {
            "max_depth": {"domain": tune.randint(lower=1, upper=25), "init_value": 6, "low_cost_init_value": 2},
            "min_samples_leaf": {"domain": tune.lograndint(lower=1, upper=200), "init_value": 10},
        }

    def make_model(self) -> Any:
        from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

        return (DecisionTreeClassifier if self.is_classes else DecisionTreeRegressor)(random_state=0, **self.params)


class MultinomialLearner(PlainLearner):
    scaling = "unit"  # counts cannot be negative
    cost = 2.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {"alpha": _spread(0.001, 10.0, 1.0)}

    def make_model(self) -> Any:
        from sklearn.naive_bayes import MultinomialNB

        return MultinomialNB(**self.params)


class BernoulliLearner(PlainLearner):
    cost = 2.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {"alpha": _spread(0.001, 10.0, 1.0)}

    def make_model(self) -> Any:
        from sklearn.naive_bayes import BernoulliNB

        return BernoulliNB(**self.params)


class ElasticNetLearner(PlainLearner):
    cost = 2.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {
            "alpha": _spread(1e-5, 10.0, 0.01),
            "l1_ratio": {"domain": tune.uniform(lower=0.0, upper=1.0), "init_value": 0.5},
        }

    def make_model(self) -> Any:
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.linear_model import ElasticNet
        from sklearn.preprocessing import StandardScaler

        return TransformedTargetRegressor(ElasticNet(max_iter=2000, **self.params), transformer=StandardScaler())


class LassoLarsLearner(PlainLearner):
    cost = 10.0

    @classmethod
    def search_space(cls, data_size: Any, task: Any, **params: Any) -> dict[str, Any]:
        return {"alpha": _spread(1e-5, 1.0, 0.01)}

    def make_model(self) -> Any:
        from sklearn.compose import TransformedTargetRegressor
        from sklearn.linear_model import LassoLars
        from sklearn.preprocessing import StandardScaler

        return TransformedTargetRegressor(LassoLars(random_state=0, **self.params), transformer=StandardScaler())

    def _fit(self, features: Any, truth: Any, sample_weight: Any = None, **more: Any) -> float:
        return super()._fit(features, truth, None, **more)


_CLASSES: dict[str, type[Any]] = {
    "lgbm": LGBMEstimator,
    "rf": RandomForestEstimator,
    "extra_tree": ExtraTreesEstimator,
    "xgboost": XGBoostSklearnEstimator,
    "xgb_limitdepth": XGBoostLimitDepthEstimator,
    "histgb": HistGradientBoostingEstimator,
    "logistic_regression": LogisticLearner,
    "linear_sgd": StochasticGradientLearner,
    "svm": VectorLearner,
    "linear_svm": LinearVectorLearner,
    "knn": NeighborLearner,
    "decision_tree": TreeLearner,
    "multinomial_nb": MultinomialLearner,
    "bernoulli_nb": BernoulliLearner,
    "elastic_net": ElasticNetLearner,
    "lasso_lars": LassoLarsLearner,
}
IGNORES_WEIGHTS = ("knn", "lasso_lars")


def make_learner(name: str) -> type[Any]:
    """Return the class of a learner that keeps its failure instead of raising it."""
    base: Any = _CLASSES[name]

    class SafeLearner(base):
        failure: str | None = None
        learner_name = name

        def fit(self, X_train: Any, y_train: Any, budget: Any = None, free_mem_ratio: float = 0, **more: Any) -> Any:
            self.failure = None
            start = time.time()
            try:
                super().fit(X_train, y_train, budget=budget, free_mem_ratio=free_mem_ratio, **more)
            except Exception as error:
                self.failure = (
                    f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else ''}"
                )
                self._model = self._make_dummy().fit(np.zeros((len(y_train), 1)), y_train)
            if self.failure is None and isinstance(self._model, (DummyClassifier, DummyRegressor)):
                self.failure = "it ran out of time or memory"
            return time.time() - start

        def _make_dummy(self) -> Any:
            return DummyClassifier() if self._task.is_classification() else DummyRegressor()

    SafeLearner.__name__ = base.__name__
    return SafeLearner


def unwrap_model(learner: Any) -> EncodedModel:
    """Return a fitted learner's model without FLAML around it, which predicts from features."""
    model, name = learner.model, learner.learner_name
    if isinstance(model, EncodedModel):
        return model
    if hasattr(model, "set_params") and name.startswith("xgb"):
        model.set_params(callbacks=None)
    return EncodedModel(model, "native" if name == "lgbm" else "codes")
