"""`azureml.train.automl.AutoMLConfig`: an AutoML job of v2."""

from __future__ import annotations

import contextlib
import logging
import math
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.problems import did_you_mean
from smalt.entities.steps.collector import current_collector
from smalt.v1.automl.settings import FeaturizationConfig, ForecastingParameters
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.ports import DataPort, LoneBinder, PortBinder, find_port, make_input
from smalt.v1.run_configuration import LOCAL, get_compute_name

if TYPE_CHECKING:
    from smalt.v1.automl.run import AutoMLRun
    from smalt.v1.experiment import Experiment

_TASKS = ("classification", "regression", "forecasting")
_METRICS = {
    "classification": "accuracy",
    "regression": "normalized_root_mean_squared_error",
    "forecasting": "normalized_root_mean_squared_error",
}
"""v1's metrics where a program names none."""
_ARRAYS = ("X", "y", "sample_weight", "X_valid", "y_valid", "sample_weight_valid", "cv_splits_indices")
_IDLE = (
    "spark_context", "y_min", "y_max", "num_classes", "mem_in_mb", "enforce_time_on_windows", "enable_tf", "debug_log",
    "enable_local_managed", "path", "track_child_runs", "pipeline_fetch_max_batch_size", "enable_code_generation",
    "enable_subsampling", "save_mlflow", "preprocess", "enable_distributed_featurization",
)  # fmt: skip
"""Parameters that mean nothing here."""
_FORECASTS = (
    "time_column_name", "grain_column_names", "time_series_id_column_names", "max_horizon", "forecast_horizon",
    "target_lags", "target_rolling_window_size", "country_or_region_for_holidays", "drop_column_names", "freq",
    "cv_step_size", "short_series_handling_configuration", "use_stl", "seasonality", "feature_lags",
)  # fmt: skip
"""Forecasting settings that programs give to AutoMLConfig itself."""


class AutoMLConfig:
    def __init__(
        self,
        task: str,
        path: str | None = None,
        iterations: int | None = None,
        primary_metric: str | None = None,
        positive_label: Any = None,
        compute_target: Any = None,
        spark_context: Any = None,
        X: Any = None,
        y: Any = None,
        sample_weight: Any = None,
        X_valid: Any = None,
        y_valid: Any = None,
        sample_weight_valid: Any = None,
        cv_splits_indices: Any = None,
        validation_size: float | None = None,
        n_cross_validations: str | int | None = None,
        y_min: float | None = None,
        y_max: float | None = None,
        num_classes: int | None = None,
        featurization: str | FeaturizationConfig = "auto",
        max_cores_per_iteration: int = 1,
        max_concurrent_iterations: int = 1,
        iteration_timeout_minutes: int | None = None,
        mem_in_mb: int | None = None,
        enforce_time_on_windows: bool = os.name == "nt",
        experiment_timeout_hours: float | None = None,
        experiment_exit_score: float | None = None,
        enable_early_stopping: bool = True,
        blocked_models: list[str] | None = None,
        blacklist_models: list[str] | None = None,
        exclude_nan_labels: bool = True,
        verbosity: int = logging.INFO,
        enable_tf: bool = False,
        model_explainability: bool = True,
        allowed_models: list[str] | None = None,
        whitelist_models: list[str] | None = None,
        enable_onnx_compatible_models: bool = False,
        enable_voting_ensemble: bool = True,
        enable_stack_ensemble: bool | None = None,
        debug_log: str = "automl.log",
        training_data: Any = None,
        validation_data: Any = None,
        test_data: Any = None,
        test_size: float | None = None,
        label_column_name: str | None = None,
        weight_column_name: str | None = None,
        cv_split_column_names: list[str] | None = None,
        enable_local_managed: bool = False,
        enable_dnn: bool | None = None,
        forecasting_parameters: ForecastingParameters | None = None,
        **kwargs: Any,
    ) -> None:
        given = {key: value for key, value in locals().items() if key not in ("self", "kwargs", "__class__")}
        self.user_settings: dict[str, Any] = {**given, **kwargs}
        if task not in _TASKS:
            hint = did_you_mean(str(task), _TASKS) or f"; it is one of {', '.join(_TASKS)}"
            raise UserErrorException(f"AutoMLConfig: smalt has no task {task!r}{hint}")
        arrays = [name for name in _ARRAYS if given[name] is not None]
        if arrays:
            raise UserErrorException(
                f"AutoMLConfig: {arrays[0]} is not served; give a dataset by training_data and the column to predict "
                "by label_column_name"
            )
        if training_data is None or label_column_name is None:
            raise UserErrorException("AutoMLConfig needs training_data and label_column_name")
        self._minutes = kwargs.pop("experiment_timeout_minutes", None)
        if self._minutes is None and experiment_timeout_hours is not None:
            self._minutes = experiment_timeout_hours * 60
        early = {name: kwargs.pop(name) for name in _FORECASTS if name in kwargs}
        idle = {**{name: given.get(name) for name in _IDLE if name in given}, **kwargs}
        idle = {key: value for key, value in idle.items() if value not in ("automl.log", os.name == "nt")}
        unknown = [name for name in kwargs if name not in _IDLE and did_you_mean(name, given)]
        if unknown:
            raise UserErrorException(f"AutoMLConfig has no parameter '{unknown[0]}'{did_you_mean(unknown[0], given)}")
        tell_no_effect("AutoMLConfig", idle, "smalt's AutoML has no such setting")
        self._forecasting = forecasting_parameters or (_read_forecasting(early) if early else None)
        if task == "forecasting" and self._forecasting is None:
            raise UserErrorException("AutoMLConfig: a forecast needs forecasting_parameters=ForecastingParameters(…)")

    def as_serializable_dict(self) -> dict[str, Any]:
        return {key: value for key, value in self.user_settings.items() if value is not None}

    def to_job(self, binder: PortBinder, is_step: bool = False, **more: Any) -> Any:
        """Return the AutoML job of v2, or the step of a pipeline."""
        from smalt import automl

        given = self.user_settings
        task = given["task"]
        target = get_compute_name(given["compute_target"])
        featurization = given["featurization"]
        dropped = featurization.drop_columns if isinstance(featurization, FeaturizationConfig) else []
        data = {
            name: _make_data(given[name], binder, dropped)
            for name in ("training_data", "validation_data", "test_data")
            if given[name] is not None
        }
        fields = {
            "target_column_name": given["label_column_name"],
            "primary_metric": given["primary_metric"] or _METRICS[task],
            "weight_column_name": given["weight_column_name"],
            "validation_data_size": given["validation_size"],
            "n_cross_validations": given["n_cross_validations"],
            "cv_split_column_names": given["cv_split_column_names"],
            "test_data_size": given["test_size"],
            "positive_label": given["positive_label"] if task == "classification" else None,
            "compute": None if target == LOCAL else target,
            "forecasting_settings": self._forecasting.to_settings()
            if self._forecasting and task == "forecasting"
            else None,
            **data,
            **more,
        }
        with _collect_step() if is_step else contextlib.nullcontext():
            job = getattr(automl, task)(**{key: value for key, value in fields.items() if value is not None})
        self._set_limits(job)
        if isinstance(featurization, FeaturizationConfig):
            job.set_featurization(**featurization.to_fields())
        else:
            job.set_featurization(mode=str(featurization).lower())
        return job

    def _set_limits(self, job: Any) -> None:
        given = self.user_settings
        limits = {
            "timeout_minutes": None if self._minutes is None else max(1, math.ceil(self._minutes)),
            "trial_timeout_minutes": given["iteration_timeout_minutes"],
            "max_trials": given["iterations"],
            "max_concurrent_trials": given["max_concurrent_iterations"]
            if given["max_concurrent_iterations"] > 1
            else None,
            "max_cores_per_trial": None
            if given["max_cores_per_iteration"] in (1, None)
            else given["max_cores_per_iteration"],
            "exit_score": given["experiment_exit_score"],
            "enable_early_termination": given["enable_early_stopping"],
        }
        job.set_limits(**{key: value for key, value in limits.items() if value is not None})
        training = {
            "blocked_training_algorithms": given["blocked_models"] or given["blacklist_models"],
            "allowed_training_algorithms": given["allowed_models"] or given["whitelist_models"],
            "enable_vote_ensemble": given["enable_voting_ensemble"],
            "enable_stack_ensemble": given["enable_stack_ensemble"],
            "enable_model_explainability": given["model_explainability"],
            "enable_dnn_training": given["enable_dnn"] or None,
            "enable_onnx_compatible_models": given["enable_onnx_compatible_models"] or None,
        }
        job.set_training(**{key: value for key, value in training.items() if value is not None})

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> AutoMLRun:
        from smalt.v1.automl.run import AutoMLRun
        from smalt.v1.commands import collect_fields

        show = kwargs.pop("show_output", False)
        tell_no_effect("Experiment.submit", kwargs, "an AutoML job has no such setting")
        client = experiment.workspace.client
        job = self.to_job(LoneBinder(client), experiment_name=experiment.name, tags=collect_fields(tags) or None)
        run = AutoMLRun(experiment, str(client.jobs.create_or_update(job).name))
        if show:
            run.wait_for_completion(show_output=True)
        return run


def _make_data(given: Any, binder: PortBinder, dropped: list[str]) -> Any:
    """Return the table of v2 for a dataset, for what a step writes, or for a data frame."""
    if hasattr(given, "to_parquet"):
        from smalt.v1.data.fetching import save_frame

        given = save_frame(given)
    if dropped and hasattr(given, "drop_columns"):
        given = given.drop_columns(dropped)
    port = find_port(given)
    if port is None:
        raise UserErrorException(f"AutoMLConfig: data is a TabularDataset, not {type(given).__name__}")
    if getattr(port.source, "is_table", True) is False:
        raise UserErrorException("AutoMLConfig: data is a TabularDataset, and this is a FileDataset")
    if getattr(port.source, "transformations", None):
        raise UserErrorException(
            "AutoMLConfig: the table that a step writes must have a file MLTable of its own; write one in the step, "
            "and give its PipelineData or OutputFileDatasetConfig without read_… or parse_…"
        )
    made = make_input(DataPort("inputs", port.source, port.name, "direct"), binder)
    return Input(type="mltable", path=made) if isinstance(made, str) else made


def _read_forecasting(given: Mapping[str, Any]) -> ForecastingParameters:
    renamed = {"max_horizon": "forecast_horizon", "grain_column_names": "time_series_id_column_names"}
    values = {renamed.get(name, name): value for name, value in given.items()}
    tell_no_effect(
        "AutoMLConfig", {"drop_column_names": values.pop("drop_column_names", None)}, "drop them of the dataset"
    )
    return ForecastingParameters(**values)


class _Collector:
    """A pipeline that takes a step and keeps nothing of it."""

    depth = 1

    def add(self, node: Any) -> None: ...

    def remove(self, node: Any) -> None: ...


@contextlib.contextmanager
def _collect_step() -> Iterator[None]:
    """Let the functions of `smalt.automl` return a step within the block."""
    token = current_collector.set(_Collector())
    try:
        yield
    finally:
        current_collector.reset(token)
