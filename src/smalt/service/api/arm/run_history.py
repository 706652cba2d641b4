"""The service's run history, as far as its clients need it: details, children, data, descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.entities.schema.problems import listed
from smalt.exceptions import ValidationException
from smalt.service.api.arm.jobs import describe, existing
from smalt.service.api.request import Call
from smalt.service.api.rest_shapes import iso
from smalt.service.engine.outputs.paths import EMPTY_OUTPUTS
from smalt.service.records import jobs, reuse
from smalt.service.records.jobs import Job

_MODELS = {"custom_model": "CustomModel", "mlflow_model": "MLFlowModel", "triton_model": "TritonModel"}
_DATA = {"uri_file": "UriFile", "uri_folder": "UriFolder", "mltable": "MLTable"}
_CHANGEABLE = ("displayName", "description", "tags", "properties", "hidden")
_LOGS = ("user_logs/std_log.txt", "system_logs/smalt.log")


async def get_run(call: Call) -> dict[str, Any]:
    return _run(call, existing(call))


async def get_details(call: Call) -> dict[str, Any]:
    job = existing(call)
    files = f"{call.scope['smalt.files']}/datastores/workspaceartifactstore/files/ExperimentRun"
    there = {log: f"{files}/dcid.{made}/{log}" for log, made in _logs(call, job)}
    status = "Finalizing" if call.service.streams.begins_late(call.principal, job) else job.status
    return {
        **_run(call, job),
        "status": status,
        "logFiles": {log: call.base + call.service.links.sign(file) for log, file in there.items()},
        "warnings": [],
    }


def _logs(call: Call, job: Job) -> Iterator[tuple[str, str]]:
    """The job's log files, and the job that wrote each: a reused step has the log of the earlier one."""
    made = reuse.find_origin(call.service.db, job.id) or job.name
    for log in _LOGS:
        writer = made if log.startswith("user_logs/") else job.name
        if Path(call.service.engine.rooms.artifacts(call.workspace, writer), log).is_file():
            yield log, writer


async def get_children(call: Call) -> dict[str, Any]:
    """All at once: clients do not follow a nextLink here."""
    return {"value": [_run(call, child) for child in jobs.list_children(call.service.db, existing(call).id)]}


async def post_rundata(call: Call) -> dict[str, Any]:
    name = (await call.object()).get("runId")
    if not isinstance(name, str):
        raise ValidationException('"runId" must be a text')
    call.path_params["name"] = name
    job = existing(call)
    written = jobs.read_data(call.service.db, job.id, "output")
    outputs = {
        output: {"assetId": asset or uri, "type": _type(call, type)}
        for output, (type, _, uri, asset) in written.items()
    }
    return {"runMetadata": {**_run(call, job), "outputs": outputs}}


async def patch_run(call: Call) -> dict[str, Any]:
    """Archive, restore, rename, describe, tag; what is not named stays."""
    job, changes = existing(call), await call.object()
    there = _run(call, job)
    fixed = [key for key, value in changes.items() if key not in _CHANGEABLE and value not in (None, there.get(key))]
    if fixed:
        words = listed((f"'{key}'" for key in fixed), "and")
        raise ValidationException(f"{words} of a run cannot be changed; {listed(_CHANGEABLE, 'and')} can")
    merged = {key: value for key, value in changes.items() if key in ("displayName", "description")}
    properties = jobs.read_properties(call.service.db, job.id)
    for key in ("tags", "properties"):
        given = changes.get(key)
        if isinstance(given, dict):
            both = {**_mapping(properties.get(key)), **given}
            merged[key] = {name: value for name, value in both.items() if value is not None}
    if "hidden" in changes:
        merged["isArchived"] = changes["hidden"]
    return _run(call, describe(call, job, merged))


async def get_service_instances(call: Call) -> dict[str, Any]:
    existing(call)
    return {"instances": {}}


async def resolve_uris(call: Call) -> dict[str, Any]:
    """Where assets are, many in one request."""
    values = (await call.object()).get("values")
    if not isinstance(values, list):
        raise ValidationException('"values" must be a list of ids')
    found = {}
    for value in values:
        if isinstance(value, str) and value:
            location = call.service.data.resolve(value, call.workspace)
            if location.datastore:
                found[value] = _resolved(call, location.datastore, location.relative or "")
    return {"values": found}


def _resolved(call: Call, datastore: str, path: str) -> dict[str, Any]:
    own = call.workspace
    place = f"subscriptions/{own.subscription}/resourcegroups/{own.resource_group}/workspaces/{own.name}"
    uri = f"azureml://{place}/datastores/{datastore}/paths/{path}"
    return {"uri": uri, "path": uri, "type": "uri_folder"}


def _run(call: Call, job: Job) -> dict[str, Any]:
    properties = jobs.read_properties(call.service.db, job.id)
    empty = {EMPTY_OUTPUTS: job.empty_outputs} if job.empty_outputs else {}
    run = {
        "runId": job.name,
        "rootRunId": jobs.get_name(call.service.db, job.root_id),
        "parentRunId": jobs.get_name(call.service.db, job.parent_id) if job.parent_id is not None else None,
        "experimentName": job.experiment,
        "displayName": job.display_name or job.name,
        "description": properties.get("description"),
        "status": job.status,
        "runType": "azureml.PipelineRun" if job.is_composite else "azureml.StepRun",
        "hidden": bool(job.is_archived),
        "tags": _mapping(properties.get("tags")),
        "properties": {**_mapping(properties.get("properties")), **empty},
        "createdUtc": iso(job.created_at),
        "startTimeUtc": iso(job.started_at) if job.started_at is not None else None,
        "endTimeUtc": iso(job.ended_at) if job.ended_at is not None else None,
    }
    if job.error and job.status in ("Canceled", "CancelRequested"):
        run["cancelationReason"] = json.loads(job.error)["message"]
    elif job.ended_by:
        run["error"] = {"error": job.ended_by}
    return run


def _type(call: Call, type: str | None) -> str | None:
    """Models by the run history's own words; data, too, for azure-ai-ml before 1.35, which knows no others."""
    release = call.azure_release
    known = _MODELS if release is None or release >= 35 else {**_MODELS, **_DATA}
    return known.get(type or "", type)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


ROUTES = [
    ("GET", "/runs/{name}", get_run),
    ("GET", "/runs/{name}/details", get_details),
    ("GET", "/runs/{name}/children", get_children),
    ("GET", "/runs/{name}/serviceinstances/{node}", get_service_instances),
    ("POST", "/rundata", post_rundata),
    ("PATCH", "/experiments/{experiment}/runs/{name}", patch_run),
    ("PATCH", "/runs/{name}", patch_run),
    ("GET", "/experiments/{experiment}/runs/{name}", get_run),
    ("GET", "/experiments/{experiment}/runs/{name}/details", get_details),
]
DATA_ROUTES = [("POST", "/dataversion/batchGetResolvedUris", resolve_uris)]
MODEL_ROUTES = [("POST", "/models/batchGetResolvedUris", resolve_uris)]
