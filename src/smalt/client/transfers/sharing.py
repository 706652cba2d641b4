"""Copies of assets between workspaces and registries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import build_workspace_id

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

Json = dict[str, Any]


def share_asset(
    session: ClientSession, kind: str, asset: tuple[str, str], registry: str, shared_as: tuple[str, str]
) -> Json:
    """Copy a version (name, version) into a registry and return the registry's resource."""
    name, version = shared_as
    body = {"kind": kind, "name": asset[0], "version": asset[1], "registry": registry}
    made: Json = session.connection.post(
        f"/smalt/v1{session.workspace_id}/share", {**body, "shareName": name, "shareVersion": version}
    )
    return made


def import_asset(
    session: ClientSession,
    kind: str,
    asset: tuple[str, str],
    *,
    workspace_name: str | None,
    resource_group_name: str | None,
    registry_name: str | None,
    imported_as: tuple[str | None, str | None],
) -> Json:
    """Copy a version from another workspace or a registry into this workspace and return its resource."""
    if (workspace_name is None) == (registry_name is None):
        raise ValidationException("name the source: give either workspace_name or registry_name")
    body: Json = {"kind": kind, "name": asset[0], "version": asset[1], "asName": imported_as[0]}
    body["asVersion"] = imported_as[1]
    if registry_name is not None:
        body["registry"] = registry_name
    else:
        group = resource_group_name or session.resource_group_name
        body["workspace"] = build_workspace_id(session.subscription_id, group, str(workspace_name))
    made: Json = session.connection.post(f"/smalt/v1{session.workspace_id}/import", body)
    return made
