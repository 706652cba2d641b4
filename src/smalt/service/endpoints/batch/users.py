"""Batch deployments that use something of the workspace, which so may not be deleted."""

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


def _find_compute(properties: dict[str, Any]) -> str:
    settings = (properties.get("deploymentConfiguration") or {}).get("settings") or {}
    compute = settings.get("default_compute") or properties.get("compute") or ""
    return str(compute).removeprefix("azureml:").rstrip("/").rpartition("/")[2]
