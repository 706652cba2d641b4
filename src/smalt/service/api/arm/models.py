"""Models and the location of their content."""

from __future__ import annotations

from typing import Any

from smalt.service.api.arm.asset_collection import AssetCollection
from smalt.service.api.arm.asset_content import Keys, fix_named_content, refuse_unfit_content
from smalt.service.api.request import ApiRequest
from smalt.service.data.uris.uri_forms import JobOutput, parse_uri
from smalt.service.engine.versions.protection import protect_output

_CONTENT = Keys("modelUri", "modelType", "custom_model")


class _ModelCollection(AssetCollection):
    async def prepare_version(
        self, request: ApiRequest, name: str, version: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the properties to store; content named by a job, a run or MLflow must exist and is stored by
        location."""
        properties = await super().prepare_version(request, name, version, body)
        uri = properties.get("modelUri")
        if not isinstance(uri, str):
            return properties
        if self.creates_version(request, name, version):
            await refuse_unfit_content(request, f"model '{name}'", properties, _CONTENT)
        if await fix_named_content(request, f"model '{name}'", properties, _CONTENT):
            found = parse_uri(uri)
            if isinstance(found, JobOutput) and not properties.get("jobName"):
                properties["jobName"] = found.job
        engine = request.server.engine
        await protect_output(engine.context, engine.step_reuse.reuse, request.workspace, uri)
        return properties


MODELS = _ModelCollection(
    "models",
    "model",
    content=("modelUri", "modelType"),
    defaults=lambda: {"flavors": {}, "modelType": "custom_model"},
    uri="modelUri",
    needed=("modelUri",),
)
