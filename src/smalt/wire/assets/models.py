"""Models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.deployment_template import DeploymentTemplateReference
from smalt.entities.assets.model import Model
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule, to_plain
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, Envelope


def _write_flavors(value: Mapping[str, Any], writing: Writing) -> Any:
    return {name: {"data": to_plain(data)} for name, data in value.items()}


def _read_flavors(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping):
        return value
    return {name: data.get("data", {}) if isinstance(data, Mapping) else data for name, data in value.items()}


_TEMPLATE = Codec(DeploymentTemplateReference)


def _write_templates(value: Any, writing: Writing) -> Any:
    return [_TEMPLATE.write(each, writing) for each in value]


def _read_templates(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, list):
        return value
    return [_TEMPLATE.read(each, (*path, number), reader) for number, each in enumerate(value)]


class _Model(Codec[Model]):
    """A local model is kept in the datastore that it names."""

    def write(self, noun: Model, writing: Writing) -> Json:
        body = super().write(noun, writing)
        if noun.path is not None:
            body["modelUri"] = writing.refs.stored(noun.path, noun.datastore)
        return body


MODEL = _Model(
    Model,
    {
        **ASSET,
        "type": Rule("modelType"),
        "path": Rule("modelUri"),
        "flavors": Rule("flavors", _write_flavors, _read_flavors),
        "default_deployment_template": make_nested_rule(_TEMPLATE, "defaultDeploymentTemplate"),
        "allowed_deployment_templates": Rule("allowedDeploymentTemplates", _write_templates, _read_templates),
    },
    defaults={**ASSET_DEFAULTS, "modelType": "custom_model", "flavors": {}, "properties": {}, "tags": {}},
)
RESOURCES = Envelope(MODEL)
