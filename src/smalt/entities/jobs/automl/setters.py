"""Setters of AutoML jobs, `set_data`, `set_limits` and others, with the parameters of the official SDK.

Arguments that are not given leave their settings unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.automl.setter_base import AutoMLSetters


class TableSetters(AutoMLSetters):
    """Setters of jobs that learn from tables."""

    def set_data(
        self,
        *,
        training_data: Any,
        target_column_name: Any,
        weight_column_name: Any = None,
        validation_data: Any = None,
        validation_data_size: Any = None,
        n_cross_validations: Any = None,
        cv_split_column_names: Any = None,
        test_data: Any = None,
        test_data_size: Any = None,
    ) -> None:
        self.set_values(_list_given(locals()))

    def set_limits(
        self,
        *,
        enable_early_termination: Any = None,
        exit_score: Any = None,
        max_concurrent_trials: Any = None,
        max_cores_per_trial: Any = None,
        max_nodes: Any = None,
        max_trials: Any = None,
        timeout_minutes: Any = None,
        trial_timeout_minutes: Any = None,
    ) -> None:
        self._update_settings("limits", _list_given(locals()))

    def set_training(
        self,
        *,
        enable_onnx_compatible_models: Any = None,
        enable_dnn_training: Any = None,
        enable_model_explainability: Any = None,
        enable_stack_ensemble: Any = None,
        enable_vote_ensemble: Any = None,
        stack_ensemble_settings: Any = None,
        ensemble_model_download_timeout: Any = None,
        allowed_training_algorithms: Any = None,
        blocked_training_algorithms: Any = None,
        training_mode: Any = None,
    ) -> None:
        given = _list_given(locals())
        minutes = given.pop("ensemble_model_download_timeout", None)
        self._update_settings("training", {**given, "ensemble_model_download_timeout_minutes": minutes})

    def set_featurization(
        self,
        *,
        blocked_transformers: Any = None,
        column_name_and_types: Any = None,
        dataset_language: Any = None,
        transformer_params: Any = None,
        mode: Any = None,
        enable_dnn_featurization: Any = None,
    ) -> None:
        self._update_settings("featurization", _list_given(locals()))


class ForecastSetters(TableSetters):
    """Setters of jobs that forecast."""

    def set_forecast_settings(
        self,
        *,
        time_column_name: Any = None,
        forecast_horizon: Any = None,
        time_series_id_column_names: Any = None,
        target_lags: Any = None,
        feature_lags: Any = None,
        target_rolling_window_size: Any = None,
        country_or_region_for_holidays: Any = None,
        use_stl: Any = None,
        seasonality: Any = None,
        short_series_handling_config: Any = None,
        frequency: Any = None,
        target_aggregate_function: Any = None,
        cv_step_size: Any = None,
        features_unknown_at_forecast_time: Any = None,
    ) -> None:
        self._update_settings("forecasting", _list_given(locals()))


class ModelSetters(AutoMLSetters):
    """Setters of jobs that search hyperparameters of image or text models."""

    def set_sweep(
        self,
        *,
        sampling_algorithm: Any,
        early_termination: Any = None,
    ) -> None:
        self._update_settings("sweep", _list_given(locals()))

    def extend_search_space(self: Any, value: Any) -> None:
        """Add one search space, or each of a list of them."""
        spaces = [value] if isinstance(value, Mapping) else list(value)
        self.set_values({"search_space": [*(self.search_space or []), *spaces]})


class TextSetters(ModelSetters):
    """Setters of jobs that learn from text."""

    def set_data(
        self,
        *,
        training_data: Any,
        target_column_name: Any,
        validation_data: Any,
    ) -> None:
        self.set_values(_list_given(locals()))

    def set_limits(
        self,
        *,
        max_trials: int = 1,
        max_concurrent_trials: int = 1,
        max_nodes: int = 1,
        timeout_minutes: Any = None,
        trial_timeout_minutes: Any = None,
    ) -> None:
        self._update_settings("limits", _list_given(locals()))

    def set_featurization(
        self,
        *,
        dataset_language: Any = None,
    ) -> None:
        self._update_settings("featurization", _list_given(locals()))

    def set_training_parameters(
        self,
        *,
        gradient_accumulation_steps: Any = None,
        learning_rate: Any = None,
        learning_rate_scheduler: Any = None,
        model_name: Any = None,
        number_of_epochs: Any = None,
        training_batch_size: Any = None,
        validation_batch_size: Any = None,
        warmup_ratio: Any = None,
        weight_decay: Any = None,
    ) -> None:
        self._add_parameters(_list_given(locals()))


class ImageSetters(ModelSetters):
    """Setters of jobs that learn from images."""

    def set_data(
        self,
        *,
        training_data: Any,
        target_column_name: Any,
        validation_data: Any = None,
        validation_data_size: Any = None,
    ) -> None:
        self.set_values(_list_given(locals()))

    def set_limits(
        self,
        *,
        max_concurrent_trials: Any = None,
        max_trials: Any = None,
        timeout_minutes: Any = None,
    ) -> None:
        self._update_settings("limits", _list_given(locals()))


class ImageClassificationSetters(ImageSetters):
    """Setters of jobs that classify whole images."""

    def set_training_parameters(
        self,
        *,
        advanced_settings: Any = None,
        ams_gradient: Any = None,
        beta1: Any = None,
        beta2: Any = None,
        checkpoint_frequency: Any = None,
        checkpoint_run_id: Any = None,
        distributed: Any = None,
        early_stopping: Any = None,
        early_stopping_delay: Any = None,
        early_stopping_patience: Any = None,
        enable_onnx_normalization: Any = None,
        evaluation_frequency: Any = None,
        gradient_accumulation_step: Any = None,
        layers_to_freeze: Any = None,
        learning_rate: Any = None,
        learning_rate_scheduler: Any = None,
        model_name: Any = None,
        momentum: Any = None,
        nesterov: Any = None,
        number_of_epochs: Any = None,
        number_of_workers: Any = None,
        optimizer: Any = None,
        random_seed: Any = None,
        step_lr_gamma: Any = None,
        step_lr_step_size: Any = None,
        training_batch_size: Any = None,
        validation_batch_size: Any = None,
        warmup_cosine_lr_cycles: Any = None,
        warmup_cosine_lr_warmup_epochs: Any = None,
        weight_decay: Any = None,
        training_crop_size: Any = None,
        validation_crop_size: Any = None,
        validation_resize_size: Any = None,
        weighted_loss: Any = None,
    ) -> None:
        self._add_parameters(_list_given(locals()))


class ObjectDetectionSetters(ImageSetters):
    """Setters of jobs that find objects in images."""

    def set_training_parameters(
        self,
        *,
        advanced_settings: Any = None,
        ams_gradient: Any = None,
        beta1: Any = None,
        beta2: Any = None,
        checkpoint_frequency: Any = None,
        checkpoint_run_id: Any = None,
        distributed: Any = None,
        early_stopping: Any = None,
        early_stopping_delay: Any = None,
        early_stopping_patience: Any = None,
        enable_onnx_normalization: Any = None,
        evaluation_frequency: Any = None,
        gradient_accumulation_step: Any = None,
        layers_to_freeze: Any = None,
        learning_rate: Any = None,
        learning_rate_scheduler: Any = None,
        model_name: Any = None,
        momentum: Any = None,
        nesterov: Any = None,
        number_of_epochs: Any = None,
        number_of_workers: Any = None,
        optimizer: Any = None,
        random_seed: Any = None,
        step_lr_gamma: Any = None,
        step_lr_step_size: Any = None,
        training_batch_size: Any = None,
        validation_batch_size: Any = None,
        warmup_cosine_lr_cycles: Any = None,
        warmup_cosine_lr_warmup_epochs: Any = None,
        weight_decay: Any = None,
        box_detections_per_image: Any = None,
        box_score_threshold: Any = None,
        image_size: Any = None,
        max_size: Any = None,
        min_size: Any = None,
        model_size: Any = None,
        multi_scale: Any = None,
        nms_iou_threshold: Any = None,
        tile_grid_size: Any = None,
        tile_overlap_ratio: Any = None,
        tile_predictions_nms_threshold: Any = None,
        validation_iou_threshold: Any = None,
        validation_metric_type: Any = None,
        log_training_metrics: Any = None,
        log_validation_loss: Any = None,
    ) -> None:
        self._add_parameters(_list_given(locals()))


def _list_given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "self"}
