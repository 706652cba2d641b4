"""The long paths of the service, split into their parts; names compare without case, as in the service."""

from __future__ import annotations

import re
from typing import NamedTuple

from smalt.wire.encoding.ids import PROVIDER

_WORKSPACE = re.compile(
    r"(?P<prefix>|/smalt/v1|/history/v1\.0|/data/v1\.0|/modelregistry/v1\.0|/pipelines/v1\.0|/mlflow/v1\.0|/mferp/managementfrontend)"
    r"/subscriptions/(?P<subscription>[^/]+)/resourcegroups/(?P<group>[^/]+)"
    r"/providers/microsoft\.machinelearningservices/workspaces/(?P<workspace>[^/]+)(?P<rest>/.*|)",
    re.IGNORECASE | re.DOTALL,
)
_COLLECTION = re.compile(
    r"/subscriptions/([^/]+)(?:/resourcegroups/([^/]+))?/providers/microsoft\.machinelearningservices/workspaces/?",
    re.IGNORECASE,
)
_NAME = re.compile(r"[A-Za-z0-9<_][A-Za-z0-9._ <>-]{0,254}")  # "<SUBSCRIPTION_ID>" stands in most examples


class WorkspacePath(NamedTuple):
    prefix: str
    subscription: str
    group: str
    workspace: str
    rest: str


def split_path(path: str) -> WorkspacePath | None:
    """Return the parts of a path into a workspace; None for any other path."""
    found = _WORKSPACE.fullmatch(path)
    if found is None:
        return None
    prefix, subscription, group, workspace, rest = found.groups()
    prefix = "" if prefix.lower() == "/mferp/managementfrontend" else prefix.lower()
    return WorkspacePath(prefix, subscription, group, workspace, rest or "/")


def convert_collection_path(path: str) -> str:
    """Return the path of a list of workspaces in the service's casing; any other path unchanged."""
    found = _COLLECTION.fullmatch(path)
    if found is None:
        return path
    group = f"/resourceGroups/{found[2]}" if found[2] else ""
    return f"/subscriptions/{found[1]}{group}/providers/{PROVIDER}/workspaces"


def is_valid_name(text: str) -> bool:
    """True if a subscription, resource group or workspace may have the name."""
    return _NAME.fullmatch(text) is not None
