"""Data assets, and where their content is."""

from __future__ import annotations

import contextlib
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.api.call import Call
from smalt.service.api.versioned import Collection
from smalt.service.engine.protecting import protect_made

_OF_JOB = "azureml://jobs/"


class _Data(Collection):
    async def prepared(self, call: Call, name: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep what a job made as where it lies: the job may be deleted."""
        properties = await super().prepared(call, name, version, body)
        uri = properties.get("dataUri")
        if isinstance(uri, str) and uri.startswith(_OF_JOB):
            with contextlib.suppress(SmaltError):
                place = call.service.data.resolve(uri, call.workspace)
                if place.datastore is not None:
                    properties["dataUri"] = f"azureml://datastores/{place.datastore}/paths/{place.relative}"
        if isinstance(uri, str):
            engine = call.service.engine
            await protect_made(engine.rooms, engine.reusing.reuse, call.workspace, str(properties["dataUri"]))
        return properties


DATA = _Data("data", "data", content=("dataUri", "dataType"), uri="dataUri", type="dataType")
