"""The service's run history, as far as its clients need it: details, children, data, descriptions."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smalt.entities.schema.problems import join_words
from smalt.exceptions import ValidationException
from smalt.service.api.arm.jobs import find_job, update_description
from smalt.service.api.request import ApiRequest
from smalt.service.api.rest_shapes import format_time
from smalt.service.engine.outputs.paths import EMPTY_OUTPUTS
from smalt.service.records import job_data, jobs, reuse, trials
from smalt.service.records.jobs import Job
from smalt.wire.encoding import artifact_paths

_MODELS = {"custom_model": "CustomModel", "mlflow_model": "MLFlowModel", "triton_model": "TritonModel"}
_DATA = {"uri_file": "UriFile", "uri_folder": "UriFolder", "mltable": "MLTable"}
_CHANGEABLE = ("displayName", "description", "tags", "properties", "hidden")
_LOGS = ("user_logs/std_log.txt", "system_logs/smalt.log")
_SWEEP_LOG = ("azureml-logs/hyperdrive.txt", "system_logs/smalt.log")
"""The name of the log that Azure's clients print of a sweep, and that of the log with the ends of its trials."""


async def get_run(request: ApiRequest) -> dict[str, Any]:
    return _render_run(request, find_job(request))


async def get_details(request: ApiRequest) -> dict[str, Any]:
    job = find_job(request)
    files = f"{request.scope['smalt.files']}/datastores/{artifact_paths.STORE}/files/{artifact_paths.PREFIX}"
    there = {log: f"{files}{made}/{log}" for log, made in _list_logs(request, job)}
    if job.type in trials.SWEEPS and _SWEEP_LOG[1] in there:
        there[_SWEEP_LOG[0]] = there[_SWEEP_LOG[1]]
    status = "Finalizing" if request.server.job_followers.is_late_start(request.principal, job) else job.status
    return {
        **_render_run(request, job),
        "status": status,
        "logFiles": {
            log: request.server_url + request.server.signed_links.sign_path(file) for log, file in there.items()
        },
        "warnings": [],
    }


def _list_logs(request: ApiRequest, job: Job) -> Iterator[tuple[str, str]]:
    """Yield the job's log files with the job that wrote each: a reused step has the user log of the earlier job."""
    made = reuse.find_origin(request.server.db, job.id) or job.name
    for log in _LOGS:
        writer = made if log.startswith("user_logs/") else job.name
        if Path(request.server.engine.context.artifacts(request.workspace, writer), log).is_file():
            yield log, writer


async def get_children(request: ApiRequest) -> dict[str, Any]:
    """Return all children on one page: clients do not follow a nextLink here."""
    return {
        "value": [_render_run(request, child) for child in jobs.list_children(request.server.db, find_job(request).id)]
    }


async def get_run_data(request: ApiRequest) -> dict[str, Any]:
    name = (await request.read_object()).get("runId")
    if not isinstance(name, str):
        raise ValidationException('"runId" must be a text')
    request.path_params["name"] = name
    job = find_job(request)
    written = job_data.read_data(request.server.db, job.id, "output")
    outputs = {
        output: {"assetId": asset or uri, "type": _convert_type(request, type)}
        for output, (type, _, uri, asset) in written.items()
    }
    return {"runMetadata": {**_render_run(request, job), "outputs": outputs}}


async def update_run(request: ApiRequest) -> dict[str, Any]:
    """Archive, restore, rename, describe or tag a run; fields that the body does not name stay."""
    job, changes = find_job(request), await request.read_object()
    there = _render_run(request, job)
    fixed = [key for key, value in changes.items() if key not in _CHANGEABLE and value not in (None, there.get(key))]
    if fixed:
        words = join_words((f"'{key}'" for key in fixed), "and")
        raise ValidationException(f"{words} of a run cannot be changed; {join_words(_CHANGEABLE, 'and')} can")
    merged = {key: value for key, value in changes.items() if key in ("displayName", "description")}
    properties = jobs.read_properties(request.server.db, job.id)
    for key in ("tags", "properties"):
        given = changes.get(key)
        if isinstance(given, dict):
            both = {**_to_mapping(properties.get(key)), **given}
            merged[key] = {name: value for name, value in both.items() if value is not None}
    if "hidden" in changes:
        merged["isArchived"] = changes["hidden"]
    return _render_run(request, update_description(request, job, merged))


async def get_service_instances(request: ApiRequest) -> dict[str, Any]:
    find_job(request)
    return {"instances": {}}


async def resolve_uris(request: ApiRequest) -> dict[str, Any]:
    """Return the locations of several assets."""
    values = (await request.read_object()).get("values")
    if not isinstance(values, list):
        raise ValidationException('"values" must be a list of ids')
    found = {}
    for value in values:
        if isinstance(value, str) and value:
            location = request.server.data.resolve(value, request.workspace)
            if location.datastore:
                found[value] = _render_location(request, location.datastore, location.relative or "")
    return {"values": found}


def _render_location(request: ApiRequest, datastore: str, path: str) -> dict[str, Any]:
    own = request.workspace
    place = f"subscriptions/{own.subscription}/resourcegroups/{own.resource_group}/workspaces/{own.name}"
    uri = f"azureml://{place}/datastores/{datastore}/paths/{path}"
    return {"uri": uri, "path": uri, "type": "uri_folder"}


def _render_run(request: ApiRequest, job: Job) -> dict[str, Any]:
    properties = jobs.read_properties(request.server.db, job.id)
    empty = {EMPTY_OUTPUTS: job.empty_outputs} if job.empty_outputs else {}
    run = {
        "runId": job.name,
        "rootRunId": jobs.get_name(request.server.db, job.root_id),
        "parentRunId": jobs.get_name(request.server.db, job.parent_id) if job.parent_id is not None else None,
        "experimentName": job.experiment,
        "displayName": job.display_name or job.name,
        "description": properties.get("description"),
        "status": job.status,
        "runType": "azureml.PipelineRun" if job.is_composite else "azureml.StepRun",
        "hidden": bool(job.is_archived),
        "tags": _to_mapping(properties.get("tags")),
        "properties": {**_to_mapping(properties.get("properties")), **empty},
        "createdUtc": format_time(job.created_at),
        "startTimeUtc": format_time(job.started_at) if job.started_at is not None else None,
        "endTimeUtc": format_time(job.ended_at) if job.ended_at is not None else None,
    }
    if job.error and job.status in ("Canceled", "CancelRequested"):
        run["cancelationReason"] = json.loads(job.error)["message"]
    elif job.ended_by:
        run["error"] = {"error": job.ended_by}
    return run


def _convert_type(request: ApiRequest, type: str | None) -> str | None:
    """Return the run history's name for a type of model, or, for azure-ai-ml before 1.35, of data."""
    release = request.azure_release
    known = _MODELS if release is None or release >= 35 else {**_MODELS, **_DATA}
    return known.get(type or "", type)


def _to_mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


ROUTES = [
    ("GET", "/runs/{name}", get_run),
    ("GET", "/runs/{name}/details", get_details),
    ("GET", "/runs/{name}/children", get_children),
    ("GET", "/runs/{name}/serviceinstances/{node}", get_service_instances),
    ("POST", "/rundata", get_run_data),
    ("PATCH", "/experiments/{experiment}/runs/{name}", update_run),
    ("PATCH", "/runs/{name}", update_run),
    ("GET", "/experiments/{experiment}/runs/{name}", get_run),
    ("GET", "/experiments/{experiment}/runs/{name}/details", get_details),
]
DATA_ROUTES = [("POST", "/dataversion/batchGetResolvedUris", resolve_uris)]
MODEL_ROUTES = [("POST", "/models/batchGetResolvedUris", resolve_uris)]
