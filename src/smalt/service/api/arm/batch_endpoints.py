"""Batch endpoints and their deployments: kept, invoked, and the jobs that invocations made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from smalt.entities.schema.problems import join_words
from smalt.exceptions import Conflict, NotFound, ValidationException
from smalt.service.api.arm.job_shapes import convert_for_azure, render_job
from smalt.service.api.arm.resource_collection import ResourceCollection
from smalt.service.api.blob.urls import convert_urls
from smalt.service.api.pagination import get_window, wrap_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_resource_id, get_resource_type
from smalt.service.api.router import Handler
from smalt.service.endpoints.batch import invoke_endpoint
from smalt.service.endpoints.batch.deployments import check_deployment
from smalt.service.endpoints.batch.scoring_jobs import RESOLVED
from smalt.service.endpoints.batch.users import list_endpoint_users
from smalt.service.records import batch_invocations, jobs, resources
from smalt.service.records.batch_invocations import InvocationRecord
from smalt.service.records.jobs import Job
from smalt.service.records.resources import ResourceRecord

Body = dict[str, Any]

_DEPLOYMENT, _REQUEST = "azureml-model-deployment", "repeatability-request-id"
_REQUEST_HEADERS = ("repeatability_request-id", _REQUEST)
"""Azure's client writes it with an underscore; the standard for repeatable requests, with a hyphen."""


@dataclass(frozen=True)
class BatchEndpointCollection(ResourceCollection):
    def list_routes(self) -> list[tuple[str, str, Handler]]:
        jobs_of_endpoint = f"/{self.segment}/{{name}}/jobs"
        jobs_of_deployment = f"/{self.segment}/{{name}}/deployments/{{deployment}}/jobs"
        return [
            *super().list_routes(),
            ("GET", jobs_of_endpoint, self.list_jobs),
            ("POST", jobs_of_endpoint, self.invoke),
            ("GET", f"{jobs_of_endpoint}/{{job}}", self.get_job),
            ("GET", jobs_of_deployment, self.list_jobs),
            ("GET", f"{jobs_of_deployment}/{{job}}", self.get_job),
        ]

    async def invoke(self, request: ApiRequest) -> ApiResponse:
        """Make the job of an invocation; the same request again, by its id, answers with the same job."""
        body = convert_urls(request, await request.read_object())
        invoked = invoke_endpoint(
            request.server.engine,
            request.workspace,
            self.find_resource(request),
            body,
            request.principal,
            deployment=request.headers.get(_DEPLOYMENT) or None,
            request_id=get_request_id(request),
        )
        found = batch_invocations.find_by_job(request.server.db, invoked.job)
        assert found is not None
        return ApiResponse(_render_invoked_job(request, found, invoked.job), 201 if invoked.is_new else 200)

    async def list_jobs(self, request: ApiRequest) -> Body:
        """Return the jobs of the endpoint, or of one deployment, the newest first."""
        endpoint, db = self.find_resource(request), request.server.db
        skip, size = get_window(request)
        deployment = request.path_params.get("deployment")
        found = batch_invocations.list_invocations(
            db, request.workspace.id, endpoint.name, deployment, skip=skip, limit=size + 1
        )
        shown = [_render_invoked_job(request, one, jobs.get_job(db, one.job_id)) for one in found[:size]]
        return wrap_page(request, shown, len(found) > size)

    async def get_job(self, request: ApiRequest) -> Body:
        endpoint, name = self.find_resource(request), request.get_name("job")
        job = jobs.find_by_name(request.server.db, request.workspace.id, name)
        found = batch_invocations.find_by_job(request.server.db, job) if job is not None else None
        if job is None or found is None or found.endpoint.lower() != endpoint.name.lower():
            raise NotFound(f"batch endpoint '{endpoint.name}' has no job '{name[:100]}'")
        return _render_invoked_job(request, found, job)

    async def check_properties(self, request: ApiRequest, properties: Body) -> Body:
        """Return the properties; raise ValidationException if the default is no deployment of the endpoint."""
        default = (properties.get("defaults") or {}).get("deploymentName")
        kind = f"{self.segment}/{request.get_name()}/deployments"
        known = [one.name for one in resources.list_resources(request.server.db, request.workspace.id, kind)]
        if default and str(default).lower() not in map(str.lower, known):
            names = join_words(known, "and") if known else "it has none yet"
            words = f"'{default}' is no deployment of endpoint '{request.get_name()}' ({names})"
            raise ValidationException(f"defaults.deployment_name: {words}")
        return properties

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        """Return the properties with the address of invocations and the defaults.

        Programs set `endpoint.defaults.deployment_name` on the answer.
        """
        address = f"{request.server_url}{build_resource_id(request.workspace, self.segment, resource.name)}/jobs"
        return {"properties": {}, "defaults": {"deploymentName": None}, **properties, "scoringUri": address}

    def check_deletion(self, request: ApiRequest, resource: ResourceRecord) -> None:
        """Raise Conflict if a schedule invokes the endpoint."""
        users = list_endpoint_users(request.server.db, request.workspace.id, resource.name)
        if users:
            raise Conflict(
                f"batch endpoint '{resource.name}' is invoked by {join_words(users, 'and')}; disable or delete what "
                "invokes it first"
            )

    def forget_resource(self, request: ApiRequest, resource: ResourceRecord) -> None:
        batch_invocations.remove_endpoint(request.server.db, request.workspace.id, resource.name)


@dataclass(frozen=True)
class BatchDeploymentCollection(ResourceCollection):
    async def check_properties(self, request: ApiRequest, properties: Body) -> Body:
        """Return the properties with versions for what they name; raise ValidationException with all problems."""
        context = request.server.engine.context
        return await check_deployment(context, request.workspace, properties, request.principal)

    def check_deletion(self, request: ApiRequest, resource: ResourceRecord) -> None:
        """Raise Conflict if the deployment is the default of its endpoint."""
        name = request.get_name("parent")
        endpoint = resources.get_resource(request.server.db, request.workspace.id, BATCH_ENDPOINTS.segment, name)
        default = (endpoint.content["properties"].get("defaults") or {}).get("deploymentName") if endpoint else None
        if default is not None and str(default).lower() == resource.name.lower():
            raise Conflict(
                f"batch deployment '{resource.name}' is the default of endpoint '{name}', which answers by it; make "
                "another one the default, or delete the endpoint"
            )

    def render_properties(self, request: ApiRequest, resource: ResourceRecord, properties: Body) -> Body:
        return {key: value for key, value in properties.items() if key != RESOLVED}


def get_request_id(request: ApiRequest) -> str | None:
    """Return the caller's id of a request that may come again."""
    return next((request.headers[name] for name in _REQUEST_HEADERS if name in request.headers), None)


def _render_invoked_job(request: ApiRequest, invocation: InvocationRecord, job: Job) -> Body:
    """Return a job in the words of batch endpoints, with the places of its outputs."""
    shape = render_job(request.server.db, request.workspace, job)["properties"]
    if request.azure_release is not None:
        shape = convert_for_azure(shape)
    below = f"batchEndpoints/{invocation.endpoint}/deployments/{invocation.deployment}/jobs"
    kept = ("status", "displayName", "experimentName", "description", "tags", "properties", "error")
    return {
        "id": build_resource_id(request.workspace, below, job.name),
        "name": job.name,
        "type": get_resource_type("batchEndpoints/deployments/jobs"),
        "properties": {
            **{key: shape[key] for key in kept if key in shape},
            "endpointName": invocation.endpoint,
            "deploymentName": invocation.deployment,
            "jobId": build_resource_id(request.workspace, "jobs", job.name),
            "inputData": shape.get("inputs") or {},
            "outputData": {
                name: _add_place(job, name, output) for name, output in (shape.get("outputs") or {}).items()
            },
        },
    }


def _add_place(job: Job, name: str, output: Any) -> Any:
    """Return an output with the address of its content, which holds from the beginning."""
    uri = output.get("uri") if isinstance(output, dict) else None
    if not isinstance(output, dict) or (uri and "${{" not in uri):
        return output
    return {**output, "uri": f"azureml://jobs/{job.name}/outputs/{name}"}


BATCH_ENDPOINTS = BatchEndpointCollection("batchEndpoints", "batch_endpoint", "batch endpoint")
BATCH_DEPLOYMENTS = BatchDeploymentCollection(
    "deployments", "batch_deployment", "batch deployment", parent=BATCH_ENDPOINTS
)
