"""Outputs with a name become data assets or models when their job completes."""

from __future__ import annotations

from typing import Any

from smalt.service.engine.rooms import Rooms
from smalt.service.records import assets, jobs, reuse
from smalt.service.records.jobs import Job

_MODELS = {"mlflow_model", "custom_model", "triton_model"}


def register_outputs(rooms: Rooms, job: Job) -> None:
    """Register each named output once, however often this is called."""
    outputs = jobs.properties(rooms.db, job.id).get("outputs") or {}
    written = jobs.data(rooms.db, job.id, "output")
    for output, given in outputs.items():
        name = (given or {}).get("assetName") or (given or {}).get("name")
        if not name or output not in written or written[output][3]:
            continue
        type, mode, uri, _ = written[output]
        with rooms.db.transaction():
            kind, version = _register(rooms, job, name, given, type, uri or "")
            asset = f"{kind}/{name}/versions/{version}"
            jobs.put_data(rooms.db, job, [jobs.DataRow("output", output, type, mode, uri, asset)])


def _is_of_another(rooms: Rooms, job: Job, uri: str) -> bool:
    """Whether an earlier job made what is there, and this one or a step of it was reused."""
    return reuse.origin(rooms.db, job.id) is not None or uri in reuse.places(rooms.db, job.root_id).values()


def _register(rooms: Rooms, job: Job, name: str, given: dict[str, Any], type: str, uri: str) -> tuple[str, str]:
    kind = "models" if type in _MODELS else "data"
    container = assets.container(rooms.db, job.workspace_id, kind, name)
    wanted = given.get("assetVersion") or given.get("version")
    latest = assets.latest(rooms.db, job.workspace_id, kind, name)
    known = latest.properties.get("modelUri" if kind == "models" else "dataUri") if latest else None
    if latest and known == uri and wanted in (None, latest.version) and _is_of_another(rooms, job, uri):
        return kind, latest.version
    version = wanted or (container.next_version if container else "1")
    properties: dict[str, Any] = {
        "description": given.get("description"), "tags": {}, "properties": {"smalt.job": job.name},
        "isAnonymous": False, "isArchived": False,
    }  # fmt: skip
    if kind == "models":
        properties.update(modelType=type, modelUri=uri, flavors={}, jobName=job.name)
    else:
        properties.update(dataType=type, dataUri=uri)
    assets.put(rooms.db, job.workspace_id, kind, name, str(version), properties, job.created_by)
    return kind, str(version)
