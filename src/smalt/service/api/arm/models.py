"""Models."""

from __future__ import annotations

from typing import Any

from smalt.service.api.arm.asset_collection import Collection
from smalt.service.api.arm.asset_content import place_named
from smalt.service.api.request import Call
from smalt.service.data.uris.uri_forms import JobOutput, parse
from smalt.service.engine.versions.protection import protect_made


class _Models(Collection):
    async def prepared(self, call: Call, name: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a job made, or MLflow knows by another name, must be there; it is kept as where it lies."""
        properties = await super().prepared(call, name, version, body)
        uri = properties.get("modelUri")
        if not isinstance(uri, str):
            return properties
        if place := place_named(call, f"model '{name}:{version}'", uri):
            properties["modelUri"] = place
            found = parse(uri)
            if isinstance(found, JobOutput) and not properties.get("jobName"):
                properties["jobName"] = found.job
        engine = call.service.engine
        await protect_made(engine.rooms, engine.reusing.reuse, call.workspace, uri)
        return properties


MODELS = _Models(
    "models",
    "model",
    content=("modelUri", "modelType"),
    defaults=lambda: {"flavors": {}, "modelType": "custom_model"},
    uri="modelUri",
    needed=("modelUri",),
)
