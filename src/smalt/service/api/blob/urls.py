"""The URLs of blobs, `BASE/<workspace folder>.blob.core.windows.net/<container>/<blob>`, and the URIs behind them.

Clients keep these URLs; the records store `azureml://datastores/…` instead.
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from smalt.exceptions import NotFound
from smalt.service.api.request import ApiRequest
from smalt.service.data import DEFAULT, DEFAULTS
from smalt.service.data.uploads.blobs import SNAPSHOTS, UPLOAD
from smalt.service.records import resources

CONTAINERS = {
    "workspaceblobstore": {"datastoreType": "AzureBlob", "containerName": "azureml-blobstore"},
    "workspaceartifactstore": {"datastoreType": "AzureBlob", "containerName": "azureml"},
    "workspacefilestore": {"datastoreType": "AzureFile", "fileShareName": "azureml-filestore"},
    "workspaceworkingdirectory": {"datastoreType": "AzureFile", "fileShareName": "code"},
}
"""The containers of the workspace's own datastores, with the service's names."""

_PATH = re.compile(r"/(?P<account>[^/]+)\.blob\.core\.windows\.net/?(?P<container>[^/]*)/?(?P<name>.*)", re.DOTALL)
_TWICE = re.compile(r"(/workspaces/[^/]+/\w+/)azureml:", re.IGNORECASE)
_URI = re.compile(r"azureml://datastores/(?P<name>[^/]+)/paths/(?P<path>.*)", re.DOTALL)


def split_path(path: str) -> tuple[str, str, str] | None:
    """Return account (the workspace's folder), container ("" for the account itself) and blob of a path, or None."""
    found = _PATH.fullmatch(path)
    return (found["account"], found["container"], found["name"]) if found else None


def build_url(request: ApiRequest, container: str) -> str:
    """Return the container's URL at the address by which the caller reaches this server."""
    return f"{request.server_url}/{request.workspace.folder}.blob.core.windows.net/{container}"


def parse_own_url(request: ApiRequest, uri: str) -> tuple[str, str] | None:
    """Return container and blob of a blob URL of this workspace; None for any other.

    Scheme and host may differ: clients keep the URL that they got first.
    """
    if not uri.startswith(("https://", "http://")):
        return None
    try:
        found = split_path(unquote(urlsplit(uri).path))
    except ValueError:
        return None
    is_own = found is not None and found[0] == request.workspace.folder and found[1]
    return found[1:] if found is not None and is_own else None


def find_datastore(request: ApiRequest, container: str) -> str:
    """Return the datastore of a container's name; a datastore's own name works too."""
    if container == SNAPSHOTS or UPLOAD.fullmatch(container):
        return container
    for name in DEFAULTS:
        if container in (name, *CONTAINERS[name].values()):
            return name
    registered = resources.list_resources(request.server.db, request.workspace.id, "datastores")
    for one in sorted(registered, key=lambda one: one.name != container):
        properties = one.content.get("properties") or {}
        if container in (one.name, properties.get("containerName")):
            return one.name
    raise NotFound(f"there is no container '{container}' in workspace '{request.workspace.name}'")


def list_containers(request: ApiRequest) -> list[str]:
    """List the names of the workspace's containers: its own datastores and registered ones."""
    names = {next(value for key, value in one.items() if key != "datastoreType") for one in CONTAINERS.values()}
    for one in resources.list_resources(request.server.db, request.workspace.id, "datastores"):
        properties = one.content.get("properties") or {}
        names.add(str(properties.get("containerName") or one.name))
    return sorted(names)


def get_link_container(container: str) -> str:
    """Return the container whose link opens `container`.

    The default datastore's link also opens code snapshots: azure-ai-ml uses its credentials for the whole account.
    """
    return CONTAINERS[DEFAULT]["containerName"] if container == SNAPSHOTS else container


def convert_urls(request: ApiRequest, value: Any) -> Any:
    """Return a body with blob URLs converted to datastore URIs, and without a second `azureml:` within ids.

    Clients leave that prefix in an id where a program names `azureml:NAME@LABEL`.
    """
    if isinstance(value, dict):
        return {key: convert_urls(request, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [convert_urls(request, inner) for inner in value]
    if not isinstance(value, str):
        return value
    found = parse_own_url(request, value)
    if found is None or found[0] == SNAPSHOTS or UPLOAD.fullmatch(found[0]):
        return _TWICE.sub(r"\1", value) if value.startswith("/subscriptions/") else value
    return f"azureml://datastores/{find_datastore(request, found[0])}/paths/{found[1]}"


def to_blob_url(request: ApiRequest, uri: str) -> str:
    """Return the blob URL of a datastore URI; any other URI unchanged."""
    found = _URI.fullmatch(uri)
    if found is None:
        return uri
    container = CONTAINERS.get(found["name"], {}).get("containerName", found["name"])
    return f"{build_url(request, container)}/{quote(found['path'])}"
