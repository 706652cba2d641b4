"""Assets of a workspace written as the files of a registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smalt import wire
from smalt.entities.syntax.references import parse_reference
from smalt.exceptions import NotFound, RefusedError
from smalt.service.data import Location
from smalt.service.data.files.copying import copy_tree
from smalt.service.data.job_data import access_modes
from smalt.service.records.workspaces import Workspace
from smalt.service.registry.folder import NOUNS
from smalt.service.registry.workspace_assets import Properties, WorkspaceAssets
from smalt.yaml.dumping import dump_plain

_NOT_WRITTEN = ("id", "creation_context", "latest_version", "intellectual_property")
_CODE, _CONTEXT = "code", "context"


class AssetWriter:
    """Writes the YAML of an asset, and all local content that it names beside it, into a new folder."""

    def __init__(self, workspace_assets: WorkspaceAssets, workspace: Workspace, reads_disk: bool) -> None:
        """`reads_disk`: the caller may name paths of this machine."""
        self._workspace_assets = workspace_assets
        self._workspace = workspace
        self._reads_disk = reads_disk

    def write_asset(self, kind: str, name: str, version: str, given: Properties, folder: Path) -> None:
        kept = {key: value for key, value in given.items() if key not in ("isArchived", "isAnonymous")}
        document = {"name": name, "version": version, **_build_document(kind, kept)}
        document.update(name=name, version=version)
        if kind == "environments":
            self._write_environment(document, folder)
        elif kind == "components":
            self._write_component(document, folder)
        elif document.get("path"):
            document["path"] = self._copy_content(str(document["path"]), folder, f"{NOUNS[kind]}.yml")
        (folder / f"{NOUNS[kind]}.yml").write_text(dump_plain(document), encoding="utf-8")

    def _copy_content(self, uri: str, folder: Path, taken: str) -> str:
        """Copy the content beside the YAML and return its path; content on the network stays there."""
        place = self._resolve_place(uri)
        if place.path is None:
            return place.remote or uri
        name = place.path.name
        if name == taken or name.startswith("."):
            name = "content"
        copy_tree(place.path, folder / name)
        return f"./{name}"

    def _resolve_place(self, uri: str) -> Location:
        if uri.startswith(("/", "file:")) and not self._reads_disk:
            raise RefusedError(f"{uri} is a path of the server's machine; upload the data and name its azureml:// URI")
        place = self._workspace_assets.data.resolve(uri, self._workspace)
        if place.path is not None and not place.exists:
            raise NotFound(access_modes.explain_missing(place))
        return place

    def _write_environment(self, document: dict[str, Any], folder: Path, prefix: str = "") -> None:
        build = document.get("build")
        if isinstance(build, dict) and build.get("path"):
            place = self._resolve_place(str(build["path"]))
            if place.path is not None:
                copy_tree(place.path, folder / f"{prefix}{_CONTEXT}")
                document["build"] = {**build, "path": f"./{prefix}{_CONTEXT}"}

    def _write_component(self, document: dict[str, Any], folder: Path, prefix: str = "") -> None:
        self._write_command(document, folder, prefix)
        if isinstance(document.get("task"), dict):
            self._write_command(document["task"], folder, prefix)
        for name, node in (document.get("jobs") or {}).items():
            if not isinstance(node, dict):
                continue
            self._write_component(node, folder, f"{prefix}{name}-")
            for key in ("component", "trial"):
                if isinstance(node.get(key), str):
                    node[key] = self._write_nested(node[key], folder, f"{prefix}{name}")

    def _write_command(self, document: dict[str, Any], folder: Path, prefix: str) -> None:
        if isinstance(document.get("code"), str):
            document["code"] = self._write_code(document["code"], folder, f"{prefix}{_CODE}")
        environment = document.get("environment")
        if isinstance(environment, str):
            document["environment"] = self._write_used_environment(environment, folder, prefix)
        elif isinstance(environment, dict):
            self._write_environment(environment, folder, prefix)

    def _write_code(self, text: str, folder: Path, name: str) -> str:
        reference = parse_reference(text)
        if reference is None or reference.kind != "codes":
            return text
        hash = self._workspace_assets.find_code_hash(self._workspace, reference.name, reference.version)
        self._workspace_assets.data.snapshots.write_to(hash, folder / name)
        return f"./{name}"

    def _write_used_environment(self, text: str, folder: Path, prefix: str) -> Any:
        """Return a reference for a registry's or a built-in environment; write any other in place."""
        reference = parse_reference(text)
        if reference is None or reference.registry is not None:
            return text
        try:
            found = self._workspace_assets.find_version(
                self._workspace, "environments", reference.name, reference.version, reference.label
            )
        except NotFound:
            return f"azureml:{reference.name}@latest"
        document = _build_document("environments", found.properties)
        for key in ("name", "version"):
            document.pop(key, None)
        self._write_environment(document, folder, prefix)
        return document

    def _write_nested(self, text: str, folder: Path, name: str) -> str:
        """Write a workspace's component that a pipeline names, with its own files, below the pipeline's folder."""
        reference = parse_reference(text)
        if reference is None or reference.registry is not None:
            return text
        found = self._workspace_assets.find_version(
            self._workspace, "components", reference.name, reference.version, reference.label
        )
        inner = folder / name
        inner.mkdir()
        document = _build_document("components", found.properties)
        if found.is_anonymous:
            for key in ("name", "version"):
                document.pop(key, None)
        self._write_component(document, inner)
        (inner / "component.yml").write_text(dump_plain(document), encoding="utf-8")
        return f"./{name}/component.yml"


def _build_document(kind: str, given: Properties) -> dict[str, Any]:
    document: dict[str, Any] = wire.from_rest({"properties": given}, NOUNS[kind]).to_dict()
    return {key: value for key, value in document.items() if key not in _NOT_WRITTEN}
