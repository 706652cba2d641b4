"""GET /smalt/v1{WS}/documents/components?folder=: the components that a pipeline may be made of, each with its newest
version.

The answer is {"value": [{"component", "name", "version", "registry", "file", "type", "title", "description",
"category", "inputs", "outputs"}]}: files of the `folder` (below the setting `studio-folder`) and of its folders, where
one is given, then those of the workspace, then those of each registry. A step names one by `component`. `registry` is
null for others than a registry's, `file` is the path below the setting's folder or null, and `category` is the tag of
that name.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from smalt.exceptions import SmaltError
from smalt.service.api.drafts.document_checks import convert_to_json
from smalt.service.api.drafts.document_folder import get_root, resolve_folder
from smalt.service.api.drafts.folder_files import SUFFIXES
from smalt.service.api.request import ApiRequest
from smalt.service.records import assets
from smalt.service.records.database import Database
from smalt.service.registry import Registries, RegistryFolder
from smalt.yaml.document import Document

KIND = "components"
_SHOWN = ("type", "description")
_MOST_FILES = 300
_LARGEST_FILE = 200_000


async def list_components(request: ApiRequest) -> dict[str, Any]:
    registries: Registries = request.server.engine.context.registries
    shared = await asyncio.to_thread(
        lambda: [one for name in registries.folders for one in _list_shared(registries, registries.find_folder(name))]
    )
    folder = request.query_params.get("folder")
    files: list[dict[str, Any]] = []
    if folder is not None:
        root, place = get_root(request), resolve_folder(request, folder)
        files = await asyncio.to_thread(lambda: list(_list_files(root, place)))
    own = await asyncio.to_thread(_list_own, request.server.db, request.workspace.id)
    return {"value": [*files, *own, *shared]}


def _list_files(root: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the component files of a folder and of the folders in it, links left out."""
    seen = 0
    for place, folders, names in os.walk(folder):
        is_deepest = Path(place) != folder
        folders[:] = [] if is_deepest else sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if not name.lower().endswith(SUFFIXES) or path.is_symlink():
                continue
            seen += 1
            if seen > _MOST_FILES:
                return
            spec = _read_component(path)
            if spec is not None:
                shown = f"./{path.relative_to(folder)}"
                rendered = _render_component(
                    shown,
                    str(spec.get("name") or path.stem),
                    str(spec.get("version") or ""),
                    None,
                    {"componentSpec": spec},
                )
                yield {**rendered, "file": str(path.relative_to(root))}


def _read_component(path: Path) -> Mapping[str, Any] | None:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            return None
        data = Document(path.read_bytes()).data
    except OSError:
        return None
    if not isinstance(data, Mapping) or not isinstance(data.get("type", "command"), str):
        return None
    schema = str(data.get("$schema") or "").lower()
    is_component = "component" in schema if schema else "name" in data and "version" in data
    has_body = any(key in data for key in ("command", "jobs", "trial", "task", "code"))
    return data if is_component and has_body else None


def _list_own(db: Database, workspace_id: int) -> list[dict[str, Any]]:
    """Return the components of the workspace, read by a connection of its own: there may be many."""
    with db.open_reader() as reader:
        names = [container.name for container in assets.list_containers(reader, workspace_id, KIND)]
        newest = filter(None, (assets.find_latest(reader, workspace_id, KIND, name) for name in names))
        return [
            _render_component(f"azureml:{one.name}:{one.version}", one.name, one.version, None, one.properties)
            for one in newest
        ]


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
    tags = {**_get_mapping(spec, "tags"), **_get_mapping(properties, "tags")}
    rendered: dict[str, Any] = convert_to_json(
        {
            "component": component,
            "name": name,
            "version": version,
            "registry": registry,
            "file": None,
            "title": spec.get("display_name") or name,
            "category": tags.get("category"),
            "tags": tags,
            **{key: spec.get(key) for key in _SHOWN},
            "inputs": _get_mapping(spec, "inputs"),
            "outputs": _get_mapping(spec, "outputs"),
            "description": properties.get("description") or spec.get("description"),
        }
    )
    return rendered


def _get_mapping(given: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = given.get(key)
    return found if isinstance(found, Mapping) else {}


ROUTES = [("GET", "/documents/components", list_components)]
