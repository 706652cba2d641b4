"""Users of computes and of batch endpoints, which may not be deleted while they are used."""

from __future__ import annotations

from typing import Any

from smalt.service.records import resources
from smalt.service.records.database import Database


def list_compute_users(db: Database, workspace_id: int, name: str) -> list[str]:
    """Return the deployments that run on a compute, in words."""
    found = []
    for endpoint in resources.list_resources(db, workspace_id, "batchEndpoints"):
        for deployment in resources.list_resources(db, workspace_id, f"batchEndpoints/{endpoint.name}/deployments"):
            if _find_compute(deployment.content["properties"]).lower() == name.lower():
                found.append(f"batch deployment '{deployment.name}' of endpoint '{endpoint.name}'")
    return found


def list_endpoint_users(db: Database, workspace_id: int, name: str) -> list[str]:
    """Return the enabled schedules that invoke an endpoint, in words."""
    found = []
    for schedule in resources.list_resources(db, workspace_id, "schedules"):
        properties = schedule.content["properties"]
        action = properties.get("action") or {}
        invoked = (action.get("endpointInvocationDefinition") or {}).get("endpointName")
        if str(invoked).lower() == name.lower() and properties.get("isEnabled", True):
            found.append(f"schedule '{schedule.name}'")
    return found


def _find_compute(properties: dict[str, Any]) -> str:
    settings = (properties.get("deploymentConfiguration") or {}).get("settings") or {}
    compute = settings.get("default_compute") or properties.get("compute") or ""
    return str(compute).removeprefix("azureml:").rstrip("/").rpartition("/")[2]
