"""What programs written for Azure need around the API: a TLS listener, a token for their credentials, a cloud's
description. docs/official-client.md tells how `smalt exec` puts them together."""

from __future__ import annotations

import json
from typing import Any

from smalt.exceptions import Refused, Unauthorized, ValidationException
from smalt.service.api import workspace_paths
from smalt.service.api.arm.resource_collection import DONE
from smalt.service.api.request import Call, Reply
from smalt.service.records import tokens
from smalt.service.records import workspaces as records
from smalt.service.registry.registries import BUILT_IN
from smalt.service.tracking.job_tokens import PREFIX as JOB_TOKEN


async def open_tls(call: Call) -> dict[str, Any]:
    """Open the TLS listener, if it is not; its URL, the certificate to trust, and where tokens are had."""
    url, authority = await call.service.tls()
    return {"url": url, "authority": authority, "identity": f"{call.service.base}/identity/token"}


async def get_identity_token(call: Call) -> dict[str, Any] | Reply:
    """As App Service gives managed identities their tokens; azure-identity asks here when IDENTITY_ENDPOINT is set. The
    header `secret` is that of Azure ML's computes (MSI_ENDPOINT), the parameter `token` that of OBO_ENDPOINT.

    A job is given one for its workspace's API and vault. Asked for another it is told an error, and then
    DefaultAzureCredential goes on to the next way to log in.
    """
    header = call.headers.get("x-identity-header") or call.headers.get("secret") or call.query("token")
    if header.startswith(JOB_TOKEN):
        return _issue_to_job(call, header)
    known = tokens.find_token(call.service.db, header)
    if known is None or known.scope != "all":
        raise Unauthorized("the header X-IDENTITY-HEADER must be a token of this server; run the program by smalt exec")
    return issue(call, known.principal)


async def post_token(call: Call) -> dict[str, Any]:
    """The same for who has a token of this server already."""
    return issue(call, call.principal)


def _issue_to_job(call: Call, own: str) -> dict[str, Any] | Reply:
    service = call.service
    job = service.tracking.tokens.find(service.db, own)
    if job is None or service.settings.job_identity == "off":
        raise Unauthorized("the job's token is unknown, its job is over, or the setting 'job-identity' is off")
    if not service.engine.rooms.identity.is_open_to_jobs(call.query("resource")):
        words = "jobs are given tokens for their workspace and its vault only; log in to other services as elsewhere"
        return Reply({"statusCode": 403, "message": words}, 403)  # as App Service says it
    return issue(call, job.created_by, own)


def issue(call: Call, principal: str, job: str | None = None) -> dict[str, Any]:
    audience = call.query("resource") or call.query("scope").removesuffix("/.default") or "https://ml.azure.com"
    if len(audience) > 500:
        raise ValidationException("'resource' is longer than 500 characters")
    token, expires = call.service.jwt.issue(principal, audience.rstrip("/"), job)
    return {"access_token": token, "expires_on": str(expires), "resource": audience, "token_type": "Bearer"}


async def get_cloud(call: Call) -> list[dict[str, Any]]:
    """The description of a custom cloud, where ARM_CLOUD_METADATA_URL leads. Clients take what follows the second dot
    of the portal's name for the end of the cloud's other names."""
    base = call.base
    return [
        {
            "name": "smalt",
            "portal": "http://portal.local.smalt/",
            "resourceManager": f"{base}/",
            "authentication": {"loginEndpoint": f"{base}/login", "audiences": ["https://management.azure.com/"]},
            "suffixes": {"storage": "core.windows.net"},
        }
    ]


async def put_deployment(call: Call) -> Reply:
    """How clients create workspaces, hubs and feature stores: by a template whose parameters describe them."""
    found = (await call.object()).get("properties")
    sent = found.get("parameters") if isinstance(found, dict) else None
    parameters = sent if isinstance(sent, dict) else {}
    given = {key: value.get("value") for key, value in parameters.items() if isinstance(value, dict)}
    name = given.get("workspaceName")
    if not isinstance(name, str) or not workspace_paths.is_name(name):
        raise Refused("only deployments that create a workspace are possible here; this one has no 'workspaceName'")
    for part in ("subscription", "group"):
        if not workspace_paths.is_name(call.name(part)):
            raise ValidationException(f"'{call.name(part)[:100]}' cannot be the name of a {part}")
    made = records.ensure_workspace(
        call.service.db, call.name("subscription"), call.name("group"), name, call.principal
    )
    known = {key: given[source] for key, source in _WORKSPACE.items() if given.get(source)}
    said = {key: given[key] for key in ("friendlyName", "description") if isinstance(given.get(key), str)}
    if known or said:
        records.update_workspace(call.service.db, made.id, json.dumps({**known, "properties": said}))
    return Reply(_deployment(call), 201)


async def get_deployment(call: Call) -> dict[str, Any]:
    """It was done when it was asked for."""
    return _deployment(call)


async def list_operations(call: Call) -> dict[str, Any]:
    return {"value": []}


def _deployment(call: Call) -> dict[str, Any]:
    place = f"/subscriptions/{call.name('subscription')}/resourceGroups/{call.name('group')}"
    return {
        "id": f"{place}/providers/Microsoft.Resources/deployments/{call.name()}",
        "name": call.name(),
        "type": "Microsoft.Resources/deployments",
        "properties": {"provisioningState": "Succeeded", "mode": "Incremental", "duration": "PT0.1S"},
    }


async def get_resource_group(call: Call) -> dict[str, Any]:
    """Any that is named is there."""
    id = f"/subscriptions/{call.name('subscription')}/resourceGroups/{call.name('group')}"
    return {
        "id": id, "name": call.name("group"), "location": "local", "properties": {"provisioningState": "Succeeded"},
    }  # fmt: skip


async def get_done(call: Call) -> dict[str, Any]:
    """The state of every long operation: none is."""
    return {"status": "Succeeded"}


async def discover_registry(call: Call) -> None:
    """Azure's clients ask here before they open one."""
    name, registries = call.name(), call.service.engine.rooms.registries
    if name.lower() != BUILT_IN:
        name = registries.shelf(name).registry
    raise Refused(
        f"Azure's client cannot open registry '{name}' here: name its assets azureml://registries/{name}/… in a "
        f"workspace, and see and change them by smalt's own commands (--registry-name {name})"
    )


_WORKSPACE = {"location": "location", "tags": "tagValues", "kind": "kind"}
"""What a workspace keeps of the template's parameters, which are called differently."""
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_DEPLOYMENT = "/providers/Microsoft.Resources/deployments/{name}"
_REGISTRY = "/registrymanagement/v1.0/registries/{name}/discovery"

ROUTES = [
    ("POST", "/smalt/v1/tls", open_tls),
    ("GET", "/identity/token", get_identity_token),
    ("POST", "/smalt/v1/token", post_token),
    ("GET", "/metadata/endpoints", get_cloud),
    ("GET", _REGISTRY, discover_registry),
    ("GET", DONE, get_done),
    ("GET", _GROUP, get_resource_group),
    ("PUT", _GROUP + _DEPLOYMENT, put_deployment),
    ("GET", _GROUP + _DEPLOYMENT, get_deployment),
    ("GET", f"{_GROUP}/deployments/{{name}}/operations", list_operations),
]
