"""Components."""

from __future__ import annotations

from typing import Any

from smalt.service.api.arm.asset_collection import Collection, Properties
from smalt.service.api.request import Call
from smalt.service.engine.submission.pins import Pinner, fixed_component
from smalt.service.records import assets

_DESCRIPTIVE = {"$schema", "_source", "description", "display_name", "name", "tags", "version"}


def _content(properties: dict[str, Any]) -> Any:
    spec = properties.get("componentSpec")
    if not isinstance(spec, dict):
        return spec
    return {key: value for key, value in spec.items() if key not in _DESCRIPTIVE}


class _Components(Collection):
    def fixed(self, pinner: Pinner, properties: Properties) -> Properties:
        """Those without a name belong to a job, and mean what they mean when it is submitted."""
        spec = properties.get("componentSpec")
        if properties.get("isAnonymous") or not isinstance(spec, dict):
            return properties
        return {**properties, "componentSpec": fixed_component(pinner, spec)}

    def version(self, call: Call, version: assets.AssetVersion) -> Properties:
        """As the service, the specification tells name and version, sent or not: clients read them there."""
        shape = super().version(call, version)
        spec = shape["properties"].get("componentSpec")
        if isinstance(spec, dict):
            named = {"name": version.name, "version": version.version}
            shape["properties"]["componentSpec"] = {**spec, **{key: spec.get(key) or named[key] for key in named}}
        return shape


COMPONENTS = _Components("components", "component", content=(), comparable=_content, is_once=True)


async def with_versions(call: Call) -> Properties:
    """POST /smalt/v1{WS}/components/fixed {"componentSpec"}: the same, as it would be registered now."""
    properties = await call.object()
    with call.service.db.transaction():
        return COMPONENTS.fixed(Pinner(call.service.engine.rooms, call.workspace), properties)


OWN_ROUTES = [("POST", "/components/fixed", with_versions)]
