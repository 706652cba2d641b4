"""From an asset of a workspace to the files of a registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smalt import wire
from smalt.entities.syntax.references import parse_reference
from smalt.exceptions import NotFound, Refused
from smalt.service.data import Location
from smalt.service.data.files.copying import copy_tree
from smalt.service.data.job_data import access_modes
from smalt.service.records.workspaces import Workspace
from smalt.service.registry.folder import NOUNS
from smalt.service.registry.workspace_assets import Desk, Properties
from smalt.yaml.dumping import dump_plain

_NOT_WRITTEN = ("id", "creation_context", "latest_version", "intellectual_property")
_CODE, _CONTEXT = "code", "context"


class Writer:
    """Writes the YAML of an asset, with everything local that it names beside it, into a fresh folder."""

    def __init__(self, desk: Desk, workspace: Workspace, reads_disk: bool) -> None:
        """`reads_disk`: whether who asks may name paths of this machine."""
        self._desk = desk
        self._workspace = workspace
        self._reads_disk = reads_disk

    def asset(self, kind: str, name: str, version: str, given: Properties, folder: Path) -> None:
        kept = {key: value for key, value in given.items() if key not in ("isArchived", "isAnonymous")}
        document = {"name": name, "version": version, **_document(kind, kept)}
        document.update(name=name, version=version)
        if kind == "environments":
            self._environment(document, folder)
        elif kind == "components":
            self._component(document, folder)
        elif document.get("path"):
            document["path"] = self._content(str(document["path"]), folder, f"{NOUNS[kind]}.yml")
        (folder / f"{NOUNS[kind]}.yml").write_text(dump_plain(document), encoding="utf-8")

    def _content(self, uri: str, folder: Path, taken: str) -> str:
        """A copy beside the YAML; what is on the network stays there."""
        place = self._place(uri)
        if place.path is None:
            return place.remote or uri
        name = place.path.name
        if name == taken or name.startswith("."):
            name = "content"
        copy_tree(place.path, folder / name)
        return f"./{name}"

    def _place(self, uri: str) -> Location:
        if uri.startswith(("/", "file:")) and not self._reads_disk:
            raise Refused(f"{uri} is a path of the server's machine; upload the data and name its azureml:// URI")
        place = self._desk.data.resolve(uri, self._workspace)
        if place.path is not None and not place.exists:
            raise NotFound(access_modes.missing(place))
        return place

    def _environment(self, document: dict[str, Any], folder: Path, prefix: str = "") -> None:
        build = document.get("build")
        if isinstance(build, dict) and build.get("path"):
            place = self._place(str(build["path"]))
            if place.path is not None:
                copy_tree(place.path, folder / f"{prefix}{_CONTEXT}")
                document["build"] = {**build, "path": f"./{prefix}{_CONTEXT}"}

    def _component(self, document: dict[str, Any], folder: Path, prefix: str = "") -> None:
        self._runs(document, folder, prefix)
        if isinstance(document.get("task"), dict):
            self._runs(document["task"], folder, prefix)
        for name, node in (document.get("jobs") or {}).items():
            if not isinstance(node, dict):
                continue
            self._component(node, folder, f"{prefix}{name}-")
            for key in ("component", "trial"):
                if isinstance(node.get(key), str):
                    node[key] = self._nested(node[key], folder, f"{prefix}{name}")

    def _runs(self, document: dict[str, Any], folder: Path, prefix: str) -> None:
        if isinstance(document.get("code"), str):
            document["code"] = self._code(document["code"], folder, f"{prefix}{_CODE}")
        environment = document.get("environment")
        if isinstance(environment, str):
            document["environment"] = self._used_environment(environment, folder, prefix)
        elif isinstance(environment, dict):
            self._environment(environment, folder, prefix)

    def _code(self, text: str, folder: Path, name: str) -> str:
        reference = parse_reference(text)
        if reference is None or reference.kind != "codes":
            return text
        hash = self._desk.code_hash(self._workspace, reference.name, reference.version)
        self._desk.data.snapshots.materialise(hash, folder / name)
        return f"./{name}"

    def _used_environment(self, text: str, folder: Path, prefix: str) -> Any:
        """A registry's stays a reference, as do those that every workspace has; others are written in place."""
        reference = parse_reference(text)
        if reference is None or reference.registry is not None:
            return text
        try:
            found = self._desk.find(self._workspace, "environments", reference.name, reference.version, reference.label)
        except NotFound:
            return f"azureml:{reference.name}@latest"
        document = _document("environments", found.properties)
        for key in ("name", "version"):
            document.pop(key, None)
        self._environment(document, folder, prefix)
        return document

    def _nested(self, text: str, folder: Path, name: str) -> str:
        """A component of the workspace that a pipeline names, as files of its own below the pipeline's."""
        reference = parse_reference(text)
        if reference is None or reference.registry is not None:
            return text
        found = self._desk.find(self._workspace, "components", reference.name, reference.version, reference.label)
        inner = folder / name
        inner.mkdir()
        document = _document("components", found.properties)
        if found.is_anonymous:
            for key in ("name", "version"):
                document.pop(key, None)
        self._component(document, inner)
        (inner / "component.yml").write_text(dump_plain(document), encoding="utf-8")
        return f"./{name}/component.yml"


def _document(kind: str, given: Properties) -> dict[str, Any]:
    document: dict[str, Any] = wire.from_rest({"properties": given}, NOUNS[kind]).to_dict()
    return {key: value for key, value in document.items() if key not in _NOT_WRITTEN}
