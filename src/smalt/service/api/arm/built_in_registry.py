"""The handlers of the built-in registry `azureml`: its environments are those of the catalogue."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import NotFound
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest
from smalt.service.api.rest_shapes import build_system_data
from smalt.service.environments.environments import Environments
from smalt.service.environments.resolution.curated_environments import CatalogueEntry
from smalt.wire.encoding.ids import PROVIDER

_NAME = "azureml"


async def list_environments(request: ApiRequest) -> dict[str, Any]:
    found = _get_environments(request).list_catalogue()
    return build_page(request, found, lambda entry: _render_container(request, entry))


async def get_environment(request: ApiRequest) -> dict[str, Any]:
    return _render_container(request, _find_entry(request))


async def list_versions(request: ApiRequest) -> dict[str, Any]:
    entry = _find_entry(request)
    return build_page(request, [entry], lambda entry: _render_version(request, entry, entry.version))


async def get_version(request: ApiRequest) -> dict[str, Any]:
    """Return the catalogue's one version of an environment, whichever version is asked for, as for a job that names
    it."""
    return _render_version(request, _find_entry(request), request.get_name("version"))


def _render_container(request: ApiRequest, entry: CatalogueEntry) -> dict[str, Any]:
    return {
        "id": f"azureml://registries/{_NAME}/environments/{entry.name}",
        "name": entry.name,
        "type": f"{PROVIDER}/registries/environments",
        "properties": {
            "description": entry.description,
            "tags": {},
            "properties": {},
            "isArchived": False,
            "latestVersion": entry.version,
            "provisioningState": "Succeeded",
        },
        "systemData": build_system_data(request.server.principal, request.server.started),
    }


def _render_version(request: ApiRequest, entry: CatalogueEntry, version: str) -> dict[str, Any]:
    properties = {key: value for key, value in entry.properties.items() if key not in ("curated", "version")}
    return {
        "id": f"azureml://registries/{_NAME}/environments/{entry.name}/versions/{version}",
        "name": version,
        "type": f"{PROVIDER}/registries/environments/versions",
        "properties": {"tags": {}, "properties": {}, **properties, "provisioningState": "Succeeded"},
        "systemData": build_system_data(request.server.principal, request.server.started),
    }


def _find_entry(request: ApiRequest) -> CatalogueEntry:
    return _get_environments(request).find_curated(request.get_name())


def _get_environments(request: ApiRequest) -> Environments:
    _check_registry(request)
    return request.server.engine.context.environments


def _check_registry(request: ApiRequest) -> None:
    registry = request.get_name("registry")
    if registry.lower() != _NAME:
        raise NotFound(f"there is no registry '{registry[:100]}' here; smalt has the environments of '{_NAME}'")
