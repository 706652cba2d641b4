"""Registries: the built-in `azureml`, the shipped `smalt`, and folders that the setting `registry` names."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from typing import Any

from starlette.responses import FileResponse

from smalt import prebuilt
from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.service.api.arm import built_in_registry
from smalt.service.api.arm.asset_collection import NEXT, check_asset_name
from smalt.service.api.arm.components import COMPONENTS
from smalt.service.api.arm.data import DATA
from smalt.service.api.arm.environments import ENVIRONMENTS
from smalt.service.api.arm.models import MODELS
from smalt.service.api.auth import workspace_access
from smalt.service.api.native.archives import build_archive
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_resource_id, build_system_data, get_properties, get_workspace_id
from smalt.service.api.router import Handler
from smalt.service.data import copy_tree
from smalt.service.engine.submission.pins import Pinner
from smalt.service.records import assets, workspaces
from smalt.service.records.workspaces import Workspace
from smalt.service.registry import Registries, RegistryFolder
from smalt.service.registry.folder import NOUNS, RegistryAsset
from smalt.service.registry.registries import BUILT_IN, READ_ONLY
from smalt.wire.encoding import ids

Properties = dict[str, Any]

_ADDED = ("provisioningState", "latestVersion", "nextVersion")
_COLLECTIONS = {one.segment: one for one in (COMPONENTS, ENVIRONMENTS, DATA, MODELS)}
_DESCRIPTIONS = {BUILT_IN: "the environments of smalt's catalogue", prebuilt.REGISTRY: "smalt's prebuilt components"}
_DEFAULT_VERSION = "azureml_default"
_MOST_TRIES = 50


async def list_registries(request: ApiRequest) -> Properties:
    return build_page(
        request, [BUILT_IN, *_get_registries(request).folders], lambda name: _render_registry(request, name)
    )


async def get_registry(request: ApiRequest) -> Properties:
    return _render_registry(request, BUILT_IN if _is_built_in(request) else _find_folder(request).registry)


async def list_containers(request: ApiRequest) -> Properties:
    if _is_built_in(request):
        return (
            await built_in_registry.list_environments(request)
            if _get_kind(request) == "environments"
            else {"value": []}
        )
    registry_folder, kind = _find_folder(request), _get_kind(request)
    found = await asyncio.to_thread(registry_folder.list_names, kind, request.get_query("listViewType", "ActiveOnly"))
    return build_page(request, found, lambda name: _render_container(request, registry_folder, kind, name))


async def get_container(request: ApiRequest) -> Properties:
    if _is_catalogue(request):
        return await built_in_registry.get_environment(request)
    registry_folder, kind = _find_folder(request), _get_kind(request)
    if not registry_folder.list_versions(kind, request.get_name(), "All"):
        registry_folder.find_version(kind, request.get_name())
    return _render_container(request, registry_folder, kind, request.get_name())


async def put_container(request: ApiRequest) -> Properties:
    """Archive or restore all versions of an asset."""
    registry_folder, kind = _find_own_folder(request), _get_kind(request)
    archived = bool(get_properties(await request.read_object()).get("isArchived"))
    registry_folder.set_archived(kind, request.get_name(), None, archived)
    return _render_container(request, registry_folder, kind, request.get_name())


async def list_versions(request: ApiRequest) -> Properties:
    if _is_catalogue(request):
        return await built_in_registry.list_versions(request)
    registry_folder = _find_folder(request)
    found = registry_folder.list_versions(
        _get_kind(request), request.get_name(), request.get_query("listViewType", "ActiveOnly")
    )
    return build_page(request, found, lambda one: _render_version(request, registry_folder, one))


async def get_version(request: ApiRequest) -> Properties:
    if _is_catalogue(request):
        return await built_in_registry.get_version(request)
    registry_folder, version = _find_folder(request), request.get_name("version")
    wanted = None if version == _DEFAULT_VERSION else version
    return _render_version(
        request, registry_folder, registry_folder.find_version(_get_kind(request), request.get_name(), wanted)
    )


async def get_label(request: ApiRequest) -> Properties:
    registry_folder = _find_folder(request)
    return _render_version(
        request,
        registry_folder,
        registry_folder.find_version(_get_kind(request), request.get_name(), None, request.get_name("label")),
    )


async def put_version(request: ApiRequest) -> ApiResponse:
    """Create a version, or archive, restore or describe an existing one.

    The query `workspace` names the workspace to which short URIs in the body refer.
    """
    registry_folder, kind, name, version = (
        _find_own_folder(request),
        _get_kind(request),
        request.get_name(),
        request.get_name("version"),
    )
    sent = {key: value for key, value in get_properties(await request.read_object()).items() if key not in _ADDED}
    archived = bool(sent.pop("isArchived", False))
    if request.get_flag(NEXT):
        return ApiResponse(
            _render_version(request, registry_folder, await _put_next(request, registry_folder, kind, name, sent)), 201
        )
    there = [one for one in registry_folder.list_versions(kind, name, "All") if one.version == version]
    if not there or not _is_same(_get_registries(request).read_properties(registry_folder.registry, there[0]), sent):
        workspace = _get_workspace(request)
        sent = _COLLECTIONS[kind].resolve_references(Pinner(request.server.engine.context, workspace), sent)
        asset, local = (kind, name, version), request.is_local
        await asyncio.to_thread(
            _get_registries(request).publish_asset, registry_folder, workspace, asset, sent, reads_disk=local
        )
    found = registry_folder.find_version(kind, name, version)
    if found.archived != archived:
        registry_folder.set_archived(kind, name, version, archived)
        found = registry_folder.find_version(kind, name, version)
    return ApiResponse(_render_version(request, registry_folder, found), 200 if there else 201)


async def _put_next(
    request: ApiRequest, registry_folder: RegistryFolder, kind: str, name: str, sent: Properties
) -> RegistryAsset:
    """Create the next version; another home that shares the folder may take the number first."""
    workspace, local = _get_workspace(request), request.is_local
    for _ in range(_MOST_TRIES):
        version = registry_folder.get_next_version(kind, name)
        given = {**sent, "componentSpec": {**sent["componentSpec"], "version": version}} if _has_spec(sent) else sent
        publish = partial(_get_registries(request).publish_asset, reads_disk=local, is_new=True)
        try:
            await asyncio.to_thread(publish, registry_folder, workspace, (kind, name, version), given)
            return registry_folder.find_version(kind, name, version)
        except Conflict:
            if registry_folder.get_next_version(kind, name) == version:
                raise
    raise Conflict(f"others create versions of {NOUNS[kind]} '{name}' all the time; give a version, or try again")


def _has_spec(properties: Properties) -> bool:
    return isinstance(properties.get("componentSpec"), dict)


async def put_registry(request: ApiRequest) -> ApiResponse:
    """Register a folder: the location if that is a path, else a folder of the home."""
    name, folders = request.get_name("registry"), _get_registries(request).own_folders
    if name.lower() in READ_ONLY:
        _find_own_folder(request)
    location = (await request.read_object()).get("location")
    folder = str(request.server.home.path("registries", name))
    if isinstance(location, str) and os.path.isabs(location):
        if not request.is_local:
            raise RefusedError("a folder of the server's machine can be named over its Unix socket only; leave it out")
        folder = location
    if folders.get(name, folder) != folder:
        raise Conflict(f"registry '{name}' is the folder {folders[name]} already; choose another name")
    request.server.settings.update({"registry": {name: folder}})
    os.makedirs(folder, exist_ok=True)
    return ApiResponse(_render_registry(request, name), 200 if name in folders else 201)


async def delete_registry(request: ApiRequest) -> Properties:
    """Remove a registry from the settings; its folder stays."""
    registry_folder = _find_own_folder(request)
    request.server.settings.update({"registry": {registry_folder.registry: None}})
    return {}


async def share_asset(request: ApiRequest) -> Properties:
    """POST /smalt/v1{WS}/share: copy a version of the workspace into a registry."""
    body = await request.read_object()
    kind, name, version, registry = _read_texts(body, "kind", "name", "version", "registry")
    registry_folder = _get_registries(request).find_own_folder(registry)
    asset = kind, str(body.get("shareName") or name), str(body.get("shareVersion") or version)
    found = _get_registries(request).assets.find_version(request.workspace, _check_kind(kind), name, version, None)
    await asyncio.to_thread(
        _get_registries(request).publish_asset, registry_folder, request.workspace, asset, found.properties
    )
    return _render_version(request, registry_folder, registry_folder.find_version(*asset))


async def import_asset(request: ApiRequest) -> Properties:
    """POST /smalt/v1{WS}/import: copy a version of a registry, or of another workspace, into this workspace."""
    body, registries = await request.read_object(), _get_registries(request)
    kind, name, version = _read_texts(body, "kind", "name", "version")
    collection = _COLLECTIONS[_check_kind(kind)]
    if body.get("registry"):
        found = registries.find_folder(_read_texts(body, "registry")[0]).find_version(kind, name, version)
        properties = await asyncio.to_thread(registries.import_asset, request.workspace, found)
        source = f"azureml://registries/{body['registry']}/{kind}/{name}/versions/{version}"
    else:
        other = _find_workspace(request, _read_texts(body, "workspace")[0])
        properties = await asyncio.to_thread(registries.copy_asset, other, request.workspace, (kind, name, version))
        source = f"{build_resource_id(other, kind, name)}/versions/{version}"
    as_name, as_version = str(body.get("asName") or name), str(body.get("asVersion") or version)
    check_asset_name(as_name)
    check_asset_name(as_version, "version")
    properties["properties"] = {**(properties.get("properties") or {}), "smalt.imported_from": source}
    properties.pop("isArchived", None)
    if "componentSpec" in properties:
        properties["componentSpec"] = {**properties["componentSpec"], "name": as_name, "version": as_version}
    collection.store_version(request, as_name, as_version, properties)
    return collection.render_version(
        request, assets.find_version(request.server.db, request.workspace.id, kind, as_name, as_version, None)
    )


def _find_workspace(request: ApiRequest, id: str) -> Workspace:
    """Return the workspace with that id if the caller may see it."""
    named, token = ids.parse_id(id), request.scope["smalt.token"]
    for one in workspaces.list_workspaces(request.server.db):
        is_open = token is None or token.workspace_id in (None, one.id)
        if named and is_open and get_workspace_id(one).lower() == named.workspace_id.lower():
            return one
    raise NotFound(f"there is no workspace {named.workspace if named else id[:200]} here; see: smalt workspace list")


async def get_archive(request: ApiRequest) -> FileResponse:
    """Return a tar of the content of data or a model, for callers that cannot read the folder."""
    if _get_kind(request) not in ("data", "models"):
        raise RefusedError(f"only data and models have content to download, and {_get_kind(request)} are in their YAML")
    uri = _get_registries(request).find_uri(
        _find_folder(request).registry, _get_kind(request), request.get_name(), request.get_name("version"), None
    )
    source = parse_uri(uri or "")
    if not isinstance(source, LocalPath):
        raise NotFound(f"the content of {request.get_name()[:100]} is not in the registry, but at {uri}")
    path = source.path
    inner = "" if os.path.isdir(path) else os.path.basename(path)
    return await build_archive(lambda folder: copy_tree(path, os.path.join(folder, inner)))


def _get_registries(request: ApiRequest) -> Registries:
    return request.server.engine.context.registries


def _find_folder(request: ApiRequest) -> RegistryFolder:
    return _get_registries(request).find_folder(request.get_name("registry"))


def _find_own_folder(request: ApiRequest) -> RegistryFolder:
    return _get_registries(request).find_own_folder(request.get_name("registry"))


def _is_built_in(request: ApiRequest) -> bool:
    return request.get_name("registry").lower() == BUILT_IN


def _is_catalogue(request: ApiRequest) -> bool:
    if not _is_built_in(request):
        return False
    if _get_kind(request) != "environments":
        raise NotFound(
            f"smalt has the environments of the registry '{BUILT_IN}' and nothing else; there is no "
            f"{NOUNS[_get_kind(request)]} '{request.get_name()[:100]}'"
        )
    return True


def _get_kind(request: ApiRequest) -> str:
    return _check_kind(request.get_name("kind"))


def _check_kind(kind: str) -> str:
    if kind not in NOUNS:
        raise RefusedError(f"a registry has {', '.join(NOUNS)}, and nothing else")
    return kind


def _get_workspace(request: ApiRequest) -> Workspace:
    named = ids.parse_id(request.get_query("workspace"))
    defaults = request.server.settings.defaults
    subscription = named.subscription if named else defaults.get("subscription", ids.DEFAULT_SUBSCRIPTION)
    group = named.resource_group if named else defaults.get("group", ids.DEFAULT_RESOURCE_GROUP)
    name = named.workspace if named else defaults.get("workspace", ids.DEFAULT_WORKSPACE)
    return workspace_access.find_workspace(request.server, (subscription, group, name), request.principal)


def _is_same(there: Properties, sent: Properties) -> bool:
    return all(there.get(key) == value for key, value in sent.items() if value not in (None, {}, False))


def _read_texts(body: Properties, *keys: str) -> list[str]:
    for key in keys:
        if not isinstance(body.get(key), str) or not body[key]:
            raise ValidationException(f'"{key}" must be a text')
    return [body[key] for key in keys]


def _render_registry(request: ApiRequest, name: str) -> Properties:
    subscription = request.path_params.get("subscription", ids.DEFAULT_SUBSCRIPTION)
    group = request.path_params.get("resource_group", ids.DEFAULT_RESOURCE_GROUP)
    folder = _get_registries(request).folders.get(name)
    return {
        "id": ids.build_registry_id(subscription, group, name),
        "name": name,
        "type": f"{ids.PROVIDER}/registries",
        "location": folder or "local",
        "tags": {},
        "properties": {"description": _DESCRIPTIONS.get(name), "regionDetails": []},
        "systemData": build_system_data(request.server.principal, request.server.started),
    }


def _render_container(request: ApiRequest, registry_folder: RegistryFolder, kind: str, name: str) -> Properties:
    active = registry_folder.list_versions(kind, name)
    return {
        "id": f"azureml://registries/{registry_folder.registry}/{kind}/{name}",
        "name": name,
        "type": f"{ids.PROVIDER}/registries/{kind}",
        "properties": {
            "tags": {},
            "properties": {},
            "isArchived": registry_folder.is_archived(kind, name),
            "latestVersion": active[0].version if active else None,
            "nextVersion": registry_folder.get_next_version(kind, name),
            "provisioningState": "Succeeded",
        },
        "systemData": build_system_data(
            request.server.principal, _get_modified_time(registry_folder.list_versions(kind, name, "All"))
        ),
    }


def _render_version(request: ApiRequest, registry_folder: RegistryFolder, found: RegistryAsset) -> Properties:
    shown = _get_registries(request).read_properties(registry_folder.registry, found)
    if "componentSpec" in shown:
        named = {"name": found.name, "version": found.version}
        shown["componentSpec"] = {**shown["componentSpec"], **named}
    return {
        "id": f"azureml://registries/{registry_folder.registry}/{found.kind}/{found.name}/versions/{found.version}",
        "name": found.version,
        "type": f"{ids.PROVIDER}/registries/{found.kind}/versions",
        "properties": {"tags": {}, "properties": {}, **shown, "provisioningState": "Succeeded"},
        "systemData": build_system_data(request.server.principal, _get_modified_time([found])),
    }


def _get_modified_time(found: list[RegistryAsset]) -> float:
    return max((one.document.stat().st_mtime for one in found), default=0.0)


async def refuse_change(request: ApiRequest) -> None:
    """Refuse what Azure's client would change: its uploads need more of a registry than is here."""
    raise RefusedError(
        "Azure's client can only read registries here; change them by smalt's own commands, with "
        f"--registry-name {request.get_name('registry')[:100]}"
    )


_AZURE = "/mferp/managementfrontend"
"""The prefix of Azure's client for the registries that it discovers."""
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
_UPLOAD = "/{kind}/{name}/versions/{version}/startPendingUpload"
GLOBAL_ROUTES = [
    ("GET", _ANY, list_registries),
    ("GET", "/smalt/v1/registries/{registry}/{kind}/{name}/versions/{version}/archive", get_archive),
    *((method, f"{ids.REGISTRY}{path}", handler) for method, path, handler in _ONE),
    *((method, f"{_AZURE}{ids.REGISTRY}{path}", handler) for method, path, handler in _ONE if method == "GET"),
    *(
        (method, f"{_AZURE}{ids.REGISTRY}{path}", refuse_change)
        for path in (
            *dict.fromkeys(path for _, path, _ in _ONE),
            "/{kind}/{name}/versions/{version}/startPendingUpload",
        )
        for method in ("POST", "PUT", "PATCH", "DELETE")
    ),
]
ROUTES = [("POST", "/share", share_asset), ("POST", "/import", import_asset)]
