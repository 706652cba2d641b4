"""Registries: the built-in `azureml`, and folders that the setting `registry` names."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

from starlette.responses import FileResponse

from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import Conflict, NotFound, Refused, ValidationException
from smalt.service.api.arm import built_in_registry
from smalt.service.api.arm.asset_collection import NEXT, check_name
from smalt.service.api.arm.components import COMPONENTS
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.arm.models import MODELS
from smalt.service.api.auth import workspace_access
from smalt.service.api.native.archives import packed
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import properties_of, resource_id, system_data, workspace_id
from smalt.service.api.router import Handler
from smalt.service.data import copy_tree
from smalt.service.engine.submission.pins import Pinner
from smalt.service.records import assets, workspaces
from smalt.service.records.workspaces import Workspace
from smalt.service.registry import Registries, Shelf
from smalt.service.registry.folder import NOUNS, Found
from smalt.service.registry.registries import BUILT_IN
from smalt.wire.encoding import ids

Properties = dict[str, Any]

_ADDED = ("provisioningState", "latestVersion", "nextVersion")
_COLLECTIONS = {one.segment: one for one in (COMPONENTS, ENVIRONMENTS, DATA, MODELS)}
_DEFAULT_VERSION = "azureml_default"
_MOST_TRIES = 50


async def list_registries(call: Call) -> Properties:
    return page(call, [BUILT_IN, *_registries(call).folders], lambda name: _registry(call, name))


async def get_registry(call: Call) -> Properties:
    return _registry(call, BUILT_IN if _is_built_in(call) else _shelf(call).registry)


async def list_containers(call: Call) -> Properties:
    if _is_built_in(call):
        return await built_in_registry.list_environments(call) if _kind(call) == "environments" else {"value": []}
    shelf, kind = _shelf(call), _kind(call)
    found = await asyncio.to_thread(shelf.names, kind, call.query("listViewType", "ActiveOnly"))
    return page(call, found, lambda name: _container(call, shelf, kind, name))


async def get_container(call: Call) -> Properties:
    if _of_catalogue(call):
        return await built_in_registry.get_environment(call)
    shelf, kind = _shelf(call), _kind(call)
    if not shelf.versions(kind, call.name(), "All"):
        shelf.find(kind, call.name())
    return _container(call, shelf, kind, call.name())


async def put_container(call: Call) -> Properties:
    """Archive or restore all versions at once."""
    shelf, kind = _own(call), _kind(call)
    archived = bool(properties_of(await call.object()).get("isArchived"))
    shelf.archive(kind, call.name(), None, archived)
    return _container(call, shelf, kind, call.name())


async def list_versions(call: Call) -> Properties:
    if _of_catalogue(call):
        return await built_in_registry.list_versions(call)
    shelf = _shelf(call)
    found = shelf.versions(_kind(call), call.name(), call.query("listViewType", "ActiveOnly"))
    return page(call, found, lambda one: _version(call, shelf, one))


async def get_version(call: Call) -> Properties:
    if _of_catalogue(call):
        return await built_in_registry.get_version(call)
    shelf, version = _shelf(call), call.name("version")
    wanted = None if version == _DEFAULT_VERSION else version
    return _version(call, shelf, shelf.find(_kind(call), call.name(), wanted))


async def get_label(call: Call) -> Properties:
    shelf = _shelf(call)
    return _version(call, shelf, shelf.find(_kind(call), call.name(), None, call.name("label")))


async def put_version(call: Call) -> Reply:
    """Create; or archive, restore and describe what is there. `workspace` is where the body's short URIs lead."""
    shelf, kind, name, version = _own(call), _kind(call), call.name(), call.name("version")
    sent = {key: value for key, value in properties_of(await call.object()).items() if key not in _ADDED}
    archived = bool(sent.pop("isArchived", False))
    if call.flag(NEXT):
        return Reply(_version(call, shelf, await _put_next(call, shelf, kind, name, sent)), 201)
    there = [one for one in shelf.versions(kind, name, "All") if one.version == version]
    if not there or not _same(_registries(call).shown(shelf.registry, there[0]), sent):
        workspace = _workspace(call)
        sent = _COLLECTIONS[kind].fixed(Pinner(call.service.engine.rooms, workspace), sent)
        asset, local = (kind, name, version), call.is_local
        await asyncio.to_thread(_registries(call).publish, shelf, workspace, asset, sent, reads_disk=local)
    found = shelf.find(kind, name, version)
    if found.archived != archived:
        shelf.archive(kind, name, version, archived)
        found = shelf.find(kind, name, version)
    return Reply(_version(call, shelf, found), 200 if there else 201)


async def _put_next(call: Call, shelf: Shelf, kind: str, name: str, sent: Properties) -> Found:
    """Create the next version; another home that shares the folder may take the number first."""
    workspace, local = _workspace(call), call.is_local
    for _ in range(_MOST_TRIES):
        version = shelf.next_version(kind, name)
        given = {**sent, "componentSpec": {**sent["componentSpec"], "version": version}} if _has_spec(sent) else sent
        publish = partial(_registries(call).publish, reads_disk=local, is_new=True)
        try:
            await asyncio.to_thread(publish, shelf, workspace, (kind, name, version), given)
            return shelf.find(kind, name, version)
        except Conflict:
            if shelf.next_version(kind, name) == version:
                raise
    raise Conflict(f"others create versions of {NOUNS[kind]} '{name}' all the time; give a version, or try again")


def _has_spec(properties: Properties) -> bool:
    return isinstance(properties.get("componentSpec"), dict)


async def put_registry(call: Call) -> Reply:
    """A folder becomes a registry: the location, where that is a path, else one of the home's."""
    name, folders = call.name("registry"), _registries(call).folders
    location = (await call.object()).get("location")
    folder = str(call.service.home.path("registries", name))
    if isinstance(location, str) and os.path.isabs(location):
        if not call.is_local:
            raise Refused("a folder of the server's machine can be named over its Unix socket only; leave it out")
        folder = location
    if folders.get(name, folder) != folder:
        raise Conflict(f"registry '{name}' is the folder {folders[name]} already; choose another name")
    call.service.settings.update({"registry": {name: folder}})
    os.makedirs(folder, exist_ok=True)
    return Reply(_registry(call, name), 200 if name in folders else 201)


async def delete_registry(call: Call) -> Properties:
    """The folder stays as it is."""
    shelf = _own(call)
    call.service.settings.update({"registry": {shelf.registry: None}})
    return {}


async def share(call: Call) -> Properties:
    """POST /smalt/v1{WS}/share: a version of the workspace, into a registry."""
    body = await call.object()
    kind, name, version, registry = _texts(body, "kind", "name", "version", "registry")
    shelf = _registries(call).shelf(registry)
    asset = kind, str(body.get("shareName") or name), str(body.get("shareVersion") or version)
    found = _registries(call).desk.find(call.workspace, _known(kind), name, version, None)
    await asyncio.to_thread(_registries(call).publish, shelf, call.workspace, asset, found.properties)
    return _version(call, shelf, shelf.find(*asset))


async def bring(call: Call) -> Properties:
    """POST /smalt/v1{WS}/import: a version of a registry, or of another workspace, into this one."""
    body, registries = await call.object(), _registries(call)
    kind, name, version = _texts(body, "kind", "name", "version")
    collection = _COLLECTIONS[_known(kind)]
    if body.get("registry"):
        found = registries.shelf(_texts(body, "registry")[0]).find(kind, name, version)
        properties = await asyncio.to_thread(registries.imported, call.workspace, found)
        source = f"azureml://registries/{body['registry']}/{kind}/{name}/versions/{version}"
    else:
        other = _other(call, _texts(body, "workspace")[0])
        properties = await asyncio.to_thread(registries.carried, other, call.workspace, (kind, name, version))
        source = f"{resource_id(other, kind, name)}/versions/{version}"
    as_name, as_version = str(body.get("asName") or name), str(body.get("asVersion") or version)
    check_name(as_name)
    check_name(as_version, "version")
    properties["properties"] = {**(properties.get("properties") or {}), "smalt.imported_from": source}
    properties.pop("isArchived", None)
    if "componentSpec" in properties:
        properties["componentSpec"] = {**properties["componentSpec"], "name": as_name, "version": as_version}
    collection.store(call, as_name, as_version, properties)
    return collection.version(
        call, assets.find_version(call.service.db, call.workspace.id, kind, as_name, as_version, None)
    )


def _other(call: Call, id: str) -> Workspace:
    """A workspace by its id, for who may see it."""
    named, token = ids.parse_id(id), call.scope["smalt.token"]
    for one in workspaces.list_workspaces(call.service.db):
        is_open = token is None or token.workspace_id in (None, one.id)
        if named and is_open and workspace_id(one).lower() == named.workspace_id.lower():
            return one
    raise NotFound(f"there is no workspace {named.workspace if named else id[:200]} here; see: smalt workspace list")


async def get_archive(call: Call) -> FileResponse:
    """A tar of the content of data or of a model, for who cannot read the folder."""
    if _kind(call) not in ("data", "models"):
        raise Refused(f"only data and models have content to download, and {_kind(call)} are in their YAML")
    uri = _registries(call).uri(_shelf(call).registry, _kind(call), call.name(), call.name("version"), None)
    source = parse_uri(uri or "")
    if not isinstance(source, LocalPath):
        raise NotFound(f"the content of {call.name()[:100]} is not in the registry, but at {uri}")
    path = source.path
    inner = "" if os.path.isdir(path) else os.path.basename(path)
    return await packed(lambda folder: copy_tree(path, os.path.join(folder, inner)))


def _registries(call: Call) -> Registries:
    return call.service.engine.rooms.registries


def _shelf(call: Call) -> Shelf:
    return _registries(call).shelf(call.name("registry"))


def _own(call: Call) -> Shelf:
    if _is_built_in(call):
        raise Refused(f"the registry '{BUILT_IN}' is smalt's own and can only be read; name one of your registries")
    return _shelf(call)


def _is_built_in(call: Call) -> bool:
    return call.name("registry").lower() == BUILT_IN


def _of_catalogue(call: Call) -> bool:
    if not _is_built_in(call):
        return False
    if _kind(call) != "environments":
        raise NotFound(
            f"smalt has the environments of the registry '{BUILT_IN}' and nothing else; there is no "
            f"{NOUNS[_kind(call)]} '{call.name()[:100]}'"
        )
    return True


def _kind(call: Call) -> str:
    return _known(call.name("kind"))


def _known(kind: str) -> str:
    if kind not in NOUNS:
        raise Refused(f"a registry has {', '.join(NOUNS)}, and nothing else")
    return kind


def _workspace(call: Call) -> Workspace:
    named = ids.parse_id(call.query("workspace"))
    defaults = call.service.settings.defaults
    subscription = named.subscription if named else defaults.get("subscription", ids.DEFAULT_SUBSCRIPTION)
    group = named.resource_group if named else defaults.get("group", ids.DEFAULT_RESOURCE_GROUP)
    name = named.workspace if named else defaults.get("workspace", ids.DEFAULT_WORKSPACE)
    return workspace_access.find(call.service, (subscription, group, name), call.principal)


def _same(there: Properties, sent: Properties) -> bool:
    return all(there.get(key) == value for key, value in sent.items() if value not in (None, {}, False))


def _texts(body: Properties, *keys: str) -> list[str]:
    for key in keys:
        if not isinstance(body.get(key), str) or not body[key]:
            raise ValidationException(f'"{key}" must be a text')
    return [body[key] for key in keys]


def _registry(call: Call, name: str) -> Properties:
    subscription = call.path_params.get("subscription", ids.DEFAULT_SUBSCRIPTION)
    group = call.path_params.get("resource_group", ids.DEFAULT_RESOURCE_GROUP)
    folder = _registries(call).folders.get(name)
    return {
        "id": ids.registry_id(subscription, group, name),
        "name": name,
        "type": f"{ids.PROVIDER}/registries",
        "location": folder or "local",
        "tags": {},
        "properties": {"description": None if folder else "the environments of smalt's catalogue", "regionDetails": []},
        "systemData": system_data(call.service.principal, call.service.started),
    }


def _container(call: Call, shelf: Shelf, kind: str, name: str) -> Properties:
    active = shelf.versions(kind, name)
    return {
        "id": f"azureml://registries/{shelf.registry}/{kind}/{name}",
        "name": name,
        "type": f"{ids.PROVIDER}/registries/{kind}",
        "properties": {
            "tags": {},
            "properties": {},
            "isArchived": shelf.is_archived(kind, name),
            "latestVersion": active[0].version if active else None,
            "nextVersion": shelf.next_version(kind, name),
            "provisioningState": "Succeeded",
        },
        "systemData": system_data(call.service.principal, _changed(shelf.versions(kind, name, "All"))),
    }


def _version(call: Call, shelf: Shelf, found: Found) -> Properties:
    shown = _registries(call).shown(shelf.registry, found)
    if "componentSpec" in shown:
        named = {"name": found.name, "version": found.version}
        shown["componentSpec"] = {**shown["componentSpec"], **named}
    return {
        "id": f"azureml://registries/{shelf.registry}/{found.kind}/{found.name}/versions/{found.version}",
        "name": found.version,
        "type": f"{ids.PROVIDER}/registries/{found.kind}/versions",
        "properties": {"tags": {}, "properties": {}, **shown, "provisioningState": "Succeeded"},
        "systemData": system_data(call.service.principal, _changed([found])),
    }


def _changed(found: list[Found]) -> float:
    return max((one.document.stat().st_mtime for one in found), default=0.0)


_ANY = "/subscriptions/{subscription}/resourceGroups/{resource_group}" + f"/providers/{ids.PROVIDER}/registries"
_ONE: list[tuple[str, str, Handler]] = [
    ("GET", "", get_registry),
    ("PUT", "", put_registry),
    ("DELETE", "", delete_registry),
    ("GET", "/{kind}", list_containers),
    ("GET", "/{kind}/{name}", get_container),
    ("PUT", "/{kind}/{name}", put_container),
    ("GET", "/{kind}/{name}/versions", list_versions),
    ("GET", "/{kind}/{name}/versions/{version}", get_version),
    ("PUT", "/{kind}/{name}/versions/{version}", put_version),
    ("GET", "/{kind}/{name}/labels/{label}", get_label),
]
GLOBAL_ROUTES = [
    ("GET", _ANY, list_registries),
    ("GET", "/smalt/v1/registries/{registry}/{kind}/{name}/versions/{version}/archive", get_archive),
    *((method, f"{ids.REGISTRY}{path}", handler) for method, path, handler in _ONE),
]
ROUTES = [("POST", "/share", share), ("POST", "/import", bring)]
