"""Models."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import ValidationException
from smalt.service.api.call import Call
from smalt.service.api.versioned import Collection
from smalt.service.data.modes import missing
from smalt.service.data.uris import JobOutput, parse
from smalt.service.engine.protecting import protect_made

_FROM_TRACKING = ("runs:/", "models:/", "mlflow-artifacts:/", "azureml://jobs/", "azureml://runs/")


class _Models(Collection):
    async def prepared(self, call: Call, name: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        """What a job made, or MLflow knows by another name, must be there; it is kept as where it lies."""
        properties = self._resolved(call, name, version, await super().prepared(call, name, version, body))
        if isinstance(uri := properties.get("modelUri"), str):
            engine = call.service.engine
            await protect_made(engine.rooms, engine.reusing.reuse, call.workspace, uri)
        return properties

    def _resolved(self, call: Call, name: str, version: str, properties: dict[str, Any]) -> dict[str, Any]:
        uri = properties.get("modelUri")
        if not isinstance(uri, str) or not uri.startswith(_FROM_TRACKING):
            return properties
        place = call.service.data.resolve(uri, call.workspace)
        if place.remote is None and not place.exists:
            raise ValidationException(f"model '{name}:{version}': {missing(place)}")
        if place.datastore is not None:
            properties["modelUri"] = f"azureml://datastores/{place.datastore}/paths/{place.relative}"
        elif place.path is not None:
            properties["modelUri"] = place.path.as_uri()
        else:
            properties["modelUri"] = place.remote
        found = parse(uri)
        if isinstance(found, JobOutput) and not properties.get("jobName"):
            properties["jobName"] = found.job
        return properties


MODELS = _Models(
    "models",
    "model",
    content=("modelUri", "modelType"),
    defaults=lambda: {"flavors": {}, "modelType": "custom_model"},
    uri="modelUri",
)
