"""Workspaces and the addresses of their other APIs."""

from __future__ import annotations

import json
from typing import Any

from smalt.exceptions import Conflict
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_system_data, get_workspace_id
from smalt.service.api.studio.links import build_workspace_link
from smalt.service.records import workspaces as records
from smalt.service.tracking.variables import build_route

_COLLECTION = "/providers/Microsoft.MachineLearningServices/workspaces"


async def get_workspace(request: ApiRequest) -> dict[str, Any]:
    return _render_workspace(request, request.workspace)


async def put_workspace(request: ApiRequest) -> ApiResponse:
    """Create or update a workspace."""
    body = await request.read_object()
    kept = json.loads(request.workspace.body)
    properties = {**kept.get("properties", {}), **_get_mapping(body, "properties")}
    merged = {**kept, **_get_known_fields(body), "properties": properties}
    records.update_workspace(request.server.db, request.workspace.id, json.dumps(merged))
    return ApiResponse(_render_workspace(request, records.get_workspace(request.server.db, request.workspace.id)))


async def list_workspaces(request: ApiRequest) -> dict[str, Any]:
    subscription, group = request.get_name("subscription"), request.path_params.get("group")
    found = [
        _render_workspace(request, workspace)
        for workspace in records.list_workspaces(request.server.db)
        if workspace.subscription.lower() == subscription.lower()
        and (group or workspace.resource_group).lower() == workspace.resource_group.lower()
    ]
    return {"value": found}


async def list_all_workspaces(request: ApiRequest) -> dict[str, Any]:
    """List every workspace of the home; with `jobs`, with its number of jobs, that of the newest job first."""
    counts = records.count_jobs(request.server.db) if request.get_flag("jobs") else {}
    every = sorted(records.list_workspaces(request.server.db), key=lambda one: -counts.get(one.id, (0, 0.0))[1])
    return {
        "value": [
            {**_render_workspace(request, one), "jobs": counts.get(one.id, (0, 0.0))[0], "folder": one.folder}
            for one in every
        ]
    }


async def delete_workspace(request: ApiRequest) -> None:
    """Delete a workspace with all that is in it; raise Conflict while deployments of it serve."""
    names = request.server.online.list_endpoints(request.workspace.id)
    if names:
        raise Conflict(
            f"workspace '{request.workspace.name}' has online endpoints with deployments ({', '.join(names[:5])}); "
            "delete those endpoints first"
        )
    await request.server.engine.deletions.delete_workspace(request.workspace)


async def list_keys(request: ApiRequest) -> dict[str, Any]:
    """Return the storage key of a workspace, for connection strings; smalt has no keys for other resources."""
    storage = _get_own_resources(request.workspace)["storageAccount"]
    return {
        "userStorageKey": request.server.account_keys.get_key(request.workspace.folder),
        "userStorageResourceId": storage,
    }


def _get_own_resources(workspace: records.Workspace) -> dict[str, str]:
    """Return the ids of the workspace's storage account and vault, which have the name of its folder."""
    providers = get_workspace_id(workspace).partition("/providers/")[0] + "/providers"
    return {
        "storageAccount": f"{providers}/Microsoft.Storage/storageAccounts/{workspace.folder}",
        "keyVault": f"{providers}/Microsoft.KeyVault/vaults/{workspace.folder}",
    }


async def get_discovery(request: ApiRequest) -> dict[str, Any]:
    services = "api catalog experimentation gallery history hyperdrive labeling modelmanagement pipelines studio"
    return dict.fromkeys(services.split(), request.server_url)


def _render_workspace(request: ApiRequest, workspace: records.Workspace) -> dict[str, Any]:
    kept = json.loads(workspace.body)
    return {
        **kept,
        "id": get_workspace_id(workspace),
        "name": workspace.name,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": kept.get("location") or "local",
        "properties": {
            "friendlyName": workspace.name,
            **_get_own_resources(workspace),
            **kept.get("properties", {}),
            "provisioningState": "Succeeded",
            "discoveryUrl": f"{request.server_url}/discovery",
            "mlFlowTrackingUri": request.server_url + build_route(workspace),
        },
        "systemData": build_system_data(workspace.created_by, workspace.created_at),
        **build_workspace_link(request.server_url, workspace),
    }


def _get_known_fields(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("location", "tags", "kind", "sku", "identity") if body.get(key) is not None}


def _get_mapping(body: dict[str, Any], key: str) -> dict[str, Any]:
    value = body.get(key)
    return value if isinstance(value, dict) else {}


ROUTES = [
    ("GET", "/", get_workspace),
    ("PUT", "/", put_workspace),
    ("PATCH", "/", put_workspace),
    ("DELETE", "/", delete_workspace),
    ("POST", "/listKeys", list_keys),
]
GLOBAL_ROUTES = [
    ("GET", "/smalt/v1/workspaces", list_all_workspaces),
    ("GET", "/discovery", get_discovery),
    ("GET", "/subscriptions/{subscription}" + _COLLECTION, list_workspaces),
    ("GET", "/subscriptions/{subscription}/resourceGroups/{group}" + _COLLECTION, list_workspaces),
]
