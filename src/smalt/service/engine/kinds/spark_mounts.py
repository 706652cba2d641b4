"""The URIs that a Spark script reads and writes by itself, and the folders of this machine that they lead to.

Spark mounts them (Hadoop's ViewFileSystem), so each of its ways to name data finds them: readers, writers, RDDs, jars.
"""

from __future__ import annotations

import os
import re
from collections import defaultdict

from smalt.service.engine.context import EngineContext
from smalt.service.records.workspaces import Workspace

VARIABLE = "SMALT_SPARK_MOUNTS"
Mounts = dict[str, dict[str, dict[str, str]]]
"""Scheme → authority → path → file or folder."""

_STORAGE = re.compile(
    r"(?:https?|wasbs?|abfss?)://(?:(?P<container>[^@/]+)@)?(?P<account>[^.@/]+)\.(?:blob|dfs)\.(?P<cloud>[^/]+)"
    r"(?P<path>/.*)?",
    re.IGNORECASE | re.DOTALL,
)
_DATASTORE = re.compile(r"azureml://datastores/[^/]+/paths(?:/.*)?", re.DOTALL)
_CLOUD = "core.windows.net"
_SCHEMES = {"wasb": "blob", "wasbs": "blob", "abfs": "dfs", "abfss": "dfs"}


def list_mounts(context: EngineContext, workspace: Workspace) -> Mounts:
    """Return what the local datastores of a workspace and the setting url-map serve."""
    mounts: Mounts = defaultdict(lambda: defaultdict(dict))
    for name, root, properties in context.data.datastores.list_folders(workspace.folder):
        _mount_datastore(mounts, workspace, f"/{name}/paths", str(root))
        account = properties.get("accountName")
        container = properties.get("containerName") or properties.get("filesystem")
        if account and container:
            _mount_container(mounts, f"{container}@{account}", _CLOUD, "/", str(root))
    for prefix, target in (context.settings.url_map or {}).items():
        path = os.path.abspath(os.path.expanduser(str(target).removeprefix("file://")))
        if _DATASTORE.fullmatch(prefix):
            _mount_datastore(mounts, workspace, prefix.removeprefix("azureml://datastores").rstrip("/"), path)
        elif match := _STORAGE.fullmatch(prefix):
            rest = (match["path"] or "/").split("?")[0]
            container = match["container"]
            if container is None:
                container, _, rest = rest.strip("/").partition("/")
            if container:
                _mount_container(mounts, f"{container}@{match['account']}", match["cloud"], f"/{rest.strip('/')}", path)
    return {scheme: {host: dict(links) for host, links in hosts.items()} for scheme, hosts in mounts.items()}


def _mount_datastore(mounts: Mounts, workspace: Workspace, path: str, folder: str) -> None:
    mounts["azureml"]["datastores"][path] = folder
    for groups in ("resourcegroups", "resourceGroups"):
        scope = f"/{workspace.subscription}/{groups}/{workspace.resource_group}/workspaces/{workspace.name}"
        mounts["azureml"]["subscriptions"][f"{scope}/datastores{path}"] = folder


def _mount_container(mounts: Mounts, container: str, cloud: str, path: str, folder: str) -> None:
    """Mount a path of a container under each scheme by which Spark can name it."""
    for scheme, service in _SCHEMES.items():
        mounts[scheme][f"{container}.{service}.{cloud}"][path] = folder
