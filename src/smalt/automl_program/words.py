"""The service's words of AutoML for tables: tasks, metrics, algorithms and transformers, and FLAML's names for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

TABLE_TASKS = ("classification", "regression", "forecasting")

_REGRESSION_METRICS = {
    "spearman_correlation": True,
    "normalized_root_mean_squared_error": False,
    "r2_score": True,
    "normalized_mean_absolute_error": False,
}
PRIMARY_METRICS: Mapping[str, Mapping[str, bool]] = {
    "classification": {
        "AUC_weighted": True,
        "accuracy": True,
        "norm_macro_recall": True,
        "average_precision_score_weighted": True,
        "precision_score_weighted": True,
    },
    "regression": _REGRESSION_METRICS,
    "forecasting": _REGRESSION_METRICS,
}
"""The primary metrics of each task, with True for those that are maximised."""

DEFAULT_METRICS = {
    "classification": "AUC_weighted",
    "regression": "normalized_root_mean_squared_error",
    "forecasting": "normalized_root_mean_squared_error",
}

_SHARED = {
    "RandomForest": ("rf",),
    "ExtremeRandomTrees": ("extra_tree",),
    "LightGBM": ("lgbm",),
    "GradientBoosting": ("histgb",),
    "DecisionTree": ("decision_tree",),
    "KNN": ("knn",),
    "SGD": ("linear_sgd",),
}
_REGRESSORS = {
    **_SHARED,
    "XGBoostRegressor": ("xgboost", "xgb_limitdepth"),
    "ElasticNet": ("elastic_net",),
    "LassoLars": ("lasso_lars",),
}
ALGORITHMS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "classification": {
        **_SHARED,
        "XGBoostClassifier": ("xgboost", "xgb_limitdepth"),
        "LogisticRegression": ("logistic_regression",),
        "MultinomialNaiveBayes": ("multinomial_nb",),
        "BernoulliNaiveBayes": ("bernoulli_nb",),
        "SVM": ("svm",),
        "LinearSVM": ("linear_svm",),
    },
    "regression": _REGRESSORS,
    "forecasting": {
        **_REGRESSORS,
        "Naive": ("naive",),
        "SeasonalNaive": ("seasonal_naive",),
        "Average": ("average",),
        "SeasonalAverage": ("seasonal_average",),
        "ExponentialSmoothing": ("exponential_smoothing",),
        "AutoArima": ("auto_arima",),
        "Arimax": ("arimax",),
        "Prophet": ("prophet",),
        "TCNForecaster": (),
    },
}
"""The learners of each algorithm of the service, by task; those of an algorithm that smalt does not have are ()."""

SERIES_ALGORITHMS = (
    *("Naive", "SeasonalNaive", "Average", "SeasonalAverage", "ExponentialSmoothing"),
    *("AutoArima", "Arimax", "Prophet", "TCNForecaster"),
)
"""Algorithms of forecasting that fit each series by itself; the others learn from a table of lags and calendar."""

_DEFAULT_LEARNERS = {
    "classification": ("lgbm", "rf", "xgboost", "extra_tree", "xgb_limitdepth", "logistic_regression"),
    "regression": ("lgbm", "rf", "xgboost", "extra_tree", "xgb_limitdepth", "elastic_net"),
    "forecasting": ("lgbm", "extra_tree", "elastic_net", "xgboost", "rf"),
}

TRANSFORMERS = (
    *("TextTargetEncoder", "OneHotEncoder", "CatTargetEncoder", "TfIdf", "WoETargetEncoder", "LabelEncoder"),
    *("WordEmbedding", "NaiveBayes", "CountVectorizer", "HashOneHotEncoder"),
)
USED_TRANSFORMERS = ("TfIdf", "CountVectorizer", "HashOneHotEncoder")
COLUMN_TYPES = ("Numeric", "DateTime", "CategoricalHash", "Categorical", "Text", "Hashes", "Ignore", "AllNan")
IMPUTER_STRATEGIES = ("mean", "median", "most_frequent", "constant", "ffill", "bfill")
META_LEARNERS: Mapping[str, tuple[str, ...]] = {
    "classification": ("LogisticRegression", "LogisticRegressionCV", "LightGBMClassifier"),
    "regression": ("ElasticNet", "ElasticNetCV", "LightGBMRegressor", "LinearRegression"),
}


def fold_word(word: object) -> str:
    """Return a word without the differences of spelling: `light_gbm` and `LightGBM` are one."""
    return str(word).replace("_", "").replace("-", "").replace(" ", "").lower()


def find_word(word: object, words: Iterable[str]) -> str | None:
    """Return which of the words is meant, in whatever spelling."""
    folded = fold_word(word)
    return next((one for one in words if fold_word(one) == folded), None)


def find_primary_metric(task: str, word: object) -> str:
    """Return the service's name of the primary metric; without a word that of the task's default."""
    allowed = PRIMARY_METRICS.get(task, {})
    return (find_word(word, allowed) if word else None) or DEFAULT_METRICS.get(task) or str(word)


def get_algorithm(task: str, learner: str) -> str:
    """Return the service's name of a learner's algorithm."""
    return next((name for name, learners in ALGORITHMS[task].items() if learner in learners), learner)


def list_learners(task: str, allowed: Iterable[object] | None, blocked: Iterable[object] | None) -> list[str]:
    """Return the learners to try, the most promising first."""
    names = ALGORITHMS[task]
    excluded = {find_word(word, names) for word in blocked or ()}
    if allowed:
        chosen = [name for name in names if name in {find_word(word, names) for word in allowed}]
    else:
        chosen = [name for name in names if names[name]]
    possible = [learner for name in chosen if name not in excluded for learner in names[name]]
    if allowed:
        return possible
    usual = [learner for learner in _DEFAULT_LEARNERS[task] if learner in possible]
    if task == "forecasting":
        usual = [learner for name in SERIES_ALGORITHMS for learner in names[name] if learner in possible] + usual
    return usual or possible
