"""Workspaces, and where their other APIs are."""

from __future__ import annotations

import json
from typing import Any

from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import system_data, workspace_id
from smalt.service.records import workspaces as records
from smalt.service.tracking.variables import route

_COLLECTION = "/providers/Microsoft.MachineLearningServices/workspaces"


async def get_workspace(call: Call) -> dict[str, Any]:
    return _shape(call, call.workspace)


async def put_workspace(call: Call) -> Reply:
    """Create or update."""
    body = await call.object()
    kept = json.loads(call.workspace.body)
    properties = {**kept.get("properties", {}), **_mapping(body, "properties")}
    merged = {**kept, **_known(body), "properties": properties}
    records.update_workspace(call.service.db, call.workspace.id, json.dumps(merged))
    return Reply(_shape(call, records.get_workspace(call.service.db, call.workspace.id)))


async def list_workspaces(call: Call) -> dict[str, Any]:
    subscription, group = call.name("subscription"), call.path_params.get("group")
    found = [
        _shape(call, workspace)
        for workspace in records.list_workspaces(call.service.db)
        if workspace.subscription.lower() == subscription.lower()
        and (group or workspace.resource_group).lower() == workspace.resource_group.lower()
    ]
    return {"value": found}


async def list_all(call: Call) -> dict[str, Any]:
    """List every workspace of the home; with `jobs` how many it has of them, that of the newest job first."""
    counts = records.count_jobs(call.service.db) if call.flag("jobs") else {}
    every = sorted(records.list_workspaces(call.service.db), key=lambda one: -counts.get(one.id, (0, 0.0))[1])
    return {"value": [{**_shape(call, one), "jobs": counts.get(one.id, (0, 0.0))[0]} for one in every]}


async def delete_workspace(call: Call) -> None:
    """Delete a workspace with all that is in it."""
    await call.service.engine.deletions.delete_workspace(call.workspace)


async def list_keys(call: Call) -> dict[str, Any]:
    """The key of its storage, for connection strings; of what else the service has keys there is nothing here."""
    storage = _own(call.workspace)["storageAccount"]
    return {"userStorageKey": call.service.account_keys.key(call.workspace.folder), "userStorageResourceId": storage}


def _own(workspace: records.Workspace) -> dict[str, str]:
    """Return the ids of the storage account and the vault that a workspace has by itself, called like its folder."""
    providers = workspace_id(workspace).partition("/providers/")[0] + "/providers"
    return {
        "storageAccount": f"{providers}/Microsoft.Storage/storageAccounts/{workspace.folder}",
        "keyVault": f"{providers}/Microsoft.KeyVault/vaults/{workspace.folder}",
    }


async def discovery(call: Call) -> dict[str, Any]:
    services = "api catalog experimentation gallery history hyperdrive labeling modelmanagement pipelines studio"
    return dict.fromkeys(services.split(), call.base)


def _shape(call: Call, workspace: records.Workspace) -> dict[str, Any]:
    kept = json.loads(workspace.body)
    return {
        **kept,
        "id": workspace_id(workspace),
        "name": workspace.name,
        "type": "Microsoft.MachineLearningServices/workspaces",
        "location": kept.get("location") or "local",
        "properties": {
            "friendlyName": workspace.name,
            **_own(workspace),
            **kept.get("properties", {}),
            "provisioningState": "Succeeded",
            "discoveryUrl": f"{call.base}/discovery",
            "mlFlowTrackingUri": call.base + route(workspace),
        },
        "systemData": system_data(workspace.created_by, workspace.created_at),
    }


def _known(body: dict[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("location", "tags", "kind", "sku", "identity") if body.get(key) is not None}


def _mapping(body: dict[str, Any], key: str) -> dict[str, Any]:
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
    ("GET", "/smalt/v1/workspaces", list_all),
    ("GET", "/discovery", discovery),
    ("GET", "/subscriptions/{subscription}" + _COLLECTION, list_workspaces),
    ("GET", "/subscriptions/{subscription}/resourceGroups/{group}" + _COLLECTION, list_workspaces),
]
