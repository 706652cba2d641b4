"""Environments: those of the workspace, then `host` and the catalogue's, which every workspace has."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from smalt.exceptions import NotFound
from smalt.service.api.arm.asset_collection import AssetCollection, Properties, import_local_path
from smalt.service.api.blob.urls import to_blob_url
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest
from smalt.service.records import assets
from smalt.service.records import environments as uses

_HOST = {"description": "the Python of this machine that the setting host-python names"}
_BUILD = {"dockerfilePath": "Dockerfile"}
"""The defaults of a build; clients get them in answers and send them back."""
_PREFIX = "azureml-"
_ALWAYS = ("azureml_default", "latest", "default")


class _EnvironmentCollection(AssetCollection):
    async def list_containers(self, request: ApiRequest) -> dict[str, Any]:
        """List the workspace's own environments, followed by the built-in ones."""
        view = request.get_query("listViewType", "ActiveOnly")
        own = assets.list_containers(request.server.db, request.workspace.id, "environments", view)
        given = [] if view == "ArchivedOnly" else list_builtin(request)
        taken = {one.name.lower() for one in own}
        found = [*own, *(one for one in given if one.name.lower() not in taken)]
        return build_page(request, found, lambda container: self._render_container(request, container))

    async def list_versions(self, request: ApiRequest) -> dict[str, Any]:
        given = _find_builtin(request)
        if given is None or _is_workspace_own(request):
            return await super().list_versions(request)
        return build_page(request, [given], lambda version: self.render_version(request, version))

    def render_version(self, request: ApiRequest, version: assets.AssetVersion) -> Properties:
        """Return the REST body; over TCP a build context has a blob URL."""
        shape = super().render_version(request, version)
        build = shape["properties"].get("build")
        if isinstance(build, dict):
            uri = build.get("contextUri")
            there = {"contextUri": to_blob_url(request, uri)} if isinstance(uri, str) and not request.is_local else {}
            shape["properties"]["build"] = {**_BUILD, **build, **there}
        return shape

    async def prepare_version(
        self, request: ApiRequest, name: str, version: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """Return the properties to store; a named version's build context is copied, as its folder may change."""
        properties = await super().prepare_version(request, name, version, body)
        build = properties.get("build")
        if not isinstance(build, dict) or properties.get("isAnonymous"):
            return properties
        uri = build.get("contextUri")
        before = assets.get_version(request.server.db, request.workspace.id, self.segment, name, version)
        if before is not None and (before.properties.get("build") or {}).get("contextUri") == uri:
            return properties  # an earlier release registered it by its path
        if isinstance(uri, str) and uri.startswith(("file:", "/")):
            properties["build"] = {**build, "contextUri": await import_local_path(request, uri)}
        return properties

    def _check_same_content(self, name: str, version: str, before: Properties, after: Properties) -> None:
        super()._check_same_content(name, version, _add_build_defaults(before), _add_build_defaults(after))

    def find_container(self, request: ApiRequest) -> assets.AssetContainer:
        given = _find_builtin(request)
        if given is None or _is_workspace_own(request):
            return super().find_container(request)
        return _make_container(request, given.name, given.version)

    def find_version(self, request: ApiRequest, version: str | None, label: str | None) -> assets.AssetVersion:
        try:
            return super().find_version(request, version, label)
        except NotFound:
            given = _find_builtin(request)
            if given is None or (label is not None and label not in _ALWAYS):
                raise
            return replace(given, version=version) if version not in (None, *_ALWAYS) else given  # as a job has it


def _add_build_defaults(properties: Properties) -> Properties:
    build = properties.get("build")
    return {**properties, "build": {**_BUILD, **build}} if isinstance(build, dict) else properties


ENVIRONMENTS = _EnvironmentCollection(
    "environments",
    "environment",
    content=("image", "condaFile", "build", "inferenceConfig", "osType"),
    is_once=True,
    needed=("image", "condaFile", "build"),
)


async def list_built_environments(request: ApiRequest) -> dict[str, Any]:
    """List every environment that is built on this machine, the most recently used first."""
    first = {use.declared_hash: use.job for use in reversed(uses.list_uses(request.server.db))}
    found = await asyncio.to_thread(request.server.engine.context.environments.list_stored)
    return {
        "value": [
            {
                "name": ", ".join(built.names) or None,
                "hash": built.hash,
                "python": built.record.version or None,
                "image": (built.record.container or {}).get("name"),
                "packages": None if built.record.container else len(built.record.packages),
                "size": built.size,
                "built": built.record.built,
                "seconds": round(built.record.seconds, 1),
                "last_used": built.last_used,
                "first_job": first.get(built.hash),
                "relaxed": built.record.relaxed,
            }
            for built in sorted(found, key=lambda built: -built.last_used)
        ]
    }


GLOBAL_ROUTES = [("GET", "/smalt/v1/environments", list_built_environments)]


def _find_builtin(request: ApiRequest) -> assets.AssetVersion | None:
    """Return the built-in environment of the requested name, or None."""
    name = request.get_name()
    found: dict[str, Any] | None
    found = _HOST if name == "host" else request.server.engine.context.environments.lookup_curated(name, None)
    if found is None:
        return None
    properties = {key: value for key, value in found.items() if key not in ("curated", "version", "asked")}
    version = str(found.get("version") or "1")
    since = request.server.started
    return assets.AssetVersion(
        0, "environments", name, version, json.dumps(properties), None, 0, 0, request.server.principal, since, since
    )


def _is_workspace_own(request: ApiRequest) -> bool:
    return (
        assets.find_container(request.server.db, request.workspace.id, "environments", request.get_name()) is not None
    )


def list_builtin(request: ApiRequest) -> list[assets.AssetContainer]:
    """List the built-in environments under the names that a workspace of the service has for them."""
    names = (
        f"AzureML-{name}"
        for name in map(_remove_prefix, request.server.engine.context.environments.list_curated_names())
    )
    return [_make_container(request, name, "1") for name in ("host", *names)]


def _remove_prefix(name: str) -> str:
    return name[len(_PREFIX) :] if name.lower().startswith(_PREFIX) else name


def _make_container(request: ApiRequest, name: str, version: str) -> assets.AssetContainer:
    service = request.server
    return assets.AssetContainer(
        0, "environments", name, "{}", 0, 0, service.principal, service.started, version, version
    )
