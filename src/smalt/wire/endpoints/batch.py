"""Batch endpoints and their deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.endpoints import batch_deployment as nouns
from smalt.entities.endpoints.deployment import CodeConfiguration
from smalt.entities.endpoints.endpoint import BatchEndpoint, EndpointDefaults
from smalt.entities.schema.problems import Path, did_you_mean, format_value
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case, to_camel, to_snake
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule, make_word_rule, to_plain
from smalt.wire.encoding.envelope import HIDDEN, RESOURCE, Envelope, read_identity
from smalt.wire.jobs.command import CODE, ENVIRONMENT_ID
from smalt.wire.jobs.settings import ACTS_AS, make_duration_rule
from smalt.wire.jobs.settings import RESOURCES as MACHINES
from smalt.wire.jobs.steps import COMPONENT

_BESIDE = ("location", "tags", "identity")


def _read_word(value: Any, path: Path, reader: Reader) -> Any:
    return to_snake(value) if isinstance(value, str) else value


def _write_defaults(value: Any, writing: Writing) -> Any:
    """Programs also set a mapping, and then a key of it."""
    given = value.to_dict() if isinstance(value, EndpointDefaults) else value
    return {to_camel(key): each for key, each in given.items()}


BATCH_ENDPOINT = Envelope(
    Codec(
        BatchEndpoint,
        {
            **RESOURCE,
            "auth_mode": Rule("authMode", lambda value, writing: to_camel(value)),
            "defaults": Rule("defaults", _write_defaults, Codec(EndpointDefaults).read),
            "identity": ACTS_AS,
        },
        defaults={"properties": {}},
    ),
    outside=_BESIDE,
)


def _write_compute(value: Any, writing: Writing) -> Any:
    return writing.refs.compute(value) if isinstance(value, str) else value


def write_model(value: Any, writing: Writing) -> Any:
    if isinstance(value, str):
        return {"assetId": writing.refs.asset(value, "models"), "referenceType": "Id"}
    return to_plain(value)


def read_id(value: Any, path: Path, reader: Reader) -> Any:
    return value.get("assetId", value) if isinstance(value, Mapping) else value


_SETTINGS = {
    "output_action": make_word_rule("outputAction")._replace(read=_read_word),
    "retry_settings": make_nested_rule(
        Codec(nouns.BatchRetrySettings, {"timeout": make_duration_rule("timeout")}), "retrySettings"
    ),
}
SHARED = {**RESOURCE, "type": HIDDEN, "environment": ENVIRONMENT_ID}
_MODEL = Codec(
    nouns.ModelBatchDeployment,
    {
        **SHARED,
        **_SETTINGS,
        "compute": Rule("compute", _write_compute),
        "model": Rule("model", write_model, read_id),
        "code_configuration": make_nested_rule(Codec(CodeConfiguration, {"code": CODE}), "codeConfiguration"),
        "resources": make_nested_rule(MACHINES, "resources"),
        "settings": make_nested_rule(Codec(nouns.ModelBatchDeploymentSettings, _SETTINGS), "settings"),
    },
)
_PIPELINE = Codec(nouns.PipelineComponentBatchDeployment, {**SHARED, "component": COMPONENT})


class _BatchDeployments:
    """Deployments of a model, or of a pipeline component, which stands in `deploymentConfiguration`."""

    def write(self, noun: Any, writing: Writing) -> Json:
        if isinstance(noun, nouns.ModelBatchDeployment):
            return self._nest_settings(self._flatten_settings(_MODEL.write(noun, writing)))
        body = _PIPELINE.write(noun, writing)
        component = body.pop("component", None) or {"referenceType": "Id", "assetId": body.pop("componentId", None)}
        body["deploymentConfiguration"] = {
            "deploymentConfigurationType": "PipelineComponent",
            "componentId": component,
            "settings": body.pop("settings", {}),
        }
        return self._nest_settings(body)

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        properties = body.get("properties")
        if not isinstance(properties, Mapping):
            reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
            return None
        flat = {**properties, **({"tags": body["tags"]} if "tags" in body else {})}
        configuration = flat.pop("deploymentConfiguration", None)
        if not isinstance(configuration, Mapping):
            return _MODEL.read({**flat, "type": "model", **read_identity(body, _MODEL.noun)}, (), reader)
        kind = configuration.get("deploymentConfigurationType")
        if fold_case(str(kind)) != "pipelinecomponent":
            hint = did_you_mean(kind, ("PipelineComponent", "Model"))
            reader.add_problem(
                ("deploymentConfiguration",), f"unknown deploymentConfigurationType {format_value(kind)}{hint}"
            )
            return None
        flat["component"] = read_id(configuration.get("componentId"), (), reader)
        flat["settings"] = configuration.get("settings")
        return _PIPELINE.read({**flat, **read_identity(body, _PIPELINE.noun)}, (), reader)

    def _flatten_settings(self, body: Json) -> Json:
        """Settings stand beside the rest there."""
        settings = body.pop("settings", None) or {}
        count = settings.pop("instanceCount", None)
        if count is not None:
            body["resources"] = {**body.get("resources", {}), "instanceCount": count}
        return {**settings, **body}

    def _nest_settings(self, body: Json) -> Json:
        outside = {key: body.pop(key) for key in _BESIDE if key in body}
        return {"location": "local", **outside, "properties": body}


BATCH_DEPLOYMENT = _BatchDeployments()
