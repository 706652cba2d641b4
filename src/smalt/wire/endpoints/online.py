"""Online endpoints and their deployments, and serverless endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.endpoints import online_deployment as nouns
from smalt.entities.endpoints.deployment import CodeConfiguration
from smalt.entities.endpoints.endpoint import MarketplaceSubscription, OnlineEndpoint, ServerlessEndpoint
from smalt.entities.schema.problems import Path, did_you_mean, format_value
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax import durations
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import (
    Codec,
    Json,
    Rule,
    TaggedCodec,
    Writing,
    make_named_rule,
    make_nested_rule,
    make_word_rule,
    to_plain,
)
from smalt.wire.encoding.envelope import RESOURCE, Envelope, read_identity
from smalt.wire.endpoints.batch import SHARED, read_id
from smalt.wire.jobs.command import CODE
from smalt.wire.jobs.settings import ACTS_AS, make_duration_rule

_AUTH = {"key": "Key", "aml_token": "AMLToken", "aad_token": "AADToken"}
_BESIDE = ("location", "tags", "identity")


def _write_compute(value: Any, writing: Writing) -> Any:
    return writing.refs.compute(value) if isinstance(value, str) else value


ONLINE_ENDPOINT = Envelope(
    Codec(
        OnlineEndpoint,
        {
            **RESOURCE,
            "auth_mode": Rule("authMode", lambda value, writing: _AUTH.get(value, value)),
            "compute": Rule("compute", _write_compute),
            "openapi_uri": Rule("swaggerUri"),
            "public_network_access": make_word_rule("publicNetworkAccess"),
            "identity": ACTS_AS,
        },
        defaults={"properties": {}},
    ),
    outside=(*_BESIDE, "kind"),
)


def _make_milliseconds_rule(key: str) -> Rule:
    """A rule for milliseconds, `PT0.1S` on the wire."""

    def write(value: Any, writing: Writing) -> Any:
        return durations.to_iso(value / 1000) if isinstance(value, (int, float)) else value

    def read(value: Any, path: Path, reader: Reader) -> Any:
        seconds = durations.parse_iso(value) if isinstance(value, str) else None
        return value if seconds is None else round(seconds * 1000)

    return Rule(key, write, read)


def _write_collected(value: Any, writing: Writing) -> Any:
    return "enabled" if value else "disabled"


def _read_collected(value: Any, path: Path, reader: Reader) -> Any:
    return {"enabled": True, "disabled": False}.get(str(value).lower(), value)


def _write_model(value: Any, writing: Writing) -> Any:
    return writing.refs.asset(value, "models") if isinstance(value, str) else to_plain(value)


_PROBE = Codec(
    nouns.ProbeSettings,
    {
        "initial_delay": make_duration_rule("initialDelay"),
        "period": make_duration_rule("period"),
        "timeout": make_duration_rule("timeout"),
    },
)
_SCALE = TaggedCodec(
    "scaleType",
    {
        "Default": Codec(nouns.DefaultScaleSettings, {"type": Rule("")}),
        "TargetUtilization": Codec(
            nouns.TargetUtilizationScaleSettings,
            {"type": Rule(""), "polling_interval": make_duration_rule("pollingInterval")},
        ),
    },
)
_REQUESTS = Codec(
    nouns.OnlineRequestSettings,
    {
        "request_timeout_ms": _make_milliseconds_rule("requestTimeout"),
        "max_queue_wait_ms": _make_milliseconds_rule("maxQueueWait"),
    },
)
_COLLECTOR = Codec(
    nouns.DataCollector,
    {
        "collections": make_named_rule(
            Codec(
                nouns.DeploymentCollection, {"enabled": Rule("dataCollectionMode", _write_collected, _read_collected)}
            ),
            "collections",
        ),
        "request_logging": make_nested_rule(Codec(nouns.RequestLogging), "requestLogging"),
    },
)
_AMOUNTS = Codec(nouns.ResourceSettings)
_NEEDS = Codec(
    nouns.ResourceRequirementsSettings,
    {
        "requests": make_nested_rule(_AMOUNTS, "containerResourceRequests"),
        "limits": make_nested_rule(_AMOUNTS, "containerResourceLimits"),
    },
)
_RULES = {
    **SHARED,
    "model": Rule("model", _write_model, read_id),
    "code_configuration": make_nested_rule(Codec(CodeConfiguration, {"code": CODE}), "codeConfiguration"),
    "instance_count": Rule(""),
    "scale_settings": make_nested_rule(_SCALE, "scaleSettings"),
    "request_settings": make_nested_rule(_REQUESTS, "requestSettings"),
    "liveness_probe": make_nested_rule(_PROBE, "livenessProbe"),
    "readiness_probe": make_nested_rule(_PROBE, "readinessProbe"),
    "startup_probe": make_nested_rule(_PROBE, "startupProbe"),
    "data_collector": make_nested_rule(_COLLECTOR, "dataCollector"),
    "egress_public_network_access": make_word_rule("egressPublicNetworkAccess"),
}
_BY_TYPE: dict[str, Codec[Any]] = {
    "Managed": Codec(nouns.ManagedOnlineDeployment, _RULES),
    "Kubernetes": Codec(
        nouns.KubernetesOnlineDeployment,
        {**_RULES, "resources": make_nested_rule(_NEEDS, "containerResourceRequirements")},
    ),
}


class _OnlineDeployments:
    """Managed or on Kubernetes, as `endpointComputeType` says; how many instances is the `sku`'s capacity."""

    def write(self, noun: nouns.OnlineDeployment, writing: Writing) -> Json:
        kind = next(kind for kind, codec in _BY_TYPE.items() if isinstance(noun, codec.noun))
        properties = {**_BY_TYPE[kind].write(noun, writing), "endpointComputeType": kind}
        beside = {key: properties.pop(key) for key in _BESIDE if key in properties}
        if noun.instance_count is not None:
            beside["sku"] = {"name": "Default", "capacity": noun.instance_count}
        return {**beside, "properties": properties}

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        properties = body.get("properties")
        if not isinstance(properties, Mapping):
            reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
            return None
        flat = {**properties, **({"tags": body["tags"]} if "tags" in body else {})}
        given = flat.pop("endpointComputeType", "Managed")
        kind = next((kind for kind in _BY_TYPE if isinstance(given, str) and fold_case(kind) == fold_case(given)), None)
        if kind is None:
            words = f"unknown endpointComputeType {format_value(given)}{did_you_mean(given, _BY_TYPE)}"
            reader.add_problem(("properties", "endpointComputeType"), words)
            return None
        sku = body.get("sku")
        noun = _BY_TYPE[kind].read({**flat, **read_identity(body, _BY_TYPE[kind].noun)}, (), reader)
        if noun is not None and isinstance(sku, Mapping) and isinstance(sku.get("capacity"), int):
            noun.instance_count = sku["capacity"]
        return noun


ONLINE_DEPLOYMENT = _OnlineDeployments()


class _Serverless(Codec[ServerlessEndpoint]):
    """The model stands in `modelSettings`."""

    def write(self, noun: ServerlessEndpoint, writing: Writing) -> Json:
        body = super().write(noun, writing)
        model = body.pop("modelId", None)
        return {**body, **({"modelSettings": {"modelId": model}} if model else {}), "sku": {"name": "Consumption"}}

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        settings = body.get("modelSettings")
        model = settings.get("modelId") if isinstance(settings, Mapping) else None
        flat = {key: value for key, value in body.items() if key not in ("modelSettings", "sku")}
        return super().split_body({**flat, **({"modelId": model} if model else {})}, path, reader)


_SERVERLESS = {
    **RESOURCE,
    "auth_mode": Rule("authMode", lambda value, writing: _AUTH.get(value, value)),
    "scoring_uri": Rule("scoringUri"),
}
SERVERLESS_ENDPOINT = Envelope(_Serverless(ServerlessEndpoint, _SERVERLESS), outside=("location", "tags", "sku"))
SUBSCRIPTION = Envelope(
    Codec(
        MarketplaceSubscription,
        {
            **RESOURCE,
            "status": Rule("marketplaceSubscriptionStatus"),
            "marketplace_plan": Rule("marketplacePlan", read=lambda value, path, reader: None),
        },
    )
)
