"""Assets read from the files of a registry, as a workspace stores them."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import quote

from smalt import wire, yaml
from smalt.entities.syntax.references import LocalPath, parse_uri
from smalt.exceptions import RefusedError, ValidationException
from smalt.service.records.workspaces import Workspace
from smalt.service.registry.folder import NOUNS, RegistryAsset
from smalt.service.registry.workspace_assets import Properties, WorkspaceAssets
from smalt.wire.encoding.codec import Writing
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT


def read_entity(found: RegistryAsset) -> Any:
    """Return the asset as it was written, with the name and version of its folders."""
    read = yaml.load(found.document, NOUNS[found.kind])
    for key in ("name", "version"):
        wanted = getattr(found, key)
        if getattr(read, key) not in (None, wanted):
            raise ValidationException(
                f"{found.document}: '{key}' is {getattr(read, key)}, and the folder says {wanted}; make them the same"
            )
        setattr(read, key, wanted)
    return read


def read_properties(found: RegistryAsset, references: FileUriRefs) -> Properties:
    """Return the REST properties of an asset; `references` decides how its local paths are named."""
    made: Properties = wire.to_rest(read_entity(found), references)["properties"]
    return {**made, "isArchived": found.archived}


class FileUriRefs(wire.AsWritten):
    """Local content is named by its file: URI and stays in place."""

    def code(self, path: str) -> str:
        return self.stored(path, None)

    def data(self, path: str, type: str | None) -> str:
        return self.stored(path, None)

    def stored(self, path: str, datastore: str | None) -> str:
        place = parse_uri(path)
        return f"file://{quote(os.path.abspath(place.path))}" if isinstance(place, LocalPath) else path


class AssetIdRefs(FileUriRefs):
    """Local content is named by the id of its asset, which leads to it from everywhere."""

    def __init__(self, id: str) -> None:
        self._id = id

    def stored(self, path: str, datastore: str | None) -> str:
        return self._id if isinstance(parse_uri(path), LocalPath) else path


class RegisteringRefs(FileUriRefs):
    """Code, environments and inline components get ids in a workspace, equal content once."""

    keeps_inline = False

    def __init__(self, workspace_assets: WorkspaceAssets, workspace: Workspace) -> None:
        self._workspace_assets = workspace_assets
        self._workspace = workspace

    def code(self, path: str) -> str:
        place = parse_uri(path)
        if not isinstance(place, LocalPath):
            return path
        return self._workspace_assets.register_code(
            self._workspace, self._workspace_assets.data.snapshots.add(place.path)
        )

    def environment(self, environment: Any) -> Any:
        if isinstance(environment, str):
            return environment
        from smalt.wire.assets.environments import ENVIRONMENT

        made = ENVIRONMENT.write(environment, Writing(self))
        return self._workspace_assets.put_anonymous(
            self._workspace, "environments", ANONYMOUS_ENVIRONMENT, _compute_digest(made), made
        )

    def component(self, component: Any) -> Any:
        if isinstance(component, str):
            return component
        made = wire.to_rest(component, self)["properties"]
        digest = _compute_digest(made["componentSpec"])
        return self._workspace_assets.put_anonymous(self._workspace, "components", ANONYMOUS_COMPONENT, digest, made)


class ImportingRefs(RegisteringRefs):
    """Like RegisteringRefs; data, models and build contexts are also copied into the workspace's store."""

    def stored(self, path: str, datastore: str | None) -> str:
        place = parse_uri(path)
        return (
            self._workspace_assets.data.import_local(place.path, self._workspace)
            if isinstance(place, LocalPath)
            else path
        )


def refuse_includes(found: RegistryAsset, component: Any) -> None:
    if getattr(component, "additional_includes", None):
        raise RefusedError(
            f"{found.document} has additional_includes, which would lead out of the registry; create it with: "
            f"smalt component create --registry-name NAME --file {shlex.quote(Path(found.document).name)}"
        )


def _compute_digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
