"""GET /smalt/v1{WS}/documents/components: the components that a pipeline may be made of, each with its newest version.

The answer is {"value": [{"component", "name", "version", "registry", "type", "title", "description", "category",
"inputs", "outputs"}]}: those of the workspace first, then those of each registry. A step names one by `component`;
`registry` is null for the workspace's own, and `category` is the tag of that name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.api.request import ApiRequest
from smalt.service.records import assets
from smalt.service.registry import Registries, RegistryFolder

KIND = "components"
_SHOWN = ("type", "description", "inputs", "outputs")


async def list_components(request: ApiRequest) -> dict[str, Any]:
    registries: Registries = request.server.engine.context.registries
    shared = await asyncio.to_thread(
        lambda: [one for name in registries.folders for one in _list_shared(registries, registries.find_folder(name))]
    )
    return {"value": [*_list_own(request), *shared]}


def _list_own(request: ApiRequest) -> Iterator[dict[str, Any]]:
    db, workspace = request.server.db, request.workspace
    for container in assets.list_containers(db, workspace.id, KIND):
        latest = assets.find_latest(db, workspace.id, KIND, container.name)
        if latest is not None:
            component = f"azureml:{container.name}:{latest.version}"
            yield _render_component(component, container.name, latest.version, None, latest.properties)


def _list_shared(registries: Registries, folder: RegistryFolder) -> Iterator[dict[str, Any]]:
    """Yield the components of a registry; one whose files cannot be read is left out, and said where it is used."""
    try:
        names = folder.list_names(KIND)
    except SmaltError:
        return
    for name in names:
        try:
            found = folder.find_version(KIND, name)
            properties = registries.read_properties(folder.registry, found)
        except SmaltError:
            continue
        component = f"azureml://registries/{folder.registry}/components/{name}/versions/{found.version}"
        yield _render_component(component, name, found.version, folder.registry, properties)


def _render_component(
    component: str, name: str, version: str, registry: str | None, properties: Mapping[str, Any]
) -> dict[str, Any]:
    spec = properties.get("componentSpec")
    spec = spec if isinstance(spec, Mapping) else {}
    tags = {**(spec.get("tags") or {}), **(properties.get("tags") or {})}
    return {
        "component": component,
        "name": name,
        "version": version,
        "registry": registry,
        "title": spec.get("display_name") or name,
        "category": tags.get("category"),
        "tags": tags,
        **{key: spec.get(key) for key in _SHOWN},
        "description": properties.get("description") or spec.get("description"),
    }


ROUTES = [("GET", "/documents/components", list_components)]
