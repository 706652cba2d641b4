"""The registries of a home: the setting `registry` says which there are, and in which folder each is."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from typing import Any

from smalt.exceptions import Conflict, NotFound
from smalt.service.data.files.copying import remove_tree
from smalt.service.records.workspaces import Workspace
from smalt.service.registry import asset_reader
from smalt.service.registry.asset_writer import AssetWriter
from smalt.service.registry.folder import NOUNS, RegistryAsset, RegistryFolder
from smalt.service.registry.workspace_assets import Properties, WorkspaceAssets

BUILT_IN = "azureml"
_DESCRIPTIVE = ("description", "tags", "properties", "stage")


class Registries:
    """`settings` is read at each call, so a change counts at once."""

    def __init__(self, settings: Mapping[str, Any], desk: WorkspaceAssets) -> None:
        self._settings = settings
        self.assets = desk

    def find_folder(self, name: str) -> RegistryFolder:
        """The registry's folder; NotFound says which there are."""
        for known, folder in self.folders.items():
            if known.lower() == name.lower():
                return RegistryFolder(known, folder)
        known = ", ".join([BUILT_IN, *self.folders])
        raise NotFound(
            f"there is no registry '{name[:100]}' here (there are: {known}); say in which folder it is: "
            f"smalt config set registry {name[:100]}=FOLDER"
        )

    def has_registry(self, name: str) -> bool:
        return name.lower() in (known.lower() for known in self.folders)

    @property
    def folders(self) -> dict[str, str]:
        return dict(self._settings.get("registry") or {})

    def read_properties(self, registry: str, found: RegistryAsset) -> Properties:
        """The properties as they are told."""
        id = f"azureml://registries/{registry}/{found.kind}/{found.name}/versions/{found.version}"
        return asset_reader.read_properties(found, asset_reader.AssetIdRefs(id))

    def register_for_job(
        self, workspace: Workspace, registry: str, kind: str, name: str, version: str | None, label: str | None
    ) -> Properties:
        """The properties for a job of the workspace."""
        return self._read_properties(
            self.find_folder(registry).find_version(kind, name, version, label),
            asset_reader.RegisteringRefs(self.assets, workspace),
        )

    def import_asset(self, workspace: Workspace, found: RegistryAsset) -> Properties:
        """The properties for a version of the workspace's own; the content has been copied there."""
        return self._read_properties(found, asset_reader.ImportingRefs(self.assets, workspace))

    def find_uri(self, registry: str, kind: str, name: str, version: str | None, label: str | None) -> str | None:
        """Where the content of data or of a model is."""
        found = self.find_folder(registry).find_version(kind, name, version, label)
        shown = asset_reader.read_properties(found, asset_reader.FileUriRefs())
        return str(shown.get({"data": "dataUri", "models": "modelUri"}[kind]) or "") or None

    def publish_asset(
        self,
        shelf: RegistryFolder,
        workspace: Workspace,
        asset: tuple[str, str, str],
        given: Properties,
        *,
        reads_disk: bool = False,
        is_new: bool = False,
    ) -> None:
        """Write an asset (kind, name, version) of the workspace into the registry.

        One that is there must have the same content; what describes it may change. With `is_new` none may be there.
        """
        there = [one for one in shelf.list_versions(*asset[:2], "All") if one.version == asset[2]]
        if there and is_new:
            raise Conflict(f"{NOUNS[asset[0]]} '{asset[1]}:{asset[2]}' exists already; try again")
        with shelf.create_version(*asset) as folder:
            AssetWriter(self.assets, workspace, reads_disk).write_asset(*asset, given, folder)
            if there:
                self._update_description(there[0], RegistryAsset(*asset, folder, False))
                remove_tree(folder)

    def copy_asset(self, source: Workspace, target: Workspace, asset: tuple[str, str, str]) -> Properties:
        """The properties of another workspace's asset for one of this workspace; its content has been copied."""
        kind, name, version = asset
        given = self.assets.find_version(source, kind, name, version, None).properties
        with tempfile.TemporaryDirectory(dir=self.assets.get_scratch_folder()) as folder:
            shelf = RegistryFolder("transfer", folder)
            self.publish_asset(shelf, source, asset, given)
            return self.import_asset(target, shelf.find_version(kind, name, version))

    def _update_description(self, there: RegistryAsset, new: RegistryAsset) -> None:
        """Take the new description over, where nothing else differs."""
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
        """Everything but the YAML and the marks."""
        _, entries = self.assets.data.snapshots.identify(found.folder, ignore=False)
        return [entry for entry in entries if entry.path not in (found.document.name, ".archived")]

    def _read_properties(self, found: RegistryAsset, references: asset_reader.RegisteringRefs) -> Properties:
        if found.kind == "components":
            asset_reader.refuse_includes(found, asset_reader.read_entity(found))
        return asset_reader.read_properties(found, references)


def _to_relative(value: Any, found: RegistryAsset) -> Any:
    """A path of the document without the folder that it is in."""
    if isinstance(value, str):
        return value.replace(str(found.folder), "")
    if isinstance(value, dict):
        return {key: _to_relative(item, found) for key, item in value.items()}
    return [_to_relative(item, found) for item in value] if isinstance(value, list) else value
