"""Resource ids: the paths by which the REST API names everything, made and taken apart in one place."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import quote

PROVIDER = "Microsoft.MachineLearningServices"
WS = f"/subscriptions/{{subscription}}/resourceGroups/{{resource_group}}/providers/{PROVIDER}/workspaces/{{workspace}}"
"""The path of a workspace; every route and every id starts with it."""

REGISTRY = (
    f"/subscriptions/{{subscription}}/resourceGroups/{{resource_group}}/providers/{PROVIDER}/registries/{{registry}}"
)
"""The path of a registry."""

DEFAULT_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
DEFAULT_RESOURCE_GROUP = "smalt"
DEFAULT_WORKSPACE = "default"

ANONYMOUS_COMPONENT = "azureml_anonymous"
ANONYMOUS_ENVIRONMENT = "CliV2AnonymousEnvironment"

STUDIO_URL = "studioUrl"
"""The key, beside `properties`, under which the body of a resource names its page in the studio."""

_PREFIX = "azureml:"
_CANONICAL = {
    kind.lower(): kind
    for kind in (
        "codes",
        "components",
        "computes",
        "data",
        "datastores",
        "environments",
        "jobs",
        "models",
        "schedules",
        "batchEndpoints",
        "onlineEndpoints",
        "deployments",
    )
}


class ResourceId(NamedTuple):
    """An id taken apart; `kind` is the collection's segment as the service writes it, "" for the workspace itself."""

    subscription: str
    resource_group: str
    workspace: str
    kind: str = ""
    name: str = ""
    version: str | None = None
    label: str | None = None

    @property
    def workspace_id(self) -> str:
        return build_workspace_id(self.subscription, self.resource_group, self.workspace)


def build_workspace_id(subscription: str, resource_group: str, workspace: str) -> str:
    return WS.format(subscription=subscription, resource_group=resource_group, workspace=workspace)


def build_registry_id(subscription: str, resource_group: str, registry: str) -> str:
    return REGISTRY.format(subscription=subscription, resource_group=resource_group, registry=registry)


def build_resource_id(workspace: str, kind: str, name: str) -> str:
    """The id of something without versions; `workspace` is a workspace's id."""
    return f"{workspace}/{kind}/{name}"


def build_asset_id(workspace: str, kind: str, name: str, version: str | int) -> str:
    """The id of one version of an asset; `workspace` is a workspace's id, `kind` "environments", "data", …"""
    return f"{workspace}/{kind}/{name}/versions/{version}"


def build_url_path(identifier: str) -> str:
    """An id, or any path, as it may stand in a request line."""
    return quote(identifier, safe="/:@!$&'()*+,;=~")


def parse_id(text: str) -> ResourceId | None:
    """The parts of a workspace's or resource's id, in any casing and with or without `azureml:`; None if it is none."""
    parts = text.removeprefix(_PREFIX).strip("/").split("/")
    if len(parts) < 8 or len(parts) % 2:
        return None
    pairs = {parts[index].lower(): parts[index + 1] for index in range(0, 8, 2)}
    if tuple(pairs) != ("subscriptions", "resourcegroups", "providers", "workspaces"):
        return None
    if pairs["providers"].lower() != PROVIDER.lower() or not all(parts):
        return None
    scope = pairs["subscriptions"], pairs["resourcegroups"], pairs["workspaces"]
    return _parse_rest(ResourceId(*scope), parts[8:])


def get_short_name(identifier: str) -> str:
    """`name:version`, `name@label` or `name` of an id; anything else unchanged."""
    parsed = parse_id(identifier)
    if parsed is None or not parsed.kind:
        return identifier
    if parsed.version is not None:
        return f"{parsed.name}:{parsed.version}"
    return f"{parsed.name}@{parsed.label}" if parsed.label is not None else parsed.name


def _parse_rest(scope: ResourceId, rest: list[str]) -> ResourceId | None:
    if not rest:
        return scope
    kind, name = _CANONICAL.get(rest[0].lower(), rest[0]), rest[1].removeprefix(_PREFIX)
    if len(rest) == 2:
        return scope._replace(kind=kind, name=name)
    if len(rest) != 4:
        return None
    marker = rest[2].lower()
    if marker == "versions":
        return scope._replace(kind=kind, name=name, version=rest[3])
    if marker == "labels":
        return scope._replace(kind=kind, name=name, label=rest[3])
    if marker == "deployments":
        return scope._replace(kind=f"{kind}/{name}/deployments", name=rest[3])
    return None
