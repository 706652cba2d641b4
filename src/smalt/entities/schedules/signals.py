"""Monitoring signals: their data, metrics and thresholds."""

from __future__ import annotations

from smalt.entities.schedules.monitor import MonitoringSignal
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, Integer, List, Map, Number, Text


class DataSegment(Entity):
    noun = "a part of the data"
    _effect = KEPT

    feature_name = optional(Text(), "The feature that says what belongs to it.")
    feature_values = optional(List(Text()), "Its values of what belongs to it.")


class BaselineDataRange(Entity):
    noun = "a window of data"
    _effect = KEPT

    window_start = optional(Text(), "The start.")
    window_end = optional(Text(), "The end.")
    lookback_window_size = optional(Text(), "The length of the window, such as `P7D`.")
    lookback_window_offset = optional(Text(), "The age at which the window ends, such as `P0D`.")


class MonitorFeatureFilter(Entity):
    noun = "a choice of features"
    _effect = KEPT

    top_n_feature_importance = optional(Integer(), "The number of most important features.")


class ProductionData(Entity):
    noun = "the data of a deployment"
    _effect = KEPT

    input_data = required(Anything(), "Input data.")
    data_context = optional(Anything(), "Data context.")
    pre_processing_component = optional(Text(), "Pre processing component.")
    data_window = optional(Nested(BaselineDataRange), "Data window.")
    data_column_names = mapping(Map(Anything()), "Data column names.")


class ReferenceData(Entity):
    noun = "the data that is compared with"
    _effect = KEPT

    input_data = required(Anything(), "Input data.")
    data_context = optional(Anything(), "Data context.")
    pre_processing_component = optional(Text(), "Pre processing component.")
    data_window = optional(Nested(BaselineDataRange), "Data window.")
    data_column_names = mapping(Map(Anything()), "Data column names.")


class FADProductionData(Entity):
    noun = "the data of a deployment"
    _effect = KEPT

    input_data = required(Anything(), "Input data.")
    data_context = optional(Anything(), "Data context.")
    data_column_names = mapping(Map(Anything()), "Data column names.")
    pre_processing_component = optional(Text(), "Pre processing component.")
    data_window = optional(Nested(BaselineDataRange), "Data window.")


class LlmData(Entity):
    noun = "the data of a language model"
    _effect = KEPT

    input_data = required(Anything(), "Input data.")
    data_column_names = mapping(Map(Anything()), "Data column names.")
    data_window = optional(Nested(BaselineDataRange), "Data window.")


class MonitorInputData(Entity):
    noun = "the input of a monitor"
    _effect = KEPT

    type = optional(Anything(), "Type.")
    data_context = optional(Anything(), "Data context.")
    target_columns = mapping(Map(Anything()), "Target columns.")
    job_type = optional(Text(), "Job type.")
    uri = optional(Text(), "Uri.")


class FixedInputData(MonitorInputData):
    noun = "the fixed input of a monitor"

    type = constant("Fixed", "The type.")


class StaticInputData(MonitorInputData):
    noun = "the static input of a monitor"

    type = constant("Static", "The type.")
    pre_processing_component_id = optional(Text(), "Pre processing component id.")
    window_start = optional(Text(), "Window start.")
    window_end = optional(Text(), "Window end.")


class TrailingInputData(MonitorInputData):
    noun = "the trailing input of a monitor"

    type = constant("Trailing", "The type.")
    window_size = optional(Text(), "Window size.")
    window_offset = optional(Text(), "Window offset.")
    pre_processing_component_id = optional(Text(), "Pre processing component id.")


class NumericalDriftMetrics(Entity):
    noun = "bounds of the drift of numbers"
    _effect = KEPT

    jensen_shannon_distance = optional(Number(), "Jensen shannon distance.")
    normalized_wasserstein_distance = optional(Number(), "Normalized wasserstein distance.")
    population_stability_index = optional(Number(), "Population stability index.")
    two_sample_kolmogorov_smirnov_test = optional(Number(), "Two sample kolmogorov smirnov test.")
    metric = optional(Text(), "Metric.")
    metric_threshold = optional(Number(), "Metric threshold.")


class CategoricalDriftMetrics(Entity):
    noun = "bounds of the drift of categories"
    _effect = KEPT

    jensen_shannon_distance = optional(Number(), "Jensen shannon distance.")
    population_stability_index = optional(Number(), "Population stability index.")
    pearsons_chi_squared_test = optional(Number(), "Pearsons chi squared test.")


class DataQualityMetricsNumerical(Entity):
    noun = "bounds of the quality of numbers"
    _effect = KEPT

    null_value_rate = optional(Number(), "Null value rate.")
    data_type_error_rate = optional(Number(), "Data type error rate.")
    out_of_bounds_rate = optional(Number(), "Out of bounds rate.")


class DataQualityMetricsCategorical(Entity):
    noun = "bounds of the quality of categories"
    _effect = KEPT

    null_value_rate = optional(Number(), "Null value rate.")
    data_type_error_rate = optional(Number(), "Data type error rate.")
    out_of_bounds_rate = optional(Number(), "Out of bounds rate.")


class ModelPerformanceClassificationThresholds(Entity):
    noun = "bounds of a classification"
    _effect = KEPT

    accuracy = optional(Number(), "Accuracy.")
    precision = optional(Number(), "Precision.")
    recall = optional(Number(), "Recall.")


class ModelPerformanceRegressionThresholds(Entity):
    noun = "bounds of a regression"
    _effect = KEPT

    mean_absolute_error = optional(Number(), "Mean absolute error.")
    mean_squared_error = optional(Number(), "Mean squared error.")
    root_mean_squared_error = optional(Number(), "Root mean squared error.")


class DataDriftMetricThreshold(Entity):
    noun = "bounds of data drift"
    _effect = KEPT

    data_type = optional(Anything(), "Data type.")
    threshold = optional(Number(), "Threshold.")
    metric = optional(Text(), "Metric.")
    numerical = optional(Nested(NumericalDriftMetrics), "Numerical.")
    categorical = optional(Nested(CategoricalDriftMetrics), "Categorical.")


class DataQualityMetricThreshold(Entity):
    noun = "bounds of data quality"
    _effect = KEPT

    data_type = optional(Anything(), "Data type.")
    threshold = optional(Number(), "Threshold.")
    metric_name = optional(Text(), "Metric name.")
    numerical = optional(Nested(DataQualityMetricsNumerical), "Numerical.")
    categorical = optional(Nested(DataQualityMetricsCategorical), "Categorical.")


class PredictionDriftMetricThreshold(Entity):
    noun = "bounds of prediction drift"
    _effect = KEPT

    data_type = optional(Anything(), "Data type.")
    threshold = optional(Number(), "Threshold.")
    numerical = optional(Nested(NumericalDriftMetrics), "Numerical.")
    categorical = optional(Nested(CategoricalDriftMetrics), "Categorical.")


class FeatureAttributionDriftMetricThreshold(Entity):
    noun = "bounds of feature attribution drift"
    _effect = KEPT

    normalized_discounted_cumulative_gain = optional(Number(), "Normalized discounted cumulative gain.")
    threshold = optional(Number(), "Threshold.")


class CustomMonitoringMetricThreshold(Entity):
    noun = "bounds of a metric of one's own"
    _effect = KEPT

    metric_name = required(Text(), "Metric name.")
    threshold = optional(Number(), "Threshold.")


class GenerationSafetyQualityMonitoringMetricThreshold(Entity):
    noun = "bounds of safety and quality"
    _effect = KEPT

    groundedness = mapping(Map(Anything()), "Groundedness.")
    relevance = mapping(Map(Anything()), "Relevance.")
    coherence = mapping(Map(Anything()), "Coherence.")
    fluency = mapping(Map(Anything()), "Fluency.")
    similarity = mapping(Map(Anything()), "Similarity.")


class GenerationTokenStatisticsMonitorMetricThreshold(Entity):
    noun = "bounds of token counts"
    _effect = KEPT

    totaltoken = mapping(Map(Anything()), "Totaltoken.")


class ModelPerformanceMetricThreshold(Entity):
    noun = "bounds of a model's performance"
    _effect = KEPT

    classification = optional(Nested(ModelPerformanceClassificationThresholds), "Classification.")
    regression = optional(Nested(ModelPerformanceRegressionThresholds), "Regression.")


class DataDriftSignal(MonitoringSignal):
    noun = "a signal of data drift"

    type = constant("data_drift", "The type.")
    data_segment = optional(Nested(DataSegment), "Data segment.")


class DataQualitySignal(MonitoringSignal):
    noun = "a signal of data quality"

    type = constant("data_quality", "The type.")


class PredictionDriftSignal(MonitoringSignal):
    noun = "a signal of prediction drift"

    type = constant("prediction_drift", "The type.")


class FeatureAttributionDriftSignal(MonitoringSignal):
    noun = "a signal of feature attribution drift"

    type = constant("feature_attribution_drift", "The type.")


class CustomMonitoringSignal(MonitoringSignal):
    noun = "a signal of one's own"

    type = constant("custom", "The type.")
    inputs = mapping(Map(Anything()), "Inputs.")
    connection = optional(Anything(), "Connection.")
    input_data = mapping(Map(Nested(ReferenceData)), "Input data.")


class GenerationSafetyQualitySignal(MonitoringSignal):
    noun = "a signal of safety and quality"

    type = constant("generation_safety_quality", "The type.")
    connection_id = optional(Text(), "Connection id.")


class GenerationTokenStatisticsSignal(MonitoringSignal):
    noun = "a signal of token counts"

    type = constant("generation_token_statistics", "The type.")


class ModelPerformanceSignal(MonitoringSignal):
    noun = "a signal of a model's performance"

    type = constant("model_performance", "The type.")
    data_segment = optional(Nested(DataSegment), "Data segment.")
