"""Parts of REST bodies that all collections share."""

from __future__ import annotations

import time
from typing import Any

from smalt.exceptions import ValidationException
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding import ids


def get_workspace_id(workspace: Workspace) -> str:
    return ids.build_workspace_id(workspace.subscription, workspace.resource_group, workspace.name)


def build_resource_id(workspace: Workspace, kind: str, name: str) -> str:
    return ids.build_resource_id(get_workspace_id(workspace), kind, name)


def get_resource_type(kind: str) -> str:
    return f"{ids.PROVIDER}/workspaces/{kind}"


def build_system_data(created_by: str, created_at: float, modified_at: float | None = None) -> dict[str, Any]:
    data = {"createdBy": created_by, "createdByType": "User", "createdAt": format_time(created_at)}
    if modified_at is not None:
        data.update(lastModifiedBy=created_by, lastModifiedByType="User", lastModifiedAt=format_time(modified_at))
    return data


def format_time(seconds: float) -> str:
    whole = int(seconds)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{int((seconds - whole) * 1e6):06d}Z"


def get_properties(body: dict[str, Any]) -> dict[str, Any]:
    """Return the `properties` of a resource's body."""
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise ValidationException('the body needs "properties", an object')
    return properties


def merge_objects(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """Return `old` updated with `new`, at every depth."""
    both = {
        key: merge_objects(old[key], new[key]) for key in old.keys() & new.keys() if _are_objects(old[key], new[key])
    }
    return {**old, **new, **both}


def _are_objects(*values: Any) -> bool:
    return all(isinstance(value, dict) for value in values)
