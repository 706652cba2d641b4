"""The registries of a home: the setting `registry` names each with its folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from smalt import prebuilt
from smalt.exceptions import Conflict, NotFound, RefusedError
from smalt.service.data.files.copying import remove_tree
from smalt.service.records.workspaces import Workspace
from smalt.service.registry import asset_reader
from smalt.service.registry.asset_writer import AssetWriter
from smalt.service.registry.folder import NOUNS, RegistryAsset, RegistryFolder
from smalt.service.registry.workspace_assets import Properties, WorkspaceAssets

BUILT_IN = "azureml"
READ_ONLY = (BUILT_IN, prebuilt.REGISTRY)
"""The registries that come with smalt."""
_DESCRIPTIVE = ("description", "tags", "properties", "stage")


class Registries:
    """Reads `settings` at each call, so that a change takes effect at once."""

    def __init__(self, settings: Mapping[str, Any], workspace_assets: WorkspaceAssets) -> None:
        self._settings = settings
        self.assets = workspace_assets

    def find_folder(self, name: str) -> RegistryFolder:
        """Return the registry's folder; NotFound lists the registries there are."""
        for known, folder in self.folders.items():
            if known.lower() == name.lower():
                return RegistryFolder(known, folder)
        known = ", ".join([BUILT_IN, *self.folders])
        raise NotFound(
            f"there is no registry '{name[:100]}' here (there are: {known}); say in which folder it is: "
            f"smalt config set registry {name[:100]}=FOLDER"
        )

    def find_own_folder(self, name: str) -> RegistryFolder:
        """Return the folder of a registry that may be changed; raise RefusedError for one that comes with smalt."""
        if name.lower() in READ_ONLY:
            raise RefusedError(
                f"the registry '{name.lower()}' is smalt's own and can only be read; name one of your registries"
            )
        return self.find_folder(name)

    def has_registry(self, name: str) -> bool:
        return name.lower() in (known.lower() for known in self.folders)

    @property
    def folders(self) -> dict[str, str]:
        """Return the folder of each registry but the built-in one, which has none."""
        return {**self.own_folders, prebuilt.REGISTRY: prebuilt.FOLDER}

    @property
    def own_folders(self) -> dict[str, str]:
        """Return the folders of the registries that the home's settings name."""
        named = dict(self._settings.get("registry") or {})
        return {name: folder for name, folder in named.items() if name.lower() not in READ_ONLY}

    def read_properties(self, registry: str, found: RegistryAsset) -> Properties:
        """Return the properties to send to clients."""
        id = f"azureml://registries/{registry}/{found.kind}/{found.name}/versions/{found.version}"
        return asset_reader.read_properties(found, asset_reader.AssetIdRefs(id))

    def register_for_job(
        self, workspace: Workspace, registry: str, kind: str, name: str, version: str | None, label: str | None
    ) -> Properties:
        """Return the properties for a job of the workspace; code, environments and components are registered there."""
        return self._read_properties(
            self.find_folder(registry).find_version(kind, name, version, label),
            asset_reader.RegisteringRefs(self.assets, workspace),
        )

    def import_asset(self, workspace: Workspace, found: RegistryAsset) -> Properties:
        """Return the properties for a version of the workspace's own; its content has been copied there."""
        return self._read_properties(found, asset_reader.ImportingRefs(self.assets, workspace))

    def find_uri(self, registry: str, kind: str, name: str, version: str | None, label: str | None) -> str | None:
        """Return the location of the content of data or a model."""
        found = self.find_folder(registry).find_version(kind, name, version, label)
        shown = asset_reader.read_properties(found, asset_reader.FileUriRefs())
        return str(shown.get({"data": "dataUri", "models": "modelUri"}[kind]) or "") or None

    def publish_asset(
        self,
        registry_folder: RegistryFolder,
        workspace: Workspace,
        asset: tuple[str, str, str],
        given: Properties,
        *,
        reads_disk: bool = False,
        is_new: bool = False,
    ) -> None:
        """Write an asset (kind, name, version) of the workspace into the registry.

        An existing version must have the same content; its description may change. With `is_new` it must not exist.
        """
        there = [one for one in registry_folder.list_versions(*asset[:2], "All") if one.version == asset[2]]
        if there and is_new:
            raise Conflict(f"{NOUNS[asset[0]]} '{asset[1]}:{asset[2]}' exists already; try again")
        with registry_folder.create_version(*asset) as folder:
            AssetWriter(self.assets, workspace, reads_disk).write_asset(*asset, given, folder)
            if there:
                self._update_description(there[0], RegistryAsset(*asset, folder, False))
                remove_tree(folder)

    def copy_asset(self, source: Workspace, target: Workspace, asset: tuple[str, str, str]) -> Properties:
        """Return the properties of another workspace's asset for this workspace; its content has been copied."""
        kind, name, version = asset
        given = self.assets.find_version(source, kind, name, version, None).properties
        with tempfile.TemporaryDirectory(dir=self.assets.get_scratch_folder()) as folder:
            registry_folder = RegistryFolder("transfer", folder)
            self.publish_asset(registry_folder, source, asset, given)
            return self.import_asset(target, registry_folder.find_version(kind, name, version))

    def _update_description(self, there: RegistryAsset, new: RegistryAsset) -> None:
        """Take the new description over if nothing else differs, else raise Conflict."""
        before, after = (_to_relative(asset_reader.read_entity(one).to_dict(), one) for one in (there, new))
        changed = {key for key in {*before, *after} if before.get(key) != after.get(key)}
        same_files = self._list_content(there) == self._list_content(new)
        if not same_files or changed - {*_DESCRIPTIVE}:
            raise Conflict(
                f"{NOUNS[there.kind]} '{there.name}:{there.version}' exists already in the registry and is another "
                "one; create another version"
            )
        if changed:
            temporary = there.document.with_name(f".{there.document.name}.{os.getpid()}")
            temporary.write_bytes(new.document.read_bytes())
            os.replace(temporary, there.document)

    def _list_content(self, found: RegistryAsset) -> list[Any]:
        """List everything except the YAML and the archived marker."""
        _, entries = self.assets.data.snapshots.identify(found.folder, ignore=False)
        return [entry for entry in entries if entry.path not in (found.document.name, ".archived")]

    def _read_properties(self, found: RegistryAsset, references: asset_reader.RegisteringRefs) -> Properties:
        if found.kind == "components":
            asset_reader.refuse_includes(found, asset_reader.read_entity(found))
        return asset_reader.read_properties(found, references)


def _to_relative(value: Any, found: RegistryAsset) -> Any:
    """Return a value of the document with paths relative to its folder."""
    if isinstance(value, str):
        return value.replace(str(found.folder), "")
    if isinstance(value, dict):
        return {key: _to_relative(item, found) for key, item in value.items()}
    return [_to_relative(item, found) for item in value] if isinstance(value, list) else value
