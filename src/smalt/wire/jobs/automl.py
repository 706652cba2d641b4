"""AutoML jobs, whose task stands in `taskDetails`; and what AutoML steps have beyond other steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from smalt.entities.jobs.automl import settings as nouns
from smalt.entities.jobs.automl.job import AutoMLJob
from smalt.entities.jobs.search_space import DISTRIBUTION
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case, to_camel, to_pascal, to_snake
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule, to_plain
from smalt.wire.encoding.envelope import Envelope
from smalt.wire.jobs.command import JOB, JOB_DEFAULTS
from smalt.wire.jobs.finetuning import write_data
from smalt.wire.jobs.inputs import read_input
from smalt.wire.jobs.settings import SHARED
from smalt.wire.jobs.sweep import EARLY_TERMINATION

_TASK_NAMES = {"text_ner": "TextNER"}
_METRICS = {"auc_weighted": "AUCWeighted", "iou": "IOU"}
_ALGORITHMS = {
    "knn": "KNN",
    "sgd": "SGD",
    "svm": "SVM",
    "linear_svm": "LinearSVM",
    "xg_boost_classifier": "XGBoostClassifier",
    "xg_boost_regressor": "XGBoostRegressor",
    "light_gbm": "LightGBM",
    "tcn_forecaster": "TCNForecaster",
}


def _make_words_rule(special: Mapping[str, str]) -> tuple[Any, Any]:
    def write(value: Any) -> Any:
        return special.get(value) or to_pascal(value) if isinstance(value, str) and "${{" not in value else value

    known = {fold_case(wire): name for name, wire in special.items()}

    def read(value: Any) -> Any:
        return (
            known.get(fold_case(value)) or to_snake(value) if isinstance(value, str) and "${{" not in value else value
        )

    return write, read


def _make_word_rule(key: str, special: Mapping[str, str] | None = None) -> Rule:
    """A word, or a list of words, in PascalCase there."""
    write, read = _make_words_rule(special or {})

    def both(change: Any, value: Any) -> Any:
        return [change(item) for item in value] if isinstance(value, list) else change(value)

    return Rule(
        key,
        lambda value, writing: to_plain(value) if writing.in_node else both(write, value),
        lambda value, path, reader: both(read, value),
    )


def _write_minutes(value: Any, writing: Writing) -> Any:
    if writing.in_node or not isinstance(value, int):
        return value
    hours, minutes = divmod(value, 60)
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes or not hours else ''}"


def _read_minutes(value: Any, path: Path, reader: Reader) -> Any:
    from smalt.entities.syntax.durations import parse_iso

    seconds = parse_iso(value) if isinstance(value, str) else None
    return value if seconds is None else max(1, int(seconds // 60))


def _make_number_rule(key: str, inner: str = "value") -> Rule:
    """`{"mode": "Custom", "value": 3}`, or `{"mode": "Auto"}`"""

    def write(value: Any, writing: Writing) -> Any:
        if writing.in_node:
            return to_plain(value)
        if value == "auto":
            return {"mode": "Auto"}
        return {"mode": "Custom", inner: value if inner == "value" or isinstance(value, list) else [value]}

    def read(value: Any, path: Path, reader: Reader) -> Any:
        if not isinstance(value, Mapping):
            return value
        found = value.get(inner)
        return "auto" if found is None else found

    return Rule(key, write, read)


_LIMITS = Codec(
    nouns.AutoMLLimits,
    {
        "timeout_minutes": Rule("timeout", _write_minutes, _read_minutes),
        "trial_timeout_minutes": Rule("trialTimeout", _write_minutes, _read_minutes),
    },
)
_TRAINING = Codec(
    nouns.Training,
    {
        "allowed_training_algorithms": _make_word_rule("allowedTrainingAlgorithms", _ALGORITHMS),
        "blocked_training_algorithms": _make_word_rule("blockedTrainingAlgorithms", _ALGORITHMS),
    },
)
_FORECASTING = Codec(
    nouns.ForecastingSettings,
    {
        "forecast_horizon": _make_number_rule("forecastHorizon"),
        "target_lags": _make_number_rule("targetLags", "values"),
        "target_rolling_window_size": _make_number_rule("targetRollingWindowSize"),
        "seasonality": _make_number_rule("seasonality"),
    },
)


def _write_transformers(value: Mapping[str, Any], writing: Writing) -> Any:
    return {to_pascal(name): to_plain(item) for name, item in value.items()}


def _read_transformers(value: Any, path: Path, reader: Reader) -> Any:
    return {to_snake(str(name)): item for name, item in value.items()} if isinstance(value, Mapping) else value


_FEATURIZATION = Codec(
    nouns.Featurization,
    {
        "blocked_transformers": _make_word_rule("blockedTransformers"),
        "transformer_params": Rule("transformerParams", _write_transformers, _read_transformers),
    },
)
_SWEEP = Codec(nouns.AutoMLSweep, {"early_termination": make_nested_rule(EARLY_TERMINATION, "earlyTermination")})


def _make_settings_codec(codec: Codec[Any], key: str) -> Rule:
    """Settings, which a step has as in YAML."""

    def write(value: Any, writing: Writing) -> Any:
        return to_plain(value) if writing.in_node else codec.write(value, writing)

    return Rule(key, write, codec.read)


def _write_parameters(value: Any, writing: Writing) -> Any:
    return to_plain(value) if writing.in_node else {to_camel(name): to_plain(item) for name, item in value.items()}


def _write_spaces(value: Any, writing: Writing) -> Any:
    """Hyperparameters that are varied are text there, in jobs and steps: `uniform(0.1,0.9)`."""
    name_of = str if writing.in_node else to_camel
    return [{name_of(name): _write_distribution(to_plain(item)) for name, item in space.items()} for space in value]


def _write_distribution(value: Any) -> str:
    if not isinstance(value, dict) or "type" not in value:
        return _write_argument(value) if isinstance(value, float) else str(value)
    arguments = value["values"] if value["type"] == "choice" else [item for key, item in value.items() if key != "type"]
    return f"{value['type']}({','.join(map(_write_argument, arguments))})"


def _write_argument(value: Any) -> str:
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")  # the service reads no 1e-05
    return f"'{value}'" if isinstance(value, str) else str(value)


_TEXT = re.compile(r"([a-z]+)\((.*)\)", re.IGNORECASE)


def _read_spaces(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, list):
        return value
    spaces = [_read_parameters(space, path, reader) for space in value]
    return [
        {name: _read_distribution(item) for name, item in space.items()} if isinstance(space, Mapping) else space
        for space in spaces
    ]


def _read_distribution(value: Any) -> Any:
    found = _TEXT.fullmatch(value.strip()) if isinstance(value, str) else None
    kind = DISTRIBUTION.table.get(found[1].lower()) if found else None
    if found is None or kind is None:
        return _read_literal(value) if isinstance(value, str) else value
    arguments = [_read_literal(item) for item in found[2].split(",") if item.strip()]
    order: tuple[str, ...] = load_noun(kind)._order  # type: ignore[attr-defined]
    if order == ("values",):
        return {"type": "choice", "values": arguments}
    return {"type": found[1].lower(), **dict(zip(order, arguments, strict=False))}


def _read_literal(text: str) -> Any:
    """Return the value that the service's client reads from a text."""
    text = text.strip()
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text == "True" if text in ("True", "False") else text.strip("'\"")


def _read_parameters(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {to_snake(str(name)): item for name, item in value.items() if item is not None}


def _make_data_rule(key: str) -> Rule:
    def read(value: Any, path: Path, reader: Reader) -> Any:
        return read_input(value, path, reader) if isinstance(value, Mapping) else value

    return Rule(key, lambda value, writing: write_data(value, writing, "mltable"), read)


_DETAILS = {
    "task": _make_word_rule("taskType", _TASK_NAMES),
    "primary_metric": _make_word_rule("primaryMetric", _METRICS),
    "training_data": _make_data_rule("trainingData"),
    "validation_data": _make_data_rule("validationData"),
    "test_data": _make_data_rule("testData"),
    "n_cross_validations": _make_number_rule("nCrossValidations"),
    "log_verbosity": _make_word_rule("logVerbosity"),
    "limits": _make_settings_codec(_LIMITS, "limitSettings"),
    "training": _make_settings_codec(_TRAINING, "trainingSettings"),
    "featurization": _make_settings_codec(_FEATURIZATION, "featurizationSettings"),
    "forecasting": _make_settings_codec(_FORECASTING, "forecastingSettings"),
    "sweep": _make_settings_codec(_SWEEP, "sweepSettings"),
    "training_parameters": Rule("modelSettings", _write_parameters, _read_parameters),
    "search_space": Rule("searchSpace", _write_spaces, _read_spaces),
}
_PLAIN = (
    *("target_column_name", "validation_data_size", "test_data_size", "cv_split_column_names"),
    *("weight_column_name", "positive_label"),
)
_IN_DETAILS = {*(rule.key for rule in _DETAILS.values()), *(to_camel(name) for name in _PLAIN)}


class _AutoML(Codec[AutoMLJob]):
    def write(self, noun: AutoMLJob, writing: Writing) -> Json:
        body = super().write(noun, writing)
        details = {key: body.pop(key) for key in _IN_DETAILS if key in body}
        return {**body, "taskDetails": details}

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat: Json = {}
        for key, value in body.items():
            if fold_case(str(key)) == "taskdetails" and isinstance(value, Mapping):
                flat.update(value)
            else:
                flat[key] = value
        return super().split_body(flat, path, reader)


AUTOML = _AutoML(
    AutoMLJob,
    {
        **{name: rule for name, rule in JOB.items() if name != "inputs"},
        **{name: SHARED[name] for name in ("resources", "queue_settings")},
        **_DETAILS,
    },
    constants={"jobType": "AutoML"},
    defaults={key: value for key, value in JOB_DEFAULTS.items() if key != "inputs"},
)
RESOURCES = Envelope(AUTOML)
STEP = {name: rule._replace(key=to_camel(name)) for name, rule in _DETAILS.items()}
