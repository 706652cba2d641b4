"""What the collections of versioned assets share: containers, versions, labels, archiving."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from smalt import wire
from smalt.entities.schema.problems import listed
from smalt.exceptions import Conflict, NotFound, Refused, ValidationException
from smalt.service.api.blob.urls import canonical
from smalt.service.api.pagination import page
from smalt.service.api.request import Call, Reply
from smalt.service.api.rest_shapes import properties_of, resource_id, resource_type, system_data
from smalt.service.api.router import Handler
from smalt.service.engine.submission.pins import Pinner
from smalt.service.records import assets, pins
from smalt.wire.encoding.casing import snake

Properties = dict[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}")
_LATEST = "latest"
_DEFAULT_VERSION = "azureml_default"
_ADDED = ("provisioningState", "latestVersion", "nextVersion")
NEXT = "next"
"""The query by which a client leaves the version to the server: that of the path is what it expects."""
_WORDS = {"dataUri": "path", "modelUri": "path", "dataType": "type", "modelType": "type"}
"""As users call it."""


@dataclass(frozen=True)
class Collection:
    """One kind of versioned asset."""

    segment: str
    """Of the path, and of the records: "data", "components", …"""
    kind: str
    """The entities' word for one: "data", "component", …"""
    content: tuple[str, ...]
    """The properties that make a version what it is, and never change."""
    defaults: Callable[[], Properties] = dict
    """Properties that clients insist on."""
    comparable: Callable[[Properties], Any] = lambda properties: None
    """What else must stay the same."""
    uri: str = ""
    """The property that may name a local path, whose content is then kept here."""
    type: str = ""
    """The property that tells the container's type."""
    needed: tuple[str, ...] = ()
    """The properties of which a new version has at least one: there is nothing in it otherwise."""
    is_once: bool = False
    """Whether the same content without a version is the latest version, and not a new one."""

    def routes(self) -> list[tuple[str, str, Handler]]:
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

    async def list_containers(self, call: Call) -> Properties:
        view = call.query("listViewType", "ActiveOnly")
        found = assets.list_containers(call.service.db, call.workspace.id, self.segment, view)
        return page(call, found, lambda container: self._container(call, container))

    async def get_container(self, call: Call) -> Properties:
        return self._container(call, self.existing(call))

    async def put_container(self, call: Call) -> Reply:
        check_name(call.name())
        sent = properties_of(await call.object())
        properties = {key: value for key, value in sent.items() if key not in _ADDED}
        db, workspace = call.service.db, call.workspace
        existed = assets.find_container(db, workspace.id, self.segment, call.name()) is not None
        assets.put_container(db, workspace.id, self.segment, call.name(), properties, call.principal)
        return Reply(self._container(call, self.existing(call)), 200 if existed else 201)

    async def list_versions(self, call: Call) -> Properties:
        view = call.query("listViewType", "ActiveOnly")
        found = assets.list_versions(call.service.db, call.workspace.id, self.segment, call.name(), view)
        return page(call, found, lambda version: self.version(call, version))

    async def get_version(self, call: Call) -> Properties:
        return self.version(call, self.find(call, call.name("version"), None))

    async def get_label(self, call: Call) -> Properties:
        return self.version(call, self.find(call, None, call.name("label")))

    async def put_version(self, call: Call) -> Reply:
        name, version = call.name(), call.name("version")
        properties = await self.prepared(call, name, version, await call.object())
        if call.flag(NEXT):
            version = self._next(call, name, properties)
        existed = self.store(call, name, version, properties)
        found = assets.find_version(call.service.db, call.workspace.id, self.segment, name, version, None)
        return Reply(self.version(call, found), 200 if existed else 201)

    async def prepared(self, call: Call, name: str, version: str, body: Properties) -> Properties:
        """The properties to keep, checked; a local path has become content of the home."""
        check_name(name)
        check_name(version, "version")
        sent = {key: value for key, value in properties_of(body).items() if key not in _ADDED}
        properties: Properties = canonical(call, sent)
        if not self._is_known(call, name, version, properties):
            whole = {**body, "name": name, "version": version, "properties": properties}
            wire.from_rest(whole, self.kind, is_new=True)
        uri = properties.get(self.uri)
        if isinstance(uri, str) and (uri.startswith(("file:", "/"))):
            properties[self.uri] = await imported(call, uri)
        return properties

    def store(self, call: Call, name: str, version: str, properties: Properties) -> bool:
        """Create or update, where the update changes nothing of the content; whether it was there."""
        db, workspace = call.service.db, call.workspace
        before = assets.get_version(db, workspace.id, self.segment, name, version)
        if before is not None and before.properties == properties:
            return True
        if before is None:
            self._refuse_archived(call, name)
            self._refuse_empty(name, version, properties)
        known = pins.get_version_pins(db, before) if before is not None else None
        pinner = Pinner(call.service.engine.rooms, workspace, known)
        properties = self.fixed(pinner, properties)
        if before is not None:
            if not any(key in properties for key in self.content):  # only what describes it is sent
                kept = {key: value for key, value in before.properties.items() if key in self.content}
                properties = {**kept, **properties}
            self._check_same(name, version, before.properties, properties)
        if before is None or before.properties != properties:
            assets.put_version(db, workspace.id, self.segment, name, version, properties, call.principal)
        if pinner.fixed and not known:
            now = assets.find_version(db, workspace.id, self.segment, name, version, None)
            pins.put_version_pins(db, workspace.id, now, pinner.fixed)
        return before is not None

    def _refuse_empty(self, name: str, version: str, properties: Properties) -> None:
        if self.needed and not any(properties.get(key) for key in self.needed):
            noun = "data asset" if self.kind == "data" else self.kind
            words = listed([f"'{_WORDS.get(key, snake(key))}'" for key in self.needed])
            raise ValidationException(
                f"{noun} '{name}:{version}' was not registered, as it has no content: give {words}"
            )

    def fixed(self, pinner: Pinner, properties: Properties) -> Properties:
        """The properties with a version for each thing that they name without one: they mean the same for ever."""
        uri = properties.get(self.uri)
        if not isinstance(uri, str):
            return properties
        return {**properties, self.uri: pinner.fix("data", uri, str(properties.get(self.type or "modelType")))}

    def _next(self, call: Call, name: str, properties: Properties) -> str:
        """Choose the version where the client leaves that to the server; nothing else may happen until it is stored.

        What is registered only once is the latest version where that is the same.
        """
        db, workspace = call.service.db, call.workspace
        container = assets.find_container(db, workspace.id, self.segment, name)
        latest = assets.find_latest(db, workspace.id, self.segment, name) if self.is_once else None
        fixed = self.fixed(Pinner(call.service.engine.rooms, workspace, None), properties) if latest else properties
        if latest and latest.properties == _with_version(fixed, latest.version):
            version = latest.version
        else:
            version = container.next_version if container else "1"
        properties.update(_with_version(properties, version))
        return version

    def version(self, call: Call, version: assets.AssetVersion) -> Properties:
        """The REST shape of one version."""
        id = f"{resource_id(call.workspace, self.segment, version.name)}/versions/{version.version}"
        return {
            "id": id,
            "name": version.version,
            "type": f"{resource_type(self.segment)}/versions",
            "properties": {
                "tags": {},
                "properties": {},
                "isAnonymous": False,
                **self.defaults(),
                **version.properties,
                "isArchived": bool(version.is_archived),
                "provisioningState": "Succeeded",
            },
            "systemData": system_data(version.created_by, version.created_at, version.modified_at),
        }

    def _container(self, call: Call, container: assets.AssetContainer) -> Properties:
        db, workspace = call.service.db, call.workspace
        properties = {"tags": {}, "properties": {}, **json.loads(container.body)}
        latest = assets.find_latest(db, workspace.id, self.segment, container.name)
        if latest and self.type:
            properties[self.type] = latest.properties.get(self.type)
        return {
            "id": resource_id(workspace, self.segment, container.name),
            "name": container.name,
            "type": resource_type(self.segment),
            "properties": {
                **properties,
                "isArchived": bool(container.is_archived),
                "latestVersion": container.latest_version,
                "nextVersion": container.next_version,
                "provisioningState": "Succeeded",
            },
            "systemData": system_data(container.created_by, container.created_at),
        }

    def existing(self, call: Call) -> assets.AssetContainer:
        found = assets.find_container(call.service.db, call.workspace.id, self.segment, call.name())
        if found is None:
            raise NotFound(
                f"there is no {'data asset' if self.kind == 'data' else self.kind} '{call.name()[:100]}' in workspace "
                f"'{call.workspace.name}'; see: smalt {self.kind} list"
            )
        return found

    def find(self, call: Call, version: str | None, label: str | None) -> assets.AssetVersion:
        if version == _DEFAULT_VERSION:
            version = None
        return assets.find_version(call.service.db, call.workspace.id, self.segment, call.name(), version, label)

    def _is_known(self, call: Call, name: str, version: str, properties: Properties) -> bool:
        """The same content was checked before; what a client sends again and again costs nothing."""
        before = assets.get_version(call.service.db, call.workspace.id, self.segment, name, version)
        return before is not None and before.properties == properties

    def _refuse_archived(self, call: Call, name: str) -> None:
        whole = assets.find_container(call.service.db, call.workspace.id, self.segment, name)
        if whole is not None and whole.is_archived:
            raise Conflict(
                f"{self.kind} '{name}' is archived, so a new version would be hidden; restore it with "
                f"'smalt {self.kind} restore --name {name}', or use another name"
            )

    def _check_same(self, name: str, version: str, before: Properties, after: Properties) -> None:
        changed = [_WORDS.get(key, snake(key)) for key in self.content if before.get(key) != after.get(key)]
        one, other = self.comparable(before), self.comparable(after)
        if isinstance(one, dict) and isinstance(other, dict):
            changed += [str(key) for key in {**one, **other} if one.get(key) != other.get(key)]
        if changed or one != other:
            words = listed(map(repr, changed), "and") if changed else "content"
            raise Conflict(
                f"{self.kind} '{name}:{version}' exists already with another {words}, which cannot be changed; "
                "create another version"
            )


def _with_version(properties: Properties, version: str) -> Properties:
    """The properties, where they say the version, too, with that one."""
    spec = properties.get("componentSpec")
    return {**properties, "componentSpec": {**spec, "version": version}} if isinstance(spec, dict) else properties


def check_name(name: str, what: str = "name") -> None:
    if what == "version" and name == _LATEST:
        raise ValidationException(
            f"'{name}' is a label, which moves from version to version, and cannot be a version; leave the version "
            "out for the next number"
        )
    if not _NAME.fullmatch(name):
        raise ValidationException(
            f"'{name[:100]}' cannot be the {what} of an asset; use at most 255 letters, digits, '-', '_' and '.'"
        )


async def imported(call: Call, uri: str) -> str:
    """Keep what is at a path of this machine; only those who read its files themselves may ask for it."""
    if not call.is_local:
        raise Refused(f"{uri} is a path of the server's machine; upload the data and name its azureml:// URI")
    path = unquote(uri.removeprefix("file:").removeprefix("//")) if uri.startswith("file:") else uri
    kept = await asyncio.to_thread(call.service.data.import_local, path, call.workspace)
    place = str(call.service.data.resolve(kept, call.workspace).path)
    await call.service.engine.rooms.intact.note(place, is_named=True)
    return kept
