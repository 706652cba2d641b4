"""Components."""

from __future__ import annotations

from typing import Any

from smalt.service.api.arm.asset_collection import AssetCollection, Properties
from smalt.service.api.request import ApiRequest
from smalt.service.engine.submission.pins import Pinner, pin_component
from smalt.service.records import assets

_DESCRIPTIVE = {"$schema", "_source", "description", "display_name", "name", "tags", "version"}


def _get_content(properties: dict[str, Any]) -> Any:
    spec = properties.get("componentSpec")
    if not isinstance(spec, dict):
        return spec
    return {key: value for key, value in spec.items() if key not in _DESCRIPTIVE}


class _ComponentCollection(AssetCollection):
    def resolve_references(self, pinner: Pinner, properties: Properties) -> Properties:
        """Return the properties with versions for their references; anonymous components are resolved with their
        job."""
        spec = properties.get("componentSpec")
        if properties.get("isAnonymous") or not isinstance(spec, dict):
            return properties
        return {**properties, "componentSpec": pin_component(pinner, spec)}

    def render_version(self, request: ApiRequest, version: assets.AssetVersion) -> Properties:
        """Return the REST body with name and version in the specification, as the service does: clients read them
        there."""
        shape = super().render_version(request, version)
        spec = shape["properties"].get("componentSpec")
        if isinstance(spec, dict):
            named = {"name": version.name, "version": version.version}
            shape["properties"]["componentSpec"] = {**spec, **{key: spec.get(key) or named[key] for key in named}}
        return shape


COMPONENTS = _ComponentCollection("components", "component", content=(), comparable=_get_content, is_once=True)


async def resolve_component(request: ApiRequest) -> Properties:
    """POST /smalt/v1{WS}/components/fixed {"componentSpec"}: return the body as it would be registered now."""
    properties = await request.read_object()
    with request.server.db.transaction():
        return COMPONENTS.resolve_references(Pinner(request.server.engine.context, request.workspace), properties)


OWN_ROUTES = [("POST", "/components/fixed", resolve_component)]
