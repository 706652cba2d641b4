"""Checks of an AutoML job's settings that need no data."""

from __future__ import annotations

import difflib
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from . import words
from .problems import Remark

Settings = Mapping[str, Any]


def find_problems(settings: Settings) -> list[Remark]:
    """Return what is wrong with the settings, one sentence each."""
    task = settings.get("task")
    if task not in words.TABLE_TASKS:
        return [Remark(("task",), f"the task {task!r} is not one of tables: {', '.join(words.TABLE_TASKS)}")]
    return [
        *_check_metric(settings, task),
        *_check_algorithms(settings, task),
        *_check_ensembles(settings, task),
        *_check_featurization(settings, task),
        *_check_validation(settings, task),
        *_check_forecasting(settings, task),
        *_check_limits(settings),
        *_check_target(settings),
    ]


def find_ignored(settings: Settings) -> list[Remark]:
    """Return the fields that have no effect here, one sentence with the reason each."""
    return [
        *_list_ignored_limits(settings),
        *_list_ignored_training(settings),
        *_list_ignored_features(settings),
        *_list_ignored_columns(settings),
        *_list_ignored_forecasting(settings),
    ]


def list_featurized_columns(settings: Settings) -> list[tuple[str, str]]:
    """Return the key and the name of each column that the settings of featurization name."""
    featurization = _get_mapping(settings, "featurization")
    found = [
        ("featurization.column_name_and_types", str(name))
        for name in _get_mapping(featurization, "column_name_and_types")
    ]
    for transformer, entries in _get_mapping(featurization, "transformer_params").items():
        key = f"featurization.transformer_params.{transformer}"
        for entry in entries if isinstance(entries, list) else ():
            found += [(key, str(name)) for name in entry.get("fields") or ()]
    return found


def is_number(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except (TypeError, ValueError):
        return False


def _get_mapping(settings: Settings, name: str) -> Settings:
    value = settings.get(name)
    return value if isinstance(value, Mapping) else {}


def _suggest_word(word: object, allowed: Sequence[str]) -> str:
    close = difflib.get_close_matches(words.fold_word(word), [words.fold_word(one) for one in allowed], 1, 0.6)
    meant = words.find_word(close[0], allowed) if close else None
    return f"did you mean '{meant}'?" if meant else f"it may be {', '.join(allowed)}"


def _check_metric(settings: Settings, task: str) -> Iterator[Remark]:
    metric, allowed = settings.get("primary_metric"), tuple(words.PRIMARY_METRICS[task])
    if metric is not None and words.find_word(metric, allowed) is None:
        yield Remark(
            ("primary_metric",), f"{metric!r} is no primary metric of {task}; {_suggest_word(metric, allowed)}"
        )


def _check_algorithms(settings: Settings, task: str) -> list[Remark]:
    training, names = _get_mapping(settings, "training"), words.ALGORITHMS[task]
    allowed = training.get("allowed_training_algorithms") or ()
    blocked = training.get("blocked_training_algorithms") or ()
    found = []
    for key, given in (("allowed_training_algorithms", allowed), ("blocked_training_algorithms", blocked)):
        for index, word in enumerate(given):
            path = ("training", key, index)
            name = words.find_word(word, names)
            if name is None:
                hint = _suggest_word(word, tuple(names))
                found.append(Remark(path, f"{word!r} is no algorithm of {task}; {hint}"))
            elif not names[name] and key.startswith("allowed"):
                text = f"smalt has no {name}: FLAML trains no deep forecaster; leave it out or allow others"
                found.append(Remark(path, text))
    if not found and not words.list_learners(task, allowed, blocked):
        key = "allowed_training_algorithms" if allowed else "blocked_training_algorithms"
        found.append(Remark(("training", key), "no algorithm is left, since all of them are blocked"))
    return found


def _check_ensembles(settings: Settings, task: str) -> Iterator[Remark]:
    stack = _get_mapping(_get_mapping(settings, "training"), "stack_ensemble_settings")
    learner = stack.get("stack_meta_learner_type")
    allowed = words.META_LEARNERS["classification" if task == "classification" else "regression"]
    path = ("training", "stack_ensemble_settings", "stack_meta_learner_type")
    if learner not in (None, "none", "None") and words.find_word(learner, allowed) is None:
        yield Remark(path, f"{learner!r} is no meta learner of {task}; {_suggest_word(learner, allowed)}")


def _check_featurization(settings: Settings, task: str) -> Iterator[Remark]:
    featurization = _get_mapping(settings, "featurization")
    for index, word in enumerate(featurization.get("blocked_transformers") or ()):
        if words.find_word(word, words.TRANSFORMERS) is None:
            hint = _suggest_word(word, words.TRANSFORMERS)
            yield Remark(("featurization", "blocked_transformers", index), f"{word!r} is no transformer; {hint}")
    for column, kind in _get_mapping(featurization, "column_name_and_types").items():
        if words.find_word(kind, words.COLUMN_TYPES) is None:
            hint = _suggest_word(kind, words.COLUMN_TYPES)
            yield Remark(("featurization", "column_name_and_types", column), f"{kind!r} is no column type; {hint}")
    for name, entries in _get_mapping(featurization, "transformer_params").items():
        path = ("featurization", "transformer_params", name)
        known = words.find_word(name, ("Imputer", "HashOneHotEncoder", "TfIdf"))
        if known is None:
            yield Remark(
                path,
                f"parameters of {name!r} cannot be set; smalt takes those of imputer, tf_idf, hash_one_hot_encoder",
            )
        elif known == "Imputer":
            numeric = _list_numeric_columns(settings, task)
            for index, entry in enumerate(entries or ()):
                yield from _check_imputer((*path, index), entry, task, numeric)


def _list_numeric_columns(settings: Settings, task: str) -> set[object]:
    """Return the columns that are numbers by the settings; the data tell of the others."""
    types = _get_mapping(_get_mapping(settings, "featurization"), "column_name_and_types")
    found: set[object] = {
        name for name, kind in types.items() if words.find_word(kind, words.COLUMN_TYPES) == "Numeric"
    }
    return found | ({settings.get("target_column_name")} if task == "forecasting" else set())


def _check_imputer(path: tuple[str | int, ...], entry: Any, task: str, numeric: Collection[object]) -> Iterator[Remark]:
    parameters = _get_mapping(entry, "parameters") if isinstance(entry, Mapping) else {}
    strategy, fill = parameters.get("strategy", "mean"), parameters.get("fill_value")
    if strategy not in words.IMPUTER_STRATEGIES:
        hint = _suggest_word(strategy, words.IMPUTER_STRATEGIES)
        yield Remark((*path, "parameters", "strategy"), f"{strategy!r} is no strategy of the imputer; {hint}")
    elif strategy in ("ffill", "bfill") and task != "forecasting":
        text = f"{strategy!r} fills from the row before or after, which has a meaning in a forecast only"
        yield Remark((*path, "parameters", "strategy"), text)
    elif strategy == "constant" and fill is None:
        yield Remark((*path, "parameters"), "the strategy 'constant' needs 'fill_value'")
    elif strategy == "constant" and not is_number(fill):
        for name in entry.get("fields") or ():
            if name in numeric:
                text = f"the column '{name}' is of numbers, and the fill value {fill!r} is not a number"
                yield Remark((*path, "parameters", "fill_value"), text)


def _check_validation(settings: Settings, task: str) -> Iterator[Remark]:
    for key in ("validation_data_size", "test_data_size"):
        size = settings.get(key)
        if size is not None and not 0 < float(size) < 1:
            yield Remark((key,), f"{key} is a part of the training data between 0 and 1, not {size}")
    folds = settings.get("n_cross_validations")
    if isinstance(folds, int) and folds < 2:
        yield Remark(("n_cross_validations",), f"n_cross_validations is at least 2, not {folds}")
    if settings.get("validation_data") is not None:
        for key in ("validation_data_size", "n_cross_validations", "cv_split_column_names"):
            if settings.get(key) not in (None, "auto"):
                yield Remark((key,), f"give either validation_data or {key}, not both")
    elif settings.get("cv_split_column_names") and (isinstance(folds, int) or settings.get("validation_data_size")):
        yield Remark(("cv_split_column_names",), "give either cv_split_column_names or another validation, not both")
    if settings.get("test_data") is not None and settings.get("test_data_size") is not None:
        yield Remark(("test_data_size",), "give either test_data or test_data_size, not both")
    if task == "forecasting":
        for key in ("validation_data_size", "cv_split_column_names", "test_data_size"):
            if settings.get(key):
                yield Remark(
                    (key,), f"{key} has no meaning for forecasting: the folds are the last horizons of the series"
                )


def _check_forecasting(settings: Settings, task: str) -> Iterator[Remark]:
    forecasting = _get_mapping(settings, "forecasting")
    if task != "forecasting":
        return
    if not forecasting.get("time_column_name"):
        yield Remark(("forecasting",), "a forecast needs 'time_column_name' under 'forecasting'")
    for key in ("forecast_horizon", "target_rolling_window_size", "seasonality", "cv_step_size"):
        value = forecasting.get(key)
        if isinstance(value, int) and value < 1:
            yield Remark(("forecasting", key), f"{key} is at least 1, not {value}")
    lags = forecasting.get("target_lags")
    if any(isinstance(lag, int) and lag < 1 for lag in (lags if isinstance(lags, list) else [lags])):
        yield Remark(("forecasting", "target_lags"), "each of target_lags is at least 1")


def _check_limits(settings: Settings) -> Iterator[Remark]:
    if _get_mapping(settings, "limits").get("max_cores_per_trial") == 0:
        yield Remark(("limits", "max_cores_per_trial"), "max_cores_per_trial is at least 1, or -1 for all cores, not 0")


def _check_target(settings: Settings) -> Iterator[Remark]:
    """Refuse the target column in another part."""
    target = settings.get("target_column_name")
    for path, names in _list_parts(settings):
        if target in names:
            yield Remark(path, f"'{target}' is the target column; {path[-1]} needs another")


def _list_parts(settings: Settings) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield the key and the columns of each part that a table has beside target and features."""
    forecasting = _get_mapping(settings, "forecasting")
    for path, value in (
        (("weight_column_name",), settings.get("weight_column_name")),
        (("cv_split_column_names",), settings.get("cv_split_column_names")),
        (("forecasting", "time_column_name"), forecasting.get("time_column_name")),
        (("forecasting", "time_series_id_column_names"), forecasting.get("time_series_id_column_names")),
    ):
        yield path, value if isinstance(value, list) else [value] if value else []


def _list_ignored_limits(settings: Settings) -> Iterator[Remark]:
    limits = _get_mapping(settings, "limits")
    if (limits.get("max_concurrent_trials") or 1) > 1:
        text = "trials run one at a time, each on all cores: FLAML learns from each trial which to try next"
        yield Remark(("limits", "max_concurrent_trials"), text)
    if (limits.get("max_nodes") or 1) > 1:
        yield Remark(("limits", "max_nodes"), "the search is one process on one machine")


def _list_ignored_training(settings: Settings) -> Iterator[Remark]:
    training = _get_mapping(settings, "training")
    if training.get("enable_dnn_training"):
        yield Remark(("training", "enable_dnn_training"), "FLAML's models of tables are not networks")
    if training.get("enable_onnx_compatible_models"):
        yield Remark(("training", "enable_onnx_compatible_models"), "models are kept in MLflow's format only")
    if words.fold_word(training.get("training_mode") or "auto") == "distributed":
        yield Remark(("training", "training_mode"), "the search is one process on one machine")
    if training.get("ensemble_model_download_timeout_minutes"):
        text = "the models of an ensemble are trained in the search's own process, so none is fetched"
        yield Remark(("training", "ensemble_model_download_timeout_minutes"), text)
    stack = _get_mapping(training, "stack_ensemble_settings")
    if settings.get("task") != "forecasting" and stack.get("stack_meta_learner_train_percentage") is not None:
        text = "the meta learner learns from the predictions for all validation rows"
        yield Remark(("training", "stack_ensemble_settings", "stack_meta_learner_train_percentage"), text)


def _list_ignored_features(settings: Settings) -> Iterator[Remark]:
    featurization = _get_mapping(settings, "featurization")
    for index, word in enumerate(featurization.get("blocked_transformers") or ()):
        name = words.find_word(word, words.TRANSFORMERS)
        if name and name not in words.USED_TRANSFORMERS:
            is_encoder = name in ("OneHotEncoder", "LabelEncoder")
            text = "categories are codes for trees, and columns for other models, in any case" if is_encoder else ""
            text = text or f"smalt uses no {name} anyway"
            yield Remark(("featurization", "blocked_transformers", index), text)
    language = featurization.get("dataset_language")
    if language and words.fold_word(language) not in ("eng", "en", "english"):
        yield Remark(("featurization", "dataset_language"), "words are counted in every language alike")
    if featurization.get("enable_dnn_featurization"):
        yield Remark(
            ("featurization", "enable_dnn_featurization"), "text columns are counted by TF-IDF, not by a network"
        )


def _list_ignored_columns(settings: Settings) -> Iterator[Remark]:
    """Yield a remark for each column that featurization names and that is no feature."""
    target, is_forecast = settings.get("target_column_name"), settings.get("task") == "forecasting"
    parts = {name: path[-1] for path, names in _list_parts(settings) for name in names}
    for key, name in list_featurized_columns(settings):
        part = "target_column_name" if name == target else parts.get(name)
        is_filled = is_forecast and words.fold_word(key.rpartition(".")[2]) == "imputer"  # target, or ffill of any
        if part is not None and not is_filled:
            yield Remark((*key.split("."), name), f"'{name}' is no feature, but {part}")


def _list_ignored_forecasting(settings: Settings) -> Iterator[Remark]:
    if settings.get("task") != "forecasting":
        return
    forecasting, training = _get_mapping(settings, "forecasting"), _get_mapping(settings, "training")
    if words.fold_word(forecasting.get("feature_lags") or "none") != "none":
        yield Remark(("forecasting", "feature_lags"), "the lags that are features are those of the target")
    if words.fold_word(forecasting.get("use_stl") or "none") != "none":
        text = "season and trend are features by the calendar, sine and cosine, and lags of the target"
        yield Remark(("forecasting", "use_stl"), text)
    if settings.get("weight_column_name"):
        yield Remark(("weight_column_name",), "all steps of a forecast weigh the same")
    if training.get("enable_stack_ensemble"):
        yield Remark(("training", "enable_stack_ensemble"), "forecasts are combined by a vote only")
    if _get_mapping(training, "stack_ensemble_settings"):
        yield Remark(("training", "stack_ensemble_settings"), "forecasts are combined by a vote only")
