"""Components."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from smalt.service.api.arm.asset_collection import AssetCollection, Properties
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.endpoints.batch.job_components import build_job_component
from smalt.service.engine.submission.pins import Pinner, pin_component
from smalt.service.records import assets
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT

_DESCRIPTIVE = {"$schema", "_source", "description", "display_name", "name", "tags", "version"}


def _get_content(properties: dict[str, Any]) -> Any:
    spec = properties.get("componentSpec")
    if not isinstance(spec, dict):
        return spec
    return {key: value for key, value in spec.items() if key not in _DESCRIPTIVE}


class _ComponentCollection(AssetCollection):
    async def put_version(self, request: ApiRequest) -> ApiResponse:
        """Store a version; one that names a pipeline job only is stored with the job's steps, under their digest."""
        body = await request.read_object()
        spec = (body.get("properties") or {}).get("componentSpec") if isinstance(body.get("properties"), dict) else None
        if not isinstance(spec, dict) or not isinstance(spec.get("sourceJobId"), str) or spec.get("jobs"):
            return await self.put_body(request, body)
        context, workspace = request.server.engine.context, request.workspace
        made = build_job_component(context, workspace, spec["sourceJobId"])
        version = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()
        properties = {"isAnonymous": True, "componentSpec": made}
        existed = self.store_version(request, ANONYMOUS_COMPONENT, version, properties)
        found = assets.find_version(request.server.db, workspace.id, self.segment, ANONYMOUS_COMPONENT, version, None)
        return ApiResponse(self.render_version(request, found), 200 if existed else 201)

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
