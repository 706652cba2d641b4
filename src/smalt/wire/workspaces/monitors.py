"""Monitors as the service's body has them, which smalt keeps unchanged and reads for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import to_snake
from smalt.wire.encoding.codec import Json, Writing, to_plain

_OF_SERVICE = ("computeConfiguration", "signals", "alertNotificationSetting")


def write_monitor(value: Any, writing: Writing) -> Any:
    return to_plain(value)


def read_monitor(value: Any, path: Path, reader: Reader) -> Any:
    """Return the document of a monitor; one that smalt's client sent is that already."""
    if not isinstance(value, Mapping) or not any(key in value for key in _OF_SERVICE):
        return value
    compute, target = value.get("computeConfiguration"), value.get("monitoringTarget")
    signals, alert = value.get("signals"), value.get("alertNotificationSetting")
    found: Json = {}
    if isinstance(compute, Mapping):
        found["compute"] = _pick_values(compute, {"instanceType": "instance_type", "runtimeVersion": "runtime_version"})
    if isinstance(target, Mapping):
        names = {"taskType": "ml_task", "deploymentId": "endpoint_deployment_id", "modelId": "model_id"}
        found["monitoring_target"] = {
            key: to_snake(each) if key == "ml_task" else each for key, each in _pick_values(target, names).items()
        }
    if isinstance(signals, Mapping):
        found["monitoring_signals"] = {name: _read_signal(signal) for name, signal in signals.items()}
    if isinstance(alert, Mapping):
        email = alert.get("emailNotificationSetting")
        found["alert_notification"] = (
            _pick_values(email, {"emails": "emails"}) if isinstance(email, Mapping) else "azmonitoring"
        )
    return found


def _read_signal(signal: Any) -> Any:
    if not isinstance(signal, Mapping):
        return signal
    rest = {to_snake(key): each for key, each in signal.items() if key not in ("signalType", "mode")}
    return {**rest, "type": to_snake(str(signal.get("signalType")))}


def _pick_values(values: Mapping[str, Any], names: Mapping[str, str]) -> Json:
    return {name: values[key] for key, name in names.items() if values.get(key) is not None}
