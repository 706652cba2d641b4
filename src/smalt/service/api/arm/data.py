"""Data assets, and where their content is."""

from __future__ import annotations

from typing import Any

from smalt.entities.syntax.references import Reference, parse_uri
from smalt.service.api.arm.asset_collection import Collection
from smalt.service.api.arm.asset_content import place_named
from smalt.service.api.request import Call
from smalt.service.engine.versions.protection import protect_made


class _Data(Collection):
    async def prepared(self, call: Call, name: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep what a job made as where it lies: the job may be deleted."""
        properties = await super().prepared(call, name, version, body)
        uri = properties.get("dataUri")
        if not isinstance(uri, str):
            return properties
        if isinstance(parse_uri(uri), Reference):
            call.service.data.resolve(uri, call.workspace)  # else it would mean what somebody calls so one day
        properties["dataUri"] = place_named(call, f"data asset '{name}:{version}'", uri) or uri
        engine = call.service.engine
        await protect_made(engine.rooms, engine.reusing.reuse, call.workspace, uri)
        return properties


DATA = _Data("data", "data", content=("dataUri", "dataType"), uri="dataUri", needed=("dataUri",), type="dataType")
