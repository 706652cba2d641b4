"""Settings of AutoML jobs."""

from __future__ import annotations

from typing import Any

from smalt.entities.jobs.search_space import EARLY_TERMINATION, SAMPLING
from smalt.entities.schema.effects import ACTED, NONE, REFUSED
from smalt.entities.schema.entity import Entity, mapping, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Boolean, Enum, Integer, List, Map, Number, Text

AUTO = Enum("auto")


class AutoMLLimits(Entity):
    noun = "limits of AutoML"
    _effect = ACTED

    max_trials = optional(Integer(at_least=1), "Trials in all.")
    max_concurrent_trials = optional(Integer(at_least=1), "Trials at a time.", effect=NONE)
    max_nodes = optional(Integer(at_least=1), "Machines at most.", effect=NONE)
    max_cores_per_trial = optional(Integer(at_least=-1), "Cores of a trial; -1 for all.")
    timeout_minutes = optional(Integer(at_least=1), "Minutes after which it is ended.")
    trial_timeout_minutes = optional(Integer(at_least=1), "Minutes after which a trial is ended.")
    enable_early_termination = optional(Boolean(), "Whether it ends when the score no longer rises.")
    exit_score = optional(Number(), "The score at which it ends.")


class ColumnTransformer(Entity):
    noun = "a column transformer"
    _effect = ACTED

    fields = optional(List(Text()), "The columns.")
    parameters = mapping(Map(Anything()), "The transformer's parameters.")


class Featurization(Entity):
    noun = "featurization"
    _effect = ACTED

    mode = optional(Enum("auto", "off", "custom"), "The settings of featurization.")
    dataset_language = optional(Text(), "The language of text.", effect=NONE)
    blocked_transformers = optional(
        List(
            Enum(
                *("text_target_encoder", "one_hot_encoder", "cat_target_encoder", "tf_idf", "wo_e_target_encoder"),
                *("label_encoder", "word_embedding", "naive_bayes", "count_vectorizer", "hash_one_hot_encoder"),
            )
        ),
        "Transformers that are not used.",
    )
    column_name_and_types = mapping(Map(Text()), "The types of columns, by name.")
    transformer_params = mapping(Map(List(Nested(ColumnTransformer))), "Parameters, by transformer.")
    enable_dnn_featurization = optional(Boolean(), "Whether networks make features.", effect=NONE)


class StackEnsembleSettings(Entity):
    noun = "settings of the stack ensemble"
    _effect = ACTED

    stack_meta_learner_type = optional(
        Enum(
            *("none", "logistic_regression", "logistic_regression_cv", "light_gbm_classifier"),
            *("elastic_net", "elastic_net_cv", "light_gbm_regressor", "linear_regression"),
        ),
        "The model over the models.",
    )
    stack_meta_learner_train_percentage = optional(Number(), "The part of the data that it learns from.", effect=NONE)
    stack_meta_learner_kwargs = mapping(Map(Anything()), "Its parameters.")

    @property
    def stack_meta_learner_k_wargs(self) -> dict[str, Any]:
        """Return the meta learner's parameters, under the official SDK's spelling."""
        return self.stack_meta_learner_kwargs

    @stack_meta_learner_k_wargs.setter
    def stack_meta_learner_k_wargs(self, value: dict[str, Any]) -> None:
        self.stack_meta_learner_kwargs = value


class Training(Entity):
    noun = "training settings"
    _effect = ACTED

    enable_dnn_training = optional(Boolean(), "Whether networks are tried.", effect=NONE)
    enable_model_explainability = optional(Boolean(), "Whether the best model is explained.")
    enable_onnx_compatible_models = optional(
        Boolean(), "Whether only models are tried that ONNX can hold.", effect=NONE
    )
    enable_stack_ensemble = optional(Boolean(), "Whether models are stacked.")
    enable_vote_ensemble = optional(Boolean(), "Whether models vote.")
    ensemble_model_download_timeout_minutes = optional(
        Integer(), "Minutes for fetching the models of an ensemble.", effect=NONE
    )
    stack_ensemble_settings = optional(Nested(StackEnsembleSettings), "The settings of the stack ensemble.")
    training_mode = optional(
        Enum("auto", "distributed", "non_distributed"), "Whether machines share a trial.", effect=NONE
    )
    allowed_training_algorithms = optional(List(Text()), "The algorithms that are tried.")
    blocked_training_algorithms = optional(List(Text()), "Algorithms that are not tried.")

    @property
    def ensemble_model_download_timeout(self) -> int | None:
        """Return `ensemble_model_download_timeout_minutes`, under its name in the official SDK."""
        return self.ensemble_model_download_timeout_minutes

    @ensemble_model_download_timeout.setter
    def ensemble_model_download_timeout(self, minutes: int) -> None:
        self.ensemble_model_download_timeout_minutes = minutes


class ForecastingSettings(Entity):
    noun = "forecasting settings"
    _effect = ACTED

    time_column_name = optional(Text(), "The column with the time.")
    time_series_id_column_names = optional(Text() | List(Text()), "The columns that tell series apart.")
    forecast_horizon = optional(Integer() | AUTO, "The number of steps to forecast.")
    frequency = optional(Text(), "The step, such as `D`.")
    target_lags = optional(Integer() | AUTO | List(Integer()), "Lags of the target that are features.")
    target_rolling_window_size = optional(Integer() | AUTO, "The window of rolling features.")
    feature_lags = optional(Enum("none", "auto"), "Whether features are lagged.")
    seasonality = optional(Integer() | AUTO, "The season, in steps.")
    use_stl = optional(Enum("none", "season", "seasontrend"), "Whether season and trend become features.")
    short_series_handling_config = optional(Enum("none", "auto", "pad", "drop"), "The treatment of short series.")
    target_aggregate_function = optional(
        Enum("none", "sum", "max", "min", "mean"), "The function that aggregates finer data."
    )
    country_or_region_for_holidays = optional(Text(), "Whose holidays are features.")
    cv_step_size = optional(Integer() | AUTO, "Steps between the folds.")
    features_unknown_at_forecast_time = optional(Text() | List(Text()), "Columns that the future does not have.")


class AutoMLSweep(Entity):
    noun = "sweep settings of AutoML"
    _effect = REFUSED

    sampling_algorithm = optional(SAMPLING, "The sampling algorithm.")
    early_termination = optional(EARLY_TERMINATION, "The policy of early termination.")
