"""Datastores: the four of every workspace, which are folders of the home, and registered ones."""

from __future__ import annotations

import os
from typing import Any

from smalt import wire
from smalt.entities.syntax.references import DatastoreUri, parse_uri
from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.service.api.arm.asset_collection import check_asset_name
from smalt.service.api.blob.urls import CONTAINERS
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_resource_id, build_system_data, get_properties, get_resource_type
from smalt.service.api.studio.links import build_page_link
from smalt.service.data import DEFAULT, DEFAULTS
from smalt.service.data.datastores.addresses import is_same_place
from smalt.service.data.datastores.remote_store import RemoteStore
from smalt.service.engine.versions.contents import URIS
from smalt.service.records import assets, resources
from smalt.service.records.resources import ResourceRecord
from smalt.service.secrets.encryption import SEALED, decrypt_credentials, encrypt_credentials
from smalt.wire.encoding.casing import fold_case

_NO_CREDENTIALS = {"credentialsType": "None"}
_LINK = {"credentialsType": "Sas"}
"""Said to jobs: Azure's clients then ask `listSecrets`, and not for a token for all of the cloud's storage, which a job
does not get."""


async def list_datastores(request: ApiRequest) -> dict[str, Any]:
    registered = resources.list_resources(request.server.db, request.workspace.id, "datastores")
    found = [*(_make_builtin(request, name) for name in DEFAULTS), *registered]
    if "isDefault" in request.query_params:
        found = [one for one in found if (one.name == DEFAULT) == request.get_flag("isDefault")]
    names = [name.strip() for name in request.get_query("names").split(",") if name.strip()]
    return build_page(
        request, [one for one in found if not names or one.name in names], lambda one: _render_datastore(request, one)
    )


async def get_datastore(request: ApiRequest) -> dict[str, Any]:
    return _render_datastore(request, find_datastore(request))


async def put_datastore(request: ApiRequest) -> ApiResponse:
    """Create or update a datastore; its secrets are encrypted, and only `listSecrets` returns them."""
    name = request.get_name()
    check_asset_name(name)
    if name.lower() in DEFAULTS:
        raise RefusedError(
            f"the datastore '{name}' belongs to the workspace and cannot be changed; choose another name"
        )
    body = await request.read_object()
    wire.from_rest({**body, "name": name}, "datastore")
    properties = dict(get_properties(body))
    properties.pop(SEALED, None)
    existed = resources.get_resource(request.server.db, request.workspace.id, "datastores", name)
    properties = encrypt_credentials(
        request.server.home, properties, existed.content.get("properties") if existed else None
    )
    if fold_case(str(properties.get("datastoreType"))) == "localpath":
        _check_folder(request, str(properties.get("path")))
    if existed is not None and not is_same_place(name, existed.content.get("properties") or {}, properties):
        _refuse_versions_in(request, existed.name)
    resources.put_resource(
        request.server.db,
        request.workspace.id,
        "datastores",
        existed.name if existed else name,
        {"properties": properties},
        request.principal,
    )
    return ApiResponse(await get_datastore(request), 200 if existed else 201)


async def delete_datastore(request: ApiRequest) -> ApiResponse:
    """Delete the registration of a datastore; its files stay."""
    if request.get_name().lower() in DEFAULTS:
        raise RefusedError(f"the datastore '{request.get_name()}' belongs to the workspace and cannot be deleted")
    gone = resources.remove_resource(request.server.db, request.workspace.id, "datastores", request.get_name())
    return ApiResponse({}, 200 if gone else 204)


async def list_secrets(request: ApiRequest) -> dict[str, Any]:
    """Return the credentials of a datastore, or for the workspace's own a SAS token that is valid for a day.

    Clients before azure-ai-ml 1.28 cannot work without one.
    """
    found = find_datastore(request)
    given = decrypt_credentials(request.server.home, found.content.get("properties") or {})
    credentials = given.get("credentials") or {}
    secrets = credentials.get("secrets") if isinstance(credentials, dict) else None
    if secrets and request.job is not None:
        raise RefusedError(
            f"the credentials of datastore '{found.name}' are not told to jobs; "
            "make what the job needs one of its inputs"
        )
    if secrets:
        return {"secretsType": credentials.get("credentialsType"), **secrets}
    if isinstance(request.server.data.datastores.get_root(request.workspace.folder, found.name), RemoteStore):
        return {"secretsType": "None"}
    properties = {**CONTAINERS.get(found.name, {}), **given}
    container = str(properties.get("containerName") or properties.get("fileShareName") or request.get_name())
    return {"secretsType": "Sas", "sasToken": request.server.sign_container(request.workspace, container, request.job)}


def find_datastore(request: ApiRequest) -> ResourceRecord:
    name = request.get_name()
    if name.lower() in DEFAULTS:
        return _make_builtin(request, name.lower())
    found = resources.get_resource(request.server.db, request.workspace.id, "datastores", name)
    if found is None:
        raise NotFound(
            f"there is no datastore '{name}' in workspace '{request.workspace.name}'; see: smalt datastore list"
        )
    return found


def _check_folder(request: ApiRequest, path: str) -> None:
    """Raise unless the caller may name a folder of this machine and `path` is an existing absolute folder."""
    if not request.is_local:
        raise RefusedError(
            "a local_path datastore can be created only on the machine that runs the server; log in there"
        )
    if not os.path.isabs(path) or not os.path.isdir(path):
        raise ValidationException(f"path: {path[:200]!r} is not an absolute path of a folder that exists")


def _refuse_versions_in(request: ApiRequest, name: str) -> None:
    """Raise Conflict if registered versions are read from the datastore: elsewhere their content would differ."""
    for version in assets.list_versions_of_kinds(request.server.db, request.workspace.id, tuple(URIS)):
        uri = parse_uri(str(version.properties.get(URIS[version.kind]) or ""))
        if isinstance(uri, DatastoreUri) and uri.datastore.lower() == name.lower():
            raise Conflict(
                f"the content of {version.name}:{version.version} ({uri.text}) lies in datastore '{name}', so it can "
                "get no other place, only other credentials; create a datastore of another name"
            )


def _make_builtin(request: ApiRequest, name: str) -> ResourceRecord:
    return ResourceRecord(0, "datastores", name, "{}", request.server.principal, request.server.started, 0)


def _render_datastore(request: ApiRequest, datastore: ResourceRecord) -> dict[str, Any]:
    kept = datastore.content.get("properties") or {}
    known = {key: value for key, value in kept.items() if key != SEALED}
    given = known or {**_get_account(request), **CONTAINERS[datastore.name]}
    return {
        "id": build_resource_id(request.workspace, "datastores", datastore.name),
        "name": datastore.name,
        "type": get_resource_type("datastores"),
        "properties": {
            "tags": {},
            "properties": {},
            "credentials": _NO_CREDENTIALS,
            **given,
            **({"credentials": _LINK} if request.job is not None and not kept.get("credentials") else {}),
            "isDefault": datastore.name == DEFAULT,
        },
        "systemData": build_system_data(datastore.created_by, datastore.created_at),
        **build_page_link(request.server_url, request.workspace, "datastores", datastore.name),
    }


def _get_account(request: ApiRequest) -> dict[str, str]:
    """Return the account properties from which clients build `https://{accountName}.blob.core.windows.net/…`.

    The `?` at the end of the name turns the suffix that they append into a query.
    """
    name = f"{request.server_url.partition('://')[2]}/{request.workspace.folder}.blob.core.windows.net/?"
    account = "smalt" if request.is_local else name
    return {"accountName": account, "endpoint": "core.windows.net", "protocol": "https"}


ROUTES = [
    ("GET", "/datastores", list_datastores),
    ("GET", "/datastores/{name}", get_datastore),
    ("PUT", "/datastores/{name}", put_datastore),
    ("DELETE", "/datastores/{name}", delete_datastore),
    ("POST", "/datastores/{name}/listSecrets", list_secrets),
]
