"""The services around the API that Azure's clients need: a TLS listener, identity tokens, a cloud's description.

docs/official-client.md tells how `smalt exec` puts them together.
"""

from __future__ import annotations

import json
from typing import Any

from smalt.exceptions import RefusedError, Unauthorized, ValidationException
from smalt.service.api import workspace_paths
from smalt.service.api.arm.resource_collection import DONE
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.records import tokens
from smalt.service.records import workspaces as records
from smalt.service.registry.registries import BUILT_IN
from smalt.service.secrets.identity import DEPLOYMENT_MARK
from smalt.service.tracking.job_tokens import PREFIX as JOB_TOKEN
from smalt.wire.encoding import ids

_NO_IDENTITY = (
    "online deployments have no managed identity here; hand secrets to the scoring script in the deployment's "
    "environment_variables, as ${{secrets.NAME}}, and data as a part of its model"
)


async def open_tls(request: ApiRequest) -> dict[str, Any]:
    """Open the TLS listener if it is closed; return its URL, the certificate to trust and the URL for tokens."""
    url, authority = await request.server.open_tls()
    return {"url": url, "authority": authority, "identity": f"{request.server.base_url}/identity/token"}


async def get_identity_token(request: ApiRequest) -> dict[str, Any] | ApiResponse:
    """Answer as App Service's identity endpoint does, which azure-identity calls when IDENTITY_ENDPOINT is set.

    The header `secret` is that of Azure ML's computes (MSI_ENDPOINT), the parameter `token` that of OBO_ENDPOINT.
    A job gets a token for its workspace's API and vault. For any other resource it gets an error, after which
    DefaultAzureCredential tries its next way to log in.
    """
    header = request.headers.get("x-identity-header") or request.headers.get("secret") or request.get_query("token")
    if header == DEPLOYMENT_MARK:
        return ApiResponse({"statusCode": 403, "message": _NO_IDENTITY}, 403)
    if header.startswith(JOB_TOKEN):
        return _issue_job_token(request, header)
    known = tokens.find_token(request.server.db, header)
    if known is None or known.scope != "all":
        raise Unauthorized("the header X-IDENTITY-HEADER must be a token of this server; run the program by smalt exec")
    return issue_token(request, known.principal)


async def create_token(request: ApiRequest) -> dict[str, Any]:
    """Issue an access token to a caller that already has a token of this server."""
    return issue_token(request, request.principal)


def _issue_job_token(request: ApiRequest, own: str) -> dict[str, Any] | ApiResponse:
    service = request.server
    job = service.tracking.tokens.find_job(service.db, own)
    if job is None or service.settings.job_identity == "off":
        raise Unauthorized("the job's token is unknown, its job is over, or the setting 'job-identity' is off")
    if not service.engine.context.identity.is_open_to_jobs(request.get_query("resource")):
        words = "jobs are given tokens for their workspace and its vault only; log in to other services as elsewhere"
        return ApiResponse({"statusCode": 403, "message": words}, 403)  # as App Service says it
    return issue_token(request, job.created_by, own)


def issue_token(request: ApiRequest, principal: str, job: str | None = None) -> dict[str, Any]:
    audience = (
        request.get_query("resource") or request.get_query("scope").removesuffix("/.default") or "https://ml.azure.com"
    )
    if len(audience) > 500:
        raise ValidationException("'resource' is longer than 500 characters")
    token, expires = request.server.access_tokens.issue_token(principal, audience.rstrip("/"), job)
    return {"access_token": token, "expires_on": str(expires), "resource": audience, "token_type": "Bearer"}


async def get_cloud(request: ApiRequest) -> list[dict[str, Any]]:
    """Return the description of a custom cloud, to which ARM_CLOUD_METADATA_URL leads.

    Clients take the text after the second dot of the portal's name as the suffix of the cloud's other names.
    """
    base = request.server_url
    return [
        {
            "name": "smalt",
            "portal": "http://portal.local.smalt/",
            "resourceManager": f"{base}/",
            "authentication": {"loginEndpoint": f"{base}/login", "audiences": ["https://management.azure.com/"]},
            "suffixes": {"storage": "core.windows.net"},
        }
    ]


async def put_deployment(request: ApiRequest) -> ApiResponse:
    """Create a workspace, hub or feature store: clients send a template whose parameters describe it."""
    found = (await request.read_object()).get("properties")
    sent = found.get("parameters") if isinstance(found, dict) else None
    parameters = sent if isinstance(sent, dict) else {}
    given = {key: value.get("value") for key, value in parameters.items() if isinstance(value, dict)}
    name = given.get("workspaceName")
    if not isinstance(name, str) or not workspace_paths.is_valid_name(name):
        raise RefusedError(
            "only deployments that create a workspace are possible here; this one has no 'workspaceName'"
        )
    for part in ("subscription", "group"):
        if not workspace_paths.is_valid_name(request.get_name(part)):
            raise ValidationException(f"'{request.get_name(part)[:100]}' cannot be the name of a {part}")
    made = records.ensure_workspace(
        request.server.db, request.get_name("subscription"), request.get_name("group"), name, request.principal
    )
    known = {key: given[source] for key, source in _WORKSPACE.items() if given.get(source)}
    said = {key: given[key] for key in ("friendlyName", "description") if isinstance(given.get(key), str)}
    if known or said:
        records.update_workspace(request.server.db, made.id, json.dumps({**known, "properties": said}))
    return ApiResponse(_render_deployment(request), 201)


async def get_deployment(request: ApiRequest) -> dict[str, Any]:
    """Return the deployment, which always succeeded: `put_deployment` does all the work."""
    return _render_deployment(request)


async def list_operations(request: ApiRequest) -> dict[str, Any]:
    return {"value": []}


def _render_deployment(request: ApiRequest) -> dict[str, Any]:
    place = f"/subscriptions/{request.get_name('subscription')}/resourceGroups/{request.get_name('group')}"
    return {
        "id": f"{place}/providers/Microsoft.Resources/deployments/{request.get_name()}",
        "name": request.get_name(),
        "type": "Microsoft.Resources/deployments",
        "properties": {"provisioningState": "Succeeded", "mode": "Incremental", "duration": "PT0.1S"},
    }


async def get_resource_group(request: ApiRequest) -> dict[str, Any]:
    """Return the resource group: every name exists."""
    id = f"/subscriptions/{request.get_name('subscription')}/resourceGroups/{request.get_name('group')}"
    return {
        "id": id,
        "name": request.get_name("group"),
        "location": "local",
        "properties": {"provisioningState": "Succeeded"},
    }


async def get_operation_status(request: ApiRequest) -> dict[str, Any]:
    """Return the status of a long-running operation: all are complete when they are answered."""
    return {"status": "Succeeded"}


async def discover_registry(request: ApiRequest) -> dict[str, Any]:
    """Return where Azure's clients read a registry: at this server."""
    name = request.get_name()
    if name.lower() != BUILT_IN:
        name = request.server.engine.context.registries.find_folder(name).registry
    return {
        "registryName": name,
        "primaryRegion": "local",
        "regions": ["local"],
        "subscriptionId": ids.DEFAULT_SUBSCRIPTION,
        "resourceGroup": ids.DEFAULT_RESOURCE_GROUP,
        "primaryRegionResourceProviderUri": f"{request.server_url}/",
    }


_WORKSPACE = {"location": "location", "tags": "tagValues", "kind": "kind"}
"""The properties that a workspace takes from the template → the names of the parameters."""
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_DEPLOYMENT = "/providers/Microsoft.Resources/deployments/{name}"
_REGISTRY = "/registrymanagement/v1.0/registries/{name}/discovery"

ROUTES = [
    ("POST", "/smalt/v1/tls", open_tls),
    ("GET", "/identity/token", get_identity_token),
    ("POST", "/smalt/v1/token", create_token),
    ("GET", "/metadata/endpoints", get_cloud),
    ("GET", _REGISTRY, discover_registry),
    ("GET", DONE, get_operation_status),
    ("GET", _GROUP, get_resource_group),
    ("PUT", _GROUP + _DEPLOYMENT, put_deployment),
    ("GET", _GROUP + _DEPLOYMENT, get_deployment),
    ("GET", f"{_GROUP}/deployments/{{name}}/operations", list_operations),
]
