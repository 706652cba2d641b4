"""Monitors of models: targets, signals and alerts."""

from __future__ import annotations

from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import Entity, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Anything, AsText, Boolean, Enum, List, Map, Number, Text

SIGNALS = (
    *("data_drift", "data_quality", "prediction_drift", "feature_attribution_drift", "custom"),
    *("model_performance", "generation_safety_quality", "generation_token_statistics"),
)


class ServerlessSparkCompute(Entity):
    noun = "the compute of a monitor"
    _effect = KEPT

    compute_type = optional(Text(), "The type of compute.")
    instance_type = optional(Text(), "The kind of machine.")
    runtime_version = optional(AsText(), "The version of Spark.")


class MonitoringTarget(Entity):
    noun = "the target of a monitor"
    _effect = KEPT

    ml_task = optional(
        Enum("classification", "regression", "question_answering", "text_generation"), "The task of the model."
    )
    endpoint_deployment_id = optional(Text(), "The deployment, as `azureml:ENDPOINT:DEPLOYMENT`.")
    model_id = optional(Text(), "The model.")


class AlertNotification(Entity):
    noun = "an alert notification"
    _effect = KEPT

    emails = optional(List(Text()), "The recipients of mail.")


class MonitoringSignal(Entity):
    """A monitoring signal. Keys beyond the shared ones below are kept unchanged."""

    noun = "a monitoring signal"
    _effect = KEPT
    _is_open = True

    type = required(Enum(*SIGNALS), "The metrics and thresholds.")
    production_data = optional(Anything(), "The inputs and outputs of the model.")
    reference_data = optional(Anything(), "The reference data.")
    features = optional(Anything(), "The features that are looked at.")
    feature_type_override = mapping(Map(Text()), "The types of features, by name.")
    metric_thresholds = optional(Anything(), "The bounds of the metrics.")
    alert_enabled = optional(Boolean(), "Whether someone is told.")
    properties = mapping(Map(Anything()), "Settings of the signal.")
    sampling_rate = optional(Number(), "The part of the data that is looked at.")
    component_id = optional(Text(), "The component of a custom signal.")


class MonitorDefinition(Entity):
    noun = "a monitor"
    _effect = KEPT

    compute = optional(Nested(ServerlessSparkCompute), "The compute that it runs on.")
    monitoring_target = optional(Nested(MonitoringTarget), "The target of the monitor.")
    monitoring_signals = mapping(Map(Nested(MonitoringSignal)), "The signals, by name.")
    alert_notification = optional(Enum("azmonitoring") | Nested(AlertNotification), "The recipients of mail.")
