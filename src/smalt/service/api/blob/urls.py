"""The URLs of blobs, `BASE/<workspace folder>.blob.core.windows.net/<container>/<blob>`, and what they stand for.

A client keeps the URLs that it was given; in the records there is none: what is kept is `azureml://datastores/…`.
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
"""By datastore; the names of their containers are the service's."""

_PATH = re.compile(r"/(?P<account>[^/]+)\.blob\.core\.windows\.net/?(?P<container>[^/]*)/?(?P<name>.*)", re.DOTALL)
_TWICE = re.compile(r"(/workspaces/[^/]+/\w+/)azureml:", re.IGNORECASE)
_URI = re.compile(r"azureml://datastores/(?P<name>[^/]+)/paths/(?P<path>.*)", re.DOTALL)


def split_path(path: str) -> tuple[str, str, str] | None:
    """Account (the workspace's folder), container ("" is the account itself) and blob of a path; None for others."""
    found = _PATH.fullmatch(path)
    return (found["account"], found["container"], found["name"]) if found else None


def build_url(request: ApiRequest, container: str) -> str:
    """The container's URL, as the caller reaches this server."""
    return f"{request.server_url}/{request.workspace.folder}.blob.core.windows.net/{container}"


def parse_own_url(request: ApiRequest, uri: str) -> tuple[str, str] | None:
    """Container and blob that a URL of this workspace's blobs names; None for any other. Scheme and host may differ:
    a client keeps the URL that it was given first."""
    if not uri.startswith(("https://", "http://")):
        return None
    try:
        found = split_path(unquote(urlsplit(uri).path))
    except ValueError:
        return None
    is_own = found is not None and found[0] == request.workspace.folder and found[1]
    return found[1:] if found is not None and is_own else None


def find_datastore(request: ApiRequest, container: str) -> str:
    """The datastore of a container's name; a datastore's own name does as well."""
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
    """The names of the workspace's containers: its own datastores and those that are folders or were registered."""
    names = {next(value for key, value in one.items() if key != "datastoreType") for one in CONTAINERS.values()}
    for one in resources.list_resources(request.server.db, request.workspace.id, "datastores"):
        properties = one.content.get("properties") or {}
        names.add(str(properties.get("containerName") or one.name))
    return sorted(names)


def get_link_container(container: str) -> str:
    """Whose link opens a container: what code became is read with that of the default datastore, whose credentials
    azure-ai-ml takes for all of the account."""
    return CONTAINERS[DEFAULT]["containerName"] if container == SNAPSHOTS else container


def convert_urls(request: ApiRequest, value: Any) -> Any:
    """A body with every such URL in it as the datastore's URI, and every id without the `azureml:` that clients leave
    in it where a program names `azureml:NAME@LABEL`."""
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
    """A datastore's URI as the URL by which a storage client reads it; any other as it is."""
    found = _URI.fullmatch(uri)
    if found is None:
        return uri
    container = CONTAINERS.get(found["name"], {}).get("containerName", found["name"])
    return f"{build_url(request, container)}/{quote(found['path'])}"
