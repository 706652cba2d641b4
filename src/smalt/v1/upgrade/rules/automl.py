"""AutoML: its configuration becomes a job of azure.ai.ml.automl, with the settings by method."""

from __future__ import annotations

from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.ports import Port
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.computes import read_compute
from smalt.v1.upgrade.rules.datasets import write_input
from smalt.v1.upgrade.texts import make_call
from smalt.v1.upgrade.values import Value

ML = "azure.ai.ml"
_FIELDS = {
    "label_column_name": "target_column_name",
    "primary_metric": "primary_metric",
    "n_cross_validations": "n_cross_validations",
    "validation_size": "validation_data_size",
    "test_size": "test_data_size",
    "weight_column_name": "weight_column_name",
    "cv_split_column_names": "cv_split_column_names",
    "positive_label": "positive_label",
}
_LIMITS = {
    "experiment_timeout_minutes": "timeout_minutes",
    "iteration_timeout_minutes": "trial_timeout_minutes",
    "iterations": "max_trials",
    "max_concurrent_iterations": "max_concurrent_trials",
    "max_cores_per_iteration": "max_cores_per_trial",
    "experiment_exit_score": "exit_score",
    "enable_early_stopping": "enable_early_termination",
}
_TRAINING = {
    "blocked_models": "blocked_training_algorithms",
    "allowed_models": "allowed_training_algorithms",
    "blacklist_models": "blocked_training_algorithms",
    "whitelist_models": "allowed_training_algorithms",
    "enable_voting_ensemble": "enable_vote_ensemble",
    "enable_stack_ensemble": "enable_stack_ensemble",
    "model_explainability": "enable_model_explainability",
    "enable_dnn": "enable_dnn_training",
    "enable_onnx_compatible_models": "enable_onnx_compatible_models",
}
_FORECASTS = {
    "freq": "frequency",
    "short_series_handling_configuration": "short_series_handling_config",
    "max_horizon": "forecast_horizon",
    "grain_column_names": "time_series_id_column_names",
    **{
        name: name
        for name in (
            "time_column_name", "forecast_horizon", "time_series_id_column_names", "target_lags", "feature_lags",
            "target_rolling_window_size", "country_or_region_for_holidays", "use_stl", "seasonality", "cv_step_size",
            "target_aggregation_function", "features_unknown_at_forecast_time",
        )
    },
}  # fmt: skip
_IDLE = (
    "debug_log", "verbosity", "path", "spark_context", "track_child_runs", "pipeline_fetch_max_batch_size", "enable_tf",
    "enable_code_generation", "exclude_nan_labels", "save_mlflow", "enable_local_managed",
)  # fmt: skip
_DATA = ("training_data", "validation_data", "test_data")
_METRICS = {"classification": "accuracy"}


@rule("ForecastingParameters", takes="time_column_name forecast_horizon time_series_id_column_names target_lags **")
def _make_forecasting(call: Call) -> Value:
    unknown = [name for name in call.arguments if name not in _FORECASTS]
    if unknown:
        raise call.refuse(f"set_forecast_settings has no '{unknown[0]}'")
    for value in call.arguments.values():
        if not call.rewriter.is_settled(value):
            raise call.refuse("what it gets depends on a condition")
    return call.make("", "ForecastingParameters", settings=dict(call.arguments), dropped=True)


@rule("AutoMLConfig", takes="task path iterations primary_metric **")
def _make_automl(call: Call) -> Value:
    task = _check_arguments(call)
    in_step = bool(call.recall().get("in step"))
    ports: dict[str, Port] = {}
    arguments = [(name, _write_data(call, name, ports, in_step)) for name in _DATA if call.get(name) is not None]
    arguments += _choose_arguments(call, _FIELDS)
    if call.get("primary_metric") is None:
        metric = _METRICS.get(task, "normalized_root_mean_squared_error")
        arguments.append(("primary_metric", f'"{metric}"'))
    compute = call.get("compute_target")
    if compute is not None and compute.constant != "local":
        arguments.append(("compute", read_compute(compute)))
    settings = _list_settings(call, task)
    function = f"{call.use(ML, 'automl')}.{task}"
    facts: dict[str, Any] = {"function": function, "arguments": arguments, "settings": settings, "ports": ports}
    if in_step:
        return call.make("", "AutoMLConfig", dropped=True, **facts)
    for method, given in settings:
        call.rewriter.after.append(make_call(f"{call.target}.{method}", given, call.indent))
    return call.build(function, arguments, "AutoMLConfig", **facts)


def _check_arguments(call: Call) -> str:
    """Return the task; refuse a configuration that v2 cannot have."""
    known = {*_FIELDS, *_LIMITS, *_TRAINING, *_FORECASTS, *_IDLE, *_DATA}
    known |= {"task", "compute_target", "featurization", "forecasting_parameters", "experiment_timeout_hours"}
    unknown = [name for name in call.arguments if name not in known]
    if unknown:
        raise call.refuse(f"automl of v2 has no '{unknown[0]}'")
    task = call.require("task").constant
    if task not in ("classification", "regression", "forecasting") or not call.target:
        raise call.refuse("the text does not tell its task, or it has no variable of its own")
    featurization = call.get("featurization")
    if featurization is not None and not featurization.is_text:
        raise call.refuse("write its featurization by set_featurization(mode='custom', …)")
    return str(task)


def _list_settings(call: Call, task: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return the methods of the job that set what v1 had as arguments, each with its own arguments."""
    limits = _choose_arguments(call, _LIMITS)
    hours = call.get("experiment_timeout_hours")
    if hours is not None:
        limits.insert(0, ("timeout_minutes", f"int({hours.code} * 60)"))
    settings = [("set_limits", limits), ("set_training", _choose_arguments(call, _TRAINING))]
    featurization = call.get("featurization")
    if featurization is not None:
        settings.append(("set_featurization", [("mode", featurization.code)]))
    if task == "forecasting":
        settings.append(("set_forecast_settings", _read_forecast(call, call.get("forecasting_parameters"))))
    return [one for one in settings if one[1]]


def _choose_arguments(call: Call, names: dict[str, str]) -> list[tuple[str, str]]:
    return [(new, call.arguments[old].code) for old, new in names.items() if call.get(old) is not None]


def _read_forecast(call: Call, forecasting: Value | None) -> list[tuple[str, str]]:
    if forecasting is not None and forecasting.kind != "ForecastingParameters":
        raise call.refuse("the text does not tell its forecasting_parameters")
    given = forecasting.facts["settings"] if forecasting is not None else call.arguments
    call.rewriter.consume(forecasting)
    found = [(new, given[old].code) for old, new in _FORECASTS.items() if old in given]
    if not found:
        raise call.refuse("a forecast needs its forecasting_parameters")
    return found


def _write_data(call: Call, name: str, ports: dict[str, Port], in_step: bool) -> str:
    """Return the code of a table; one that another step makes comes by a port."""
    data = call.arguments[name]
    if data.kind in ("OutputLink", "OutputData"):
        output = data.facts["output"] if data.kind == "OutputLink" else data
        call.rewriter.consume(data)
        if in_step and output.facts.get("step") is not None:
            ports[name] = Port(output=output)
            call.note("the step before writes an MLTable file beside its data")
        return data.code
    if data.kind not in ("Table", "RegisteredDataset"):
        raise call.refuse(f"v2's AutoML takes an MLTable; the text does not tell what '{data.code}' is")
    return write_input(call, data)
