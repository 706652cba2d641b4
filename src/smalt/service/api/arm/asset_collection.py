"""The handlers that all versioned assets share: containers, versions, labels, archiving."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from smalt import wire
from smalt.entities.schema.problems import join_words
from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.service.api.blob.urls import convert_urls
from smalt.service.api.pagination import build_page
from smalt.service.api.request import ApiRequest, ApiResponse
from smalt.service.api.rest_shapes import build_resource_id, build_system_data, get_properties, get_resource_type
from smalt.service.api.router import Handler
from smalt.service.api.studio.links import build_page_link
from smalt.service.engine.submission.pins import Pinner
from smalt.service.records import assets, pins
from smalt.service.registry.folder import check_name
from smalt.wire.encoding.casing import to_snake

Properties = dict[str, Any]

_LATEST = "latest"
_DEFAULT_VERSION = "azureml_default"
_ADDED = ("provisioningState", "latestVersion", "nextVersion")
NEXT = "next"
"""The query by which a client leaves the version to the server: that of the path is what it expects."""
_WORDS = {"dataUri": "path", "modelUri": "path", "dataType": "type", "modelType": "type"}
"""The users' names of these properties."""


@dataclass(frozen=True)
class AssetCollection:
    """The routes of one kind of versioned asset."""

    segment: str
    """The name of the kind in paths and records: "data", "components", …"""
    kind: str
    """The entities' word for one: "data", "component", …"""
    content: tuple[str, ...]
    """The properties that make a version what it is, and never change."""
    defaults: Callable[[], Properties] = dict
    """Properties that clients insist on."""
    comparable: Callable[[Properties], Any] = lambda properties: None
    """Returns further content that must stay the same."""
    uri: str = ""
    """The property that may name a local path, whose content is then kept here."""
    type: str = ""
    """The property that tells the container's type."""
    needed: tuple[str, ...] = ()
    """The properties of which a new version has at least one: there is nothing in it otherwise."""
    is_once: bool = False
    """True if equal content, sent without a version, is the latest version instead of a new one."""

    def list_routes(self) -> list[tuple[str, str, Handler]]:
        one = f"/{self.segment}/{{name}}"
        return [
            ("GET", f"/{self.segment}", self.list_containers),
            ("GET", one, self.get_container),
            ("PUT", one, self.put_container),
            ("GET", f"{one}/versions", self.list_versions),
            ("GET", f"{one}/versions/{{version}}", self.get_version),
            ("PUT", f"{one}/versions/{{version}}", self.put_version),
            ("GET", f"{one}/labels/{{label}}", self.get_label),
        ]

    async def list_containers(self, request: ApiRequest) -> Properties:
        view = request.get_query("listViewType", "ActiveOnly")
        found = assets.list_containers(request.server.db, request.workspace.id, self.segment, view)
        return build_page(request, found, lambda container: self._render_container(request, container))

    async def get_container(self, request: ApiRequest) -> Properties:
        return self._render_container(request, self.find_container(request))

    async def put_container(self, request: ApiRequest) -> ApiResponse:
        check_asset_name(request.get_name())
        sent = get_properties(await request.read_object())
        properties = {key: value for key, value in sent.items() if key not in _ADDED}
        db, workspace = request.server.db, request.workspace
        existed = assets.find_container(db, workspace.id, self.segment, request.get_name()) is not None
        assets.put_container(db, workspace.id, self.segment, request.get_name(), properties, request.principal)
        return ApiResponse(self._render_container(request, self.find_container(request)), 200 if existed else 201)

    async def list_versions(self, request: ApiRequest) -> Properties:
        view = request.get_query("listViewType", "ActiveOnly")
        found = assets.list_versions(request.server.db, request.workspace.id, self.segment, request.get_name(), view)
        return build_page(request, found, lambda version: self.render_version(request, version))

    async def get_version(self, request: ApiRequest) -> Properties:
        return self.render_version(request, self.find_version(request, request.get_name("version"), None))

    async def get_label(self, request: ApiRequest) -> Properties:
        return self.render_version(request, self.find_version(request, None, request.get_name("label")))

    async def put_version(self, request: ApiRequest) -> ApiResponse:
        return await self.put_body(request, await request.read_object())

    async def put_body(self, request: ApiRequest, body: Properties) -> ApiResponse:
        """Store a version that a request has in its body."""
        name, version = request.get_name(), request.get_name("version")
        properties = await self.prepare_version(request, name, version, body)
        if request.get_flag(NEXT):
            version = self._choose_next_version(request, name, properties)
        existed = self.store_version(request, name, version, properties)
        found = assets.find_version(request.server.db, request.workspace.id, self.segment, name, version, None)
        return ApiResponse(self.render_version(request, found), 200 if existed else 201)

    async def prepare_version(self, request: ApiRequest, name: str, version: str, body: Properties) -> Properties:
        """Return the checked properties to store; content at a local path has been copied into the home."""
        check_asset_name(name)
        check_asset_name(version, "version")
        sent = {key: value for key, value in get_properties(body).items() if key not in _ADDED}
        properties: Properties = convert_urls(request, sent)
        if not self._is_unchanged(request, name, version, properties):
            whole = {**body, "name": name, "version": version, "properties": properties}
            wire.from_rest(whole, self.kind, is_new=True)
        uri = properties.get(self.uri)
        if isinstance(uri, str) and (uri.startswith(("file:", "/"))):
            properties[self.uri] = await import_local_path(request, uri)
        return properties

    def store_version(self, request: ApiRequest, name: str, version: str, properties: Properties) -> bool:
        """Create the version, or update what describes it; return True if it existed."""
        db, workspace = request.server.db, request.workspace
        before = assets.get_version(db, workspace.id, self.segment, name, version)
        if before is not None and before.properties == properties:
            return True
        if before is None:
            self._refuse_archived(request, name)
            self._refuse_empty(name, version, properties)
        known = pins.get_version_pins(db, before) if before is not None else None
        pinner = Pinner(request.server.engine.context, workspace, known)
        properties = self.resolve_references(pinner, properties)
        if before is not None:
            if not any(key in properties for key in self.content):  # only what describes it is sent
                kept = {key: value for key, value in before.properties.items() if key in self.content}
                properties = {**kept, **properties}
            self._check_same_content(name, version, before.properties, properties)
        if before is None or before.properties != properties:
            assets.put_version(db, workspace.id, self.segment, name, version, properties, request.principal)
        if pinner.fixed and not known:
            now = assets.find_version(db, workspace.id, self.segment, name, version, None)
            pins.put_version_pins(db, workspace.id, now, pinner.fixed)
        return before is not None

    def _refuse_empty(self, name: str, version: str, properties: Properties) -> None:
        if self.needed and not any(properties.get(key) for key in self.needed):
            noun = "data asset" if self.kind == "data" else self.kind
            words = join_words([f"'{_WORDS.get(key, to_snake(key))}'" for key in self.needed])
            raise ValidationException(
                f"{noun} '{name}:{version}' was not registered, as it has no content: give {words}"
            )

    def resolve_references(self, pinner: Pinner, properties: Properties) -> Properties:
        """Return the properties with a version for each reference that has none, so that they keep their meaning."""
        uri = properties.get(self.uri)
        if not isinstance(uri, str):
            return properties
        return {
            **properties,
            self.uri: pinner.resolve_reference("data", uri, str(properties.get(self.type or "modelType"))),
        }

    def _choose_next_version(self, request: ApiRequest, name: str, properties: Properties) -> str:
        """Return the version to store where the client leaves the choice to the server.

        If the collection registers equal content once, that is the latest version when the content is equal. The
        version must be stored before anything else is awaited.
        """
        db, workspace = request.server.db, request.workspace
        container = assets.find_container(db, workspace.id, self.segment, name)
        latest = assets.find_latest(db, workspace.id, self.segment, name) if self.is_once else None
        fixed = (
            self.resolve_references(Pinner(request.server.engine.context, workspace, None), properties)
            if latest
            else properties
        )
        if latest and latest.properties == _set_version(fixed, latest.version):
            version = latest.version
        else:
            version = container.next_version if container else "1"
        properties.update(_set_version(properties, version))
        return version

    def render_version(self, request: ApiRequest, version: assets.AssetVersion) -> Properties:
        """Return the REST body of one version."""
        id = f"{build_resource_id(request.workspace, self.segment, version.name)}/versions/{version.version}"
        return {
            "id": id,
            "name": version.version,
            "type": f"{get_resource_type(self.segment)}/versions",
            "properties": {
                "tags": {},
                "properties": {},
                "isAnonymous": False,
                **self.defaults(),
                **version.properties,
                "isArchived": bool(version.is_archived),
                "provisioningState": "Succeeded",
            },
            "systemData": build_system_data(version.created_by, version.created_at, version.modified_at),
            **build_page_link(request.server_url, request.workspace, self.segment, version.name, version.version),
        }

    def _render_container(self, request: ApiRequest, container: assets.AssetContainer) -> Properties:
        db, workspace = request.server.db, request.workspace
        properties = {"tags": {}, "properties": {}, **json.loads(container.body)}
        latest = assets.find_latest(db, workspace.id, self.segment, container.name)
        if latest and self.type:
            properties[self.type] = latest.properties.get(self.type)
        return {
            "id": build_resource_id(workspace, self.segment, container.name),
            "name": container.name,
            "type": get_resource_type(self.segment),
            "properties": {
                **properties,
                "isArchived": bool(container.is_archived),
                "latestVersion": container.latest_version,
                "nextVersion": container.next_version,
                "provisioningState": "Succeeded",
            },
            "systemData": build_system_data(container.created_by, container.created_at),
            **build_page_link(request.server_url, workspace, self.segment, container.name),
        }

    def find_container(self, request: ApiRequest) -> assets.AssetContainer:
        name, noun = request.get_name(), "data asset" if self.kind == "data" else self.kind
        found = assets.find_container(request.server.db, request.workspace.id, self.segment, name)
        if found is None:
            raise NotFound(
                f"there is no {noun} '{name[:100]}' in workspace '{request.workspace.name}'; "
                f"see: smalt {self.kind} list"
            )
        return found

    def find_version(self, request: ApiRequest, version: str | None, label: str | None) -> assets.AssetVersion:
        if version == _DEFAULT_VERSION:
            version = None
        return assets.find_version(
            request.server.db, request.workspace.id, self.segment, request.get_name(), version, label
        )

    def creates_version(self, request: ApiRequest, name: str, version: str) -> bool:
        """True if the request makes a new version: where the server chooses it, `version` is only what was expected."""
        there = assets.get_version(request.server.db, request.workspace.id, self.segment, name, version)
        return there is None or request.get_flag(NEXT)

    def _is_unchanged(self, request: ApiRequest, name: str, version: str, properties: Properties) -> bool:
        """True if the version exists with these properties: they were checked then, and repeated requests stay
        cheap."""
        before = assets.get_version(request.server.db, request.workspace.id, self.segment, name, version)
        return before is not None and before.properties == properties

    def _refuse_archived(self, request: ApiRequest, name: str) -> None:
        whole = assets.find_container(request.server.db, request.workspace.id, self.segment, name)
        if whole is not None and whole.is_archived:
            raise Conflict(
                f"{self.kind} '{name}' is archived, so a new version would be hidden; restore it with "
                f"'smalt {self.kind} restore --name {name}', or use another name"
            )

    def _check_same_content(self, name: str, version: str, before: Properties, after: Properties) -> None:
        changed = [_WORDS.get(key, to_snake(key)) for key in self.content if before.get(key) != after.get(key)]
        one, other = self.comparable(before), self.comparable(after)
        if isinstance(one, dict) and isinstance(other, dict):
            changed += [str(key) for key in {**one, **other} if one.get(key) != other.get(key)]
        if changed or one != other:
            words = join_words(map(repr, changed), "and") if changed else "content"
            raise Conflict(
                f"{self.kind} '{name}:{version}' exists already with another {words}, which cannot be changed; "
                "create another version"
            )


def _set_version(properties: Properties, version: str) -> Properties:
    """Return the properties with the version in their component specification, if they have one."""
    spec = properties.get("componentSpec")
    return {**properties, "componentSpec": {**spec, "version": version}} if isinstance(spec, dict) else properties


def check_asset_name(name: str, what: str = "name") -> None:
    if what == "version" and name == _LATEST:
        raise ValidationException(
            f"'{name}' is a label, which moves from version to version, and cannot be a version; leave the version "
            "out for the next number"
        )
    check_name(name, what)


async def import_local_path(request: ApiRequest, uri: str) -> str:
    """Copy the content of a path of this machine into the home and return its URI.

    Only callers over the Unix socket may name such a path.
    """
    if not request.is_local:
        raise RefusedError(f"{uri} is a path of the server's machine; upload the data and name its azureml:// URI")
    path = unquote(uri.removeprefix("file:").removeprefix("//")) if uri.startswith("file:") else uri
    kept = await asyncio.to_thread(request.server.data.import_local, path, request.workspace)
    place = str(request.server.data.resolve(kept, request.workspace).path)
    await request.server.engine.context.intact.record_stamp(place, is_named=True)
    return kept
