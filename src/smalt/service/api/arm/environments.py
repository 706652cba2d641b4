"""Environments: those of the workspace, then `host` and the catalogue's, which every workspace has."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

from smalt.exceptions import NotFound
from smalt.service.api.arm.asset_collection import Collection, Properties, imported
from smalt.service.api.blob.urls import shown
from smalt.service.api.pagination import page
from smalt.service.api.request import Call
from smalt.service.records import assets
from smalt.service.records import environments as uses

_HOST = {"description": "the Python of this machine that the setting host-python names"}
_BUILD = {"dockerfilePath": "Dockerfile"}
"""What is meant where nothing is said; clients are told it, and send it back."""
_PREFIX = "azureml-"
_ALWAYS = ("azureml_default", "latest", "default")


class _Environments(Collection):
    async def list_containers(self, call: Call) -> dict[str, Any]:
        """List the workspace's own, and after them those that every workspace has."""
        view = call.query("listViewType", "ActiveOnly")
        own = assets.list_containers(call.service.db, call.workspace.id, "environments", view)
        given = [] if view == "ArchivedOnly" else _every_given(call)
        taken = {one.name.lower() for one in own}
        found = [*own, *(one for one in given if one.name.lower() not in taken)]
        return page(call, found, lambda container: self._container(call, container))

    async def list_versions(self, call: Call) -> dict[str, Any]:
        given = _given(call)
        if given is None or _is_own(call):
            return await super().list_versions(call)
        return page(call, [given], lambda version: self.version(call, version))

    def version(self, call: Call, version: assets.AssetVersion) -> Properties:
        """Over TCP a build context has a URL, of blobs."""
        shape = super().version(call, version)
        build = shape["properties"].get("build")
        if isinstance(build, dict):
            uri = build.get("contextUri")
            there = {"contextUri": shown(call, uri)} if isinstance(uri, str) and not call.is_local else {}
            shape["properties"]["build"] = {**_BUILD, **build, **there}
        return shape

    async def prepared(self, call: Call, name: str, version: str, body: dict[str, Any]) -> dict[str, Any]:
        """Keep the build context of a version that has a name: its folder may be edited or removed tomorrow."""
        properties = await super().prepared(call, name, version, body)
        build = properties.get("build")
        if not isinstance(build, dict) or properties.get("isAnonymous"):
            return properties
        uri = build.get("contextUri")
        before = assets.get_version(call.service.db, call.workspace.id, self.segment, name, version)
        if before is not None and (before.properties.get("build") or {}).get("contextUri") == uri:
            return properties  # an earlier release registered it by its path
        if isinstance(uri, str) and uri.startswith(("file:", "/")):
            properties["build"] = {**build, "contextUri": await imported(call, uri)}
        return properties

    def _check_same(self, name: str, version: str, before: Properties, after: Properties) -> None:
        super()._check_same(name, version, _whole(before), _whole(after))

    def existing(self, call: Call) -> assets.AssetContainer:
        given = _given(call)
        if given is None or _is_own(call):
            return super().existing(call)
        return _container(call, given.name, given.version)

    def find(self, call: Call, version: str | None, label: str | None) -> assets.AssetVersion:
        try:
            return super().find(call, version, label)
        except NotFound:
            given = _given(call)
            if given is None or (label is not None and label not in _ALWAYS):
                raise
            return replace(given, version=version) if version not in (None, *_ALWAYS) else given  # as a job has it


def _whole(properties: Properties) -> Properties:
    build = properties.get("build")
    return {**properties, "build": {**_BUILD, **build}} if isinstance(build, dict) else properties


ENVIRONMENTS = _Environments(
    "environments",
    "environment",
    content=("image", "condaFile", "build", "inferenceConfig", "osType"),
    is_once=True,
    needed=("image", "condaFile", "build"),
)


async def list_built(call: Call) -> dict[str, Any]:
    """Every environment that is built on this machine, the last used first."""
    first = {use.declared_hash: use.job for use in reversed(uses.list_uses(call.service.db))}
    found = await asyncio.to_thread(call.service.engine.rooms.environments.list)
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


GLOBAL_ROUTES = [("GET", "/smalt/v1/environments", list_built)]


def _given(call: Call) -> assets.AssetVersion | None:
    """The environment of that name which nobody has to create."""
    name = call.name()
    found: dict[str, Any] | None
    found = _HOST if name == "host" else call.service.engine.rooms.environments.lookup_curated(name, None)
    if found is None:
        return None
    properties = {key: value for key, value in found.items() if key not in ("curated", "version", "asked")}
    version = str(found.get("version") or "1")
    since = call.service.started
    return assets.AssetVersion(
        0, "environments", name, version, json.dumps(properties), None, 0, 0, call.service.principal, since, since
    )


def _is_own(call: Call) -> bool:
    return assets.find_container(call.service.db, call.workspace.id, "environments", call.name()) is not None


def _every_given(call: Call) -> list[assets.AssetContainer]:
    """Return what nobody has to create, under the names that a workspace of the service has for them."""
    names = (f"AzureML-{name}" for name in map(_plain, call.service.engine.rooms.environments.curated_names()))
    return [_container(call, name, "1") for name in ("host", *names)]


def _plain(name: str) -> str:
    return name[len(_PREFIX) :] if name.lower().startswith(_PREFIX) else name


def _container(call: Call, name: str, version: str) -> assets.AssetContainer:
    service = call.service
    return assets.AssetContainer(
        0, "environments", name, "{}", 0, 0, service.principal, service.started, version, version
    )
