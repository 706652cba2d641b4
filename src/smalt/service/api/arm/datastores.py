"""Datastores: the four of every workspace, which are folders of the home, and those that were registered."""

from __future__ import annotations

import os
from typing import Any

from smalt import wire
from smalt.entities.syntax.references import DatastoreUri, parse_uri
from smalt.exceptions import Conflict, NotFound, Refused, ValidationException
from smalt.service.api.arm.asset_collection import check_name
from smalt.service.api.blob.urls import CONTAINERS
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import properties_of, resource_id, resource_type, system_data
from smalt.service.data import DEFAULT, DEFAULTS
from smalt.service.data.datastores.addresses import is_same_place
from smalt.service.data.datastores.remote_store import Store
from smalt.service.engine.versions.contents import URIS
from smalt.service.records import assets, resources
from smalt.service.records.resources import ResourceRecord
from smalt.service.secrets.encryption import SEALED, opened, sealed
from smalt.wire.encoding.casing import fold

_NO_CREDENTIALS = {"credentialsType": "None"}
_LINK = {"credentialsType": "Sas"}
"""Said to jobs: Azure's clients then ask `listSecrets`, and not for a token for all of the cloud's storage, which a job
does not get."""


async def list_datastores(call: Call) -> dict[str, Any]:
    registered = resources.list_resources(call.service.db, call.workspace.id, "datastores")
    found = [*(_builtin(call, name) for name in DEFAULTS), *registered]
    if "isDefault" in call.query_params:
        found = [one for one in found if (one.name == DEFAULT) == call.flag("isDefault")]
    names = [name.strip() for name in call.query("names").split(",") if name.strip()]
    return page(call, [one for one in found if not names or one.name in names], lambda one: _shape(call, one))


async def get_datastore(call: Call) -> dict[str, Any]:
    return _shape(call, existing(call))


async def put_datastore(call: Call) -> Reply:
    """Its secrets are kept sealed, and told by `listSecrets` only."""
    name = call.name()
    check_name(name)
    if name.lower() in DEFAULTS:
        raise Refused(f"the datastore '{name}' belongs to the workspace and cannot be changed; choose another name")
    body = await call.object()
    wire.from_rest({**body, "name": name}, "datastore")
    properties = dict(properties_of(body))
    properties.pop(SEALED, None)
    existed = resources.get_resource(call.service.db, call.workspace.id, "datastores", name)
    properties = sealed(call.service.home, properties, existed.content.get("properties") if existed else None)
    if fold(str(properties.get("datastoreType"))) == "localpath":
        _check_folder(call, str(properties.get("path")))
    if existed is not None and not is_same_place(name, existed.content.get("properties") or {}, properties):
        _refuse_versions_in(call, existed.name)
    resources.put_resource(
        call.service.db,
        call.workspace.id,
        "datastores",
        existed.name if existed else name,
        {"properties": properties},
        call.principal,
    )
    return Reply(await get_datastore(call), 200 if existed else 201)


async def delete_datastore(call: Call) -> Reply:
    """Its files stay where they are."""
    if call.name().lower() in DEFAULTS:
        raise Refused(f"the datastore '{call.name()}' belongs to the workspace and cannot be deleted")
    gone = resources.remove_resource(call.service.db, call.workspace.id, "datastores", call.name())
    return Reply({}, 200 if gone else 204)


async def list_secrets(call: Call) -> dict[str, Any]:
    """What was given when it was created. Of the workspace's own, a link's query that opens the container for a day;
    clients before azure-ai-ml 1.28 cannot do without."""
    found = existing(call)
    given = opened(call.service.home, found.content.get("properties") or {})
    credentials = given.get("credentials") or {}
    secrets = credentials.get("secrets") if isinstance(credentials, dict) else None
    if secrets and call.job is not None:
        raise Refused(
            f"the credentials of datastore '{found.name}' are not told to jobs; "
            "make what the job needs one of its inputs"
        )
    if secrets:
        return {"secretsType": credentials.get("credentialsType"), **secrets}
    if isinstance(call.service.data.datastores.root(call.workspace.folder, found.name), Store):
        return {"secretsType": "None"}
    properties = {**CONTAINERS.get(found.name, {}), **given}
    container = str(properties.get("containerName") or properties.get("fileShareName") or call.name())
    return {"secretsType": "Sas", "sasToken": call.service.sign(call.workspace, container, call.job)}


def existing(call: Call) -> ResourceRecord:
    name = call.name()
    if name.lower() in DEFAULTS:
        return _builtin(call, name.lower())
    found = resources.get_resource(call.service.db, call.workspace.id, "datastores", name)
    if found is None:
        raise NotFound(
            f"there is no datastore '{name}' in workspace '{call.workspace.name}'; 'smalt datastore list' shows which"
        )
    return found


def _check_folder(call: Call, path: str) -> None:
    """Of the server's machine, so only for who can reach that anyway."""
    if not call.is_local:
        raise Refused("a local_path datastore can be created only on the machine that runs the server; log in there")
    if not os.path.isabs(path) or not os.path.isdir(path):
        raise ValidationException(f"path: {path[:200]!r} is not an absolute path of a folder that exists")


def _refuse_versions_in(call: Call, name: str) -> None:
    """Raise where registered versions are read from the datastore: elsewhere, they would have another content."""
    for version in assets.list_versions_of_kinds(call.service.db, call.workspace.id, tuple(URIS)):
        uri = parse_uri(str(version.properties.get(URIS[version.kind]) or ""))
        if isinstance(uri, DatastoreUri) and uri.datastore.lower() == name.lower():
            raise Conflict(
                f"the content of {version.name}:{version.version} ({uri.text}) lies in datastore '{name}', so it can "
                "get no other place, only other credentials; create a datastore of another name"
            )


def _builtin(call: Call, name: str) -> ResourceRecord:
    return ResourceRecord(0, "datastores", name, "{}", call.service.principal, call.service.started, 0)


def _shape(call: Call, datastore: ResourceRecord) -> dict[str, Any]:
    kept = datastore.content.get("properties") or {}
    known = {key: value for key, value in kept.items() if key != SEALED}
    given = known or {**_account(call), **CONTAINERS[datastore.name]}
    return {
        "id": resource_id(call.workspace, "datastores", datastore.name),
        "name": datastore.name,
        "type": resource_type("datastores"),
        "properties": {
            "tags": {},
            "properties": {},
            "credentials": _NO_CREDENTIALS,
            **given,
            **({"credentials": _LINK} if call.job is not None and not kept.get("credentials") else {}),
            "isDefault": datastore.name == DEFAULT,
        },
        "systemData": system_data(datastore.created_by, datastore.created_at),
    }


def _account(call: Call) -> dict[str, str]:
    """Clients build `https://{accountName}.blob.core.windows.net/…` of it; the `?` takes their suffix away."""
    name = f"{call.base.partition('://')[2]}/{call.workspace.folder}.blob.core.windows.net/?"
    account = "smalt" if call.is_local else name
    return {"accountName": account, "endpoint": "core.windows.net", "protocol": "https"}


ROUTES = [
    ("GET", "/datastores", list_datastores),
    ("GET", "/datastores/{name}", get_datastore),
    ("PUT", "/datastores/{name}", put_datastore),
    ("DELETE", "/datastores/{name}", delete_datastore),
    ("POST", "/datastores/{name}/listSecrets", list_secrets),
]
