"""`azureml.automl.core`: settings of features and of forecasts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect


class FeaturizationConfig:
    """The settings by which columns become features."""

    def __init__(
        self,
        blocked_transformers: list[str] | None = None,
        column_purposes: Mapping[str, str] | None = None,
        transformer_params: Mapping[str, Any] | None = None,
        drop_columns: list[str] | None = None,
        dataset_language: str | None = None,
        prediction_transform_type: str | None = None,
    ) -> None:
        self.blocked_transformers = list(blocked_transformers or ())
        self.column_purposes = dict(column_purposes or {})
        self.transformer_params: dict[str, list[tuple[list[str], dict[str, Any]]]] = {
            name: list(params) for name, params in (transformer_params or {}).items()
        }
        self.drop_columns = list(drop_columns or ())
        self.dataset_language, self.prediction_transform_type = dataset_language, prediction_transform_type

    def add_column_purpose(self, column_name: str, feature_type: str) -> None:
        self.column_purposes[column_name] = feature_type

    def remove_column_purpose(self, column_name: str) -> None:
        self.column_purposes.pop(column_name, None)

    def add_blocked_transformers(self, transformers: str | list[str]) -> None:
        self.blocked_transformers += [transformers] if isinstance(transformers, str) else transformers

    def add_drop_columns(self, drop_columns: str | list[str]) -> None:
        self.drop_columns += [drop_columns] if isinstance(drop_columns, str) else drop_columns

    def add_transformer_params(self, transformer: str, cols: list[str], params: Mapping[str, Any]) -> None:
        self.transformer_params.setdefault(transformer, []).append((list(cols), dict(params)))

    def get_transformer_params(self, transformer: str, cols: list[str]) -> dict[str, Any]:
        known = self.transformer_params.get(transformer, [])
        return next((params for columns, params in known if columns == list(cols)), {})

    def remove_transformer_params(self, transformer: str, cols: list[str] | None = None) -> None:
        known = self.transformer_params.pop(transformer, [])
        kept = [one for one in known if cols is not None and one[0] != list(cols)]
        if kept:
            self.transformer_params[transformer] = kept

    def add_prediction_transform_type(self, prediction_transform_type: str) -> None:
        self.prediction_transform_type = prediction_transform_type

    def remove_prediction_transform_type(self) -> None:
        self.prediction_transform_type = None

    def to_fields(self) -> dict[str, Any]:
        """Return the arguments of `set_featurization` of v2."""
        tell_no_effect(
            "FeaturizationConfig",
            {"prediction_transform_type": self.prediction_transform_type},
            "v2's featurization has no such setting",
        )
        params = {
            _to_snake(name): [{"fields": columns, "parameters": values} for columns, values in listed]
            for name, listed in self.transformer_params.items()
        }
        found = {
            "mode": "custom",
            "blocked_transformers": [_to_snake(name) for name in self.blocked_transformers] or None,
            "column_name_and_types": self.column_purposes or None,
            "transformer_params": params or None,
            "dataset_language": self.dataset_language,
        }
        return {key: value for key, value in found.items() if value is not None}


class ForecastingParameters:
    """The settings of a forecast: its columns, its horizon."""

    def __init__(
        self,
        time_column_name: str | None = None,
        forecast_horizon: str | int = 1,
        time_series_id_column_names: str | list[str] | None = None,
        group_column_names: str | list[str] | None = None,
        target_lags: list[int] | int | str | None = None,
        feature_lags: str | None = None,
        target_rolling_window_size: str | int | None = None,
        holiday_country: str | None = None,
        seasonality: str | int | None = "auto",
        country_or_region_for_holidays: str | None = None,
        use_stl: str | None = None,
        short_series_handling: bool = True,
        short_series_handling_configuration: str | None = "auto",
        freq: str | None = None,
        target_aggregation_function: str | None = None,
        cv_step_size: str | int | None = "auto",
        features_unknown_at_forecast_time: str | list[str] | None = None,
        validate_parameters: bool = True,
        _enable_future_regressors: bool = False,
        **kwargs: Any,
    ) -> None:
        tell_no_effect("ForecastingParameters", {"group_column_names": group_column_names, **kwargs}, "v2 has none")
        if validate_parameters and not time_column_name:
            raise UserErrorException("ForecastingParameters needs the time_column_name")
        self.time_column_name, self.forecast_horizon = time_column_name, forecast_horizon
        self.time_series_id_column_names, self.group_column_names = time_series_id_column_names, group_column_names
        self.target_lags, self.feature_lags = target_lags, feature_lags
        self.target_rolling_window_size, self.seasonality, self.use_stl = (
            target_rolling_window_size,
            seasonality,
            use_stl,
        )
        self.country_or_region_for_holidays = country_or_region_for_holidays or holiday_country
        self.short_series_handling_configuration = (
            short_series_handling_configuration if short_series_handling else None
        )
        self.freq, self.cv_step_size = freq, cv_step_size
        self.target_aggregation_function = target_aggregation_function
        self.features_unknown_at_forecast_time = features_unknown_at_forecast_time

    @property
    def holiday_country(self) -> str | None:
        return self.country_or_region_for_holidays

    def to_settings(self) -> Any:
        """Return the forecasting settings of v2."""
        from smalt.entities.jobs.automl.settings import ForecastingSettings

        found = {
            "time_column_name": self.time_column_name,
            "forecast_horizon": self.forecast_horizon,
            "time_series_id_column_names": self.time_series_id_column_names,
            "target_lags": self.target_lags,
            "feature_lags": self.feature_lags,
            "target_rolling_window_size": self.target_rolling_window_size,
            "seasonality": self.seasonality,
            "use_stl": None if self.use_stl is None else self.use_stl.replace("_", ""),
            "short_series_handling_config": self.short_series_handling_configuration or "none",
            "frequency": self.freq,
            "country_or_region_for_holidays": self.country_or_region_for_holidays,
            "target_aggregate_function": self.target_aggregation_function,
            "cv_step_size": self.cv_step_size,
            "features_unknown_at_forecast_time": self.features_unknown_at_forecast_time,
        }
        return ForecastingSettings(**{key: value for key, value in found.items() if value is not None})


def list_names(names: str | Sequence[str] | None) -> list[str]:
    return [names] if isinstance(names, str) else list(names or ())


def _to_snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9E])(?=[A-Z])", "_", name).lower()
