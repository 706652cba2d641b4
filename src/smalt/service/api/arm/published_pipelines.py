"""SDK v1's REST API of published pipelines and pipeline endpoints, over batch endpoints and their deployments."""

from __future__ import annotations

from typing import Any

from smalt.entities.endpoints import published
from smalt.exceptions import NotFound
from smalt.service.api.arm.batch_endpoints import get_request_id
from smalt.service.api.request import ApiRequest
from smalt.service.api.rest_shapes import build_resource_id, format_time, get_workspace_id
from smalt.service.api.router import RouteTable
from smalt.service.endpoints.batch import invoke_endpoint
from smalt.service.endpoints.batch.published_pipelines import (
    PublishedRecord,
    build_invocation,
    find_pipeline_endpoint,
    find_published,
    get_notes,
    list_pipeline_endpoints,
    list_published,
)
from smalt.service.records import jobs, resources
from smalt.service.records.jobs import Job
from smalt.service.records.resources import ResourceRecord

Body = dict[str, Any]

_KIND = "batchEndpoints"
_CODES = {"NotStarted": 0, "Running": 1, "Failed": 2, "Completed": 3, "Canceled": 4}
"""The service's numbers of the states of a pipeline's run."""


async def list_pipelines(request: ApiRequest) -> Body:
    return {"value": [_render_pipeline(request, one) for one in list_published(request.server.db, request.workspace)]}


async def get_pipeline(request: ApiRequest) -> Body:
    found = find_published(request.server.db, request.workspace, request.get_name("id"))
    return _render_pipeline(request, found)


async def list_endpoints(request: ApiRequest) -> Body:
    found = list_pipeline_endpoints(request.server.db, request.workspace)
    return {"value": [_render_endpoint(request, one) for one in found]}


async def get_endpoint(request: ApiRequest) -> Body:
    id = request.get_name("id")
    return _render_endpoint(request, find_pipeline_endpoint(request.server.db, request.workspace, id=id))


async def submit_pipeline(request: ApiRequest) -> Body:
    """Make the job of a request to a published pipeline."""
    found = find_published(request.server.db, request.workspace, request.get_name("id"))
    return await _submit_pipeline(request, found.endpoint, found.deployment)


async def submit_to_endpoint(request: ApiRequest) -> Body:
    """Make the job of a request to a pipeline endpoint, by its id or name, with or without a version."""
    db, workspace = request.server.db, request.workspace
    id = request.path_params.get("id")
    name = request.get_query("name") if id is None else None
    endpoint = find_pipeline_endpoint(db, workspace, id=id, name=name)
    version = request.path_params.get("version") or request.get_query("pipelineVersion") or _get_default(endpoint)
    found = resources.get_resource(db, workspace.id, f"{_KIND}/{endpoint.name}/deployments", f"v{version}")
    if found is None:
        raise NotFound(f"pipeline endpoint '{_get_name(endpoint)}' has no version '{version[:100]}'")
    return await _submit_pipeline(request, endpoint.name, found)


async def _submit_pipeline(request: ApiRequest, endpoint: str, deployment: ResourceRecord) -> Body:
    submission = await request.read_object()
    engine, workspace = request.server.engine, request.workspace
    record = resources.get_resource(request.server.db, workspace.id, _KIND, endpoint)
    assert record is not None
    properties = deployment.content["properties"]
    body = build_invocation(engine.context, workspace, properties, submission)
    made = invoke_endpoint(
        engine,
        workspace,
        record,
        body,
        request.principal,
        deployment=deployment.name,
        request_id=get_request_id(request),
        sent=[request.path_params, [request.get_query(key) for key in ("name", "pipelineVersion")], submission],
    )
    return _render_run(request, made.job, properties, submission)


def _render_run(request: ApiRequest, job: Job, deployment: Body, submission: Body) -> Body:
    """Return a job as that service described the run of a published pipeline."""
    body, notes = jobs.read_properties(request.server.db, job.id), deployment.get("properties") or {}
    properties = body.get("properties") or {}
    given = {str(key).lower(): value for key, value in submission.items()}
    return {
        "Id": job.name,
        "Description": body.get("description") or notes.get(published.NAME),
        "DisplayName": job.display_name,
        "Status": {
            "StatusCode": _CODES.get(job.status, 0),
            "StatusDetail": None,
            "CreationTime": format_time(job.created_at),
            "EndTime": None,
            "RunStatus": job.status,
        },
        "HasErrors": False,
        "IsSubmitted": True,
        "PipelineId": properties.get(published.RUN_OF) or notes.get(published.PIPELINE),
        "RunHistoryExperimentName": job.experiment,
        "RunSource": properties.get("runSource"),
        "RunType": properties.get("runType"),
        "TotalRunSteps": int(notes.get(published.STEPS) or 0),
        "ParameterAssignments": given.get("parameterassignments") or {},
        "DataPathAssignments": given.get("datapathassignments") or {},
        "DataSetDefinitionValueAssignments": given.get("datasetdefinitionvalueassignments") or {},
        "Tags": body.get("tags") or {},
        "Properties": properties,
        "CreatedBy": {"UserName": job.created_by},
        "CreatedDate": format_time(job.created_at),
        "EntityStatus": 0,
    }


def _render_pipeline(request: ApiRequest, found: PublishedRecord) -> Body:
    properties, notes = found.deployment.content["properties"], found.notes
    settings = (properties.get("deploymentConfiguration") or {}).get("settings") or {}
    alike = [
        one
        for one in resources.list_deployments(request.server.db, request.workspace.id, _KIND)
        if get_notes(one).get(published.PIPELINE) == found.id
    ]
    return {
        "Id": found.id,
        "Name": found.name,
        "Description": properties.get("description"),
        "Version": notes.get(published.VERSION),
        "EntityStatus": notes.get(published.STATUS, published.ACTIVE),
        "TotalRunSteps": int(notes.get(published.STEPS) or 0),
        "ContinueRunOnStepFailure": bool(settings.get("continue_on_step_failure")),
        "Url": f"{_get_address(request)}/PipelineRuns/PipelineSubmit/{found.id}",
        "EndpointName": found.endpoint,
        "DeploymentName": found.deployment.name,
        "DeploymentIds": [build_resource_id(request.workspace, one.kind, one.name) for one in alike],
        "CreatedDate": format_time(found.deployment.created_at),
    }


def _render_endpoint(request: ApiRequest, endpoint: ResourceRecord) -> Body:
    notes = get_notes(endpoint)
    place = f"{_KIND}/{endpoint.name}/deployments"
    deployments = resources.list_resources(request.server.db, request.workspace.id, place)
    versions = [one for one in deployments if published.PIPELINE in get_notes(one) and one.name[1:].isdecimal()]
    return {
        "Id": notes[published.ENDPOINT],
        "Name": _get_name(endpoint),
        "Description": endpoint.content["properties"].get("description"),
        "EntityStatus": notes.get(published.STATUS, published.ACTIVE),
        "DefaultVersion": _get_default(endpoint),
        "PipelineVersionList": [
            {"Version": one.name[1:], "PipelineId": get_notes(one)[published.PIPELINE]}
            for one in sorted(versions, key=lambda one: int(one.name[1:]))
        ],
        "Url": f"{_get_address(request)}/PipelineRuns/PipelineEndpointSubmit/Id/{notes[published.ENDPOINT]}",
        "EndpointName": endpoint.name,
        "CreatedDate": format_time(endpoint.created_at),
    }


def _get_address(request: ApiRequest) -> str:
    return f"{request.server_url}{published.ROUTE}{get_workspace_id(request.workspace)}"


def _get_name(endpoint: ResourceRecord) -> str:
    return get_notes(endpoint).get(published.NAME) or endpoint.name


def _get_default(endpoint: ResourceRecord) -> str:
    default = (endpoint.content["properties"].get("defaults") or {}).get("deploymentName")
    return str(default or "")[1:]


ROUTES: RouteTable = [
    ("GET", "/Pipelines", list_pipelines),
    ("GET", "/Pipelines/{id}", get_pipeline),
    ("GET", "/PipelineEndpoints", list_endpoints),
    ("GET", "/PipelineEndpoints/{id}", get_endpoint),
    ("POST", "/PipelineRuns/PipelineSubmit/{id}", submit_pipeline),
    ("POST", "/PipelineRuns/PipelineEndpointSubmit/Id/{id}", submit_to_endpoint),
    ("POST", "/PipelineRuns/PipelineEndpointSubmit/Id/{id}/{version}", submit_to_endpoint),
    ("POST", "/PipelineRuns/PipelineEndpointSubmit/Name", submit_to_endpoint),
]
