"""The handlers of the registry `azureml`, as far as it is here: its environments are the catalogue's."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import NotFound
from smalt.service.api.pagination import page
from smalt.service.api.request import Call
from smalt.service.api.rest_shapes import system_data
from smalt.service.environments.environments import Environments
from smalt.service.environments.resolution.curated_environments import Entry
from smalt.wire.encoding.ids import PROVIDER

_NAME = "azureml"


async def list_environments(call: Call) -> dict[str, Any]:
    found = _environments(call).catalogue()
    return page(call, found, lambda entry: _container(call, entry))


async def get_environment(call: Call) -> dict[str, Any]:
    return _container(call, _entry(call))


async def list_versions(call: Call) -> dict[str, Any]:
    entry = _entry(call)
    return page(call, [entry], lambda entry: _version(call, entry, entry.version))


async def get_version(call: Call) -> dict[str, Any]:
    """The catalogue holds one version of each, which answers for every one, as it does when a job names it."""
    return _version(call, _entry(call), call.name("version"))


def _container(call: Call, entry: Entry) -> dict[str, Any]:
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
        "systemData": system_data(call.service.principal, call.service.started),
    }


def _version(call: Call, entry: Entry, version: str) -> dict[str, Any]:
    properties = {key: value for key, value in entry.properties.items() if key not in ("curated", "version")}
    return {
        "id": f"azureml://registries/{_NAME}/environments/{entry.name}/versions/{version}",
        "name": version,
        "type": f"{PROVIDER}/registries/environments/versions",
        "properties": {"tags": {}, "properties": {}, **properties, "provisioningState": "Succeeded"},
        "systemData": system_data(call.service.principal, call.service.started),
    }


def _entry(call: Call) -> Entry:
    return _environments(call).find_curated(call.name())


def _environments(call: Call) -> Environments:
    _check(call)
    return call.service.engine.rooms.environments


def _check(call: Call) -> None:
    registry = call.name("registry")
    if registry.lower() != _NAME:
        raise NotFound(f"there is no registry '{registry[:100]}' here; smalt has the environments of '{_NAME}'")
