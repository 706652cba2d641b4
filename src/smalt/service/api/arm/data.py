"""Data assets and the location of their content."""

from __future__ import annotations

from typing import Any

from smalt.entities.syntax.references import Reference, parse_uri
from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.asset_content import Keys, fix_named_content, refuse_unfit_content
from smalt.service.api.request import ApiRequest
from smalt.service.engine.versions.protection import protect_output

_CONTENT = Keys("dataUri", "dataType", "uri_folder")


class _DataCollection(AssetCollection):
    async def prepare_version(
        self, request: ApiRequest, name: str, version: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the properties to store; content that a job made is stored by its location, as the job may be
        deleted."""
        properties = await super().prepare_version(request, name, version, body)
        uri = properties.get("dataUri")
        if not isinstance(uri, str):
            return properties
        if isinstance(parse_uri(uri), Reference):
            request.server.data.resolve(uri, request.workspace)  # else it would mean what somebody calls so one day
        if self.creates_version(request, name, version):
            await refuse_unfit_content(request, f"data asset '{name}'", properties, _CONTENT)
        await fix_named_content(request, f"data asset '{name}'", properties, _CONTENT)
        engine = request.server.engine
        await protect_output(engine.context, engine.step_reuse.reuse, request.workspace, uri)
        return properties


DATA = _DataCollection(
    "data", "data", content=("dataUri", "dataType"), uri="dataUri", needed=("dataUri",), type="dataType"
)
