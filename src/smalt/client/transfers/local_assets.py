"""Local code, data, inline environments and components, made remote before a job or an asset is sent.

Everything that one submission needs is sent in one request, each content once.
"""

from __future__ import annotations

import copy
import hashlib
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from smalt.entities.assets.component import Component
from smalt.entities.assets.conda import convert_pip_lines
from smalt.entities.assets.environment import Environment
from smalt.entities.syntax.references import LocalPath, Reference, parse_reference, parse_uri
from smalt.exceptions import NotFound, RefusedError
from smalt.machine.requirements_files import convert_paths
from smalt.wire.assets.environments import ENVIRONMENT
from smalt.wire.encoding.codec import Json, Writing
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT, build_asset_id, build_resource_id
from smalt.wire.jobs import components

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

_MODELS = frozenset({"custom_model", "mlflow_model", "triton_model"})
_OF_REGISTRY = "azureml://registries/"
_BULK = 20_000
_canonical = json.JSONEncoder(sort_keys=True).encode


class LocalAssets:
    """The references of one submission; call `send` before the submission itself."""

    keeps_inline = False

    def __init__(self, session: ClientSession) -> None:
        self._session = session
        self._workspace = session.uploads_id
        self._items: dict[str, Json] = {}
        self._codes: dict[tuple[str, tuple[str, ...]], str] = {}
        self._components: dict[int, tuple[Component, str]] = {}
        self._environments: dict[int, tuple[Environment, str]] = {}
        self._names: dict[tuple[str, str], str] = {}

    @property
    def first_code(self) -> str | None:
        """The first local folder or file that code was taken from."""
        return next((path or includes[0] for path, includes in self._codes), None)

    @property
    def sources(self) -> list[str]:
        """The local folders and files of this submission: code, components, environments."""
        codes = [path for local, includes in self._codes for path in (local, *includes) if path]
        nouns = [noun for noun, _ in (*self._components.values(), *self._environments.values())]
        return [*codes, *(noun.source_path for noun in nouns if noun.source_path)]

    def build_component_body(self, component: Component) -> Json:
        """Return the component's REST body; its code includes its `additional_includes`."""
        includes = getattr(component, "additional_includes", None)
        if not includes or "code" not in type(component)._fields:
            return components.write(component, Writing(self))
        bare = copy.copy(component)
        vars(bare).update(code=None, additional_includes=None)
        body = components.write(bare, Writing(self))
        code = self._resolve_code(vars(component).get("code"), tuple(_check_include_exists(path) for path in includes))
        body["properties"]["componentSpec"]["code"] = f"azureml:{code}" if code.startswith("/") else code
        return body

    def send(self) -> None:
        """Register the assets that were collected since the last call."""
        items = list(self._items.values())
        self._items.clear()
        for start in range(0, len(items), _BULK):
            path = f"/smalt/v1{self._workspace}/assets"
            self._session.connection.post(path, {"items": items[start : start + _BULK]})

    def code(self, path: str) -> str:
        return self._resolve_code(path, ())

    def environment(self, environment: Any) -> str:
        if isinstance(environment, str):
            return self.asset(environment, "environments")
        known = self._environments.get(id(environment))
        if known is None:
            known = self._environments[id(environment)] = environment, self._add_environment(environment)
        return known[1]

    def conda(self, given: Any) -> Any:
        from smalt.client.transfers.uploads import DEFAULT_DATASTORE
        from smalt.yaml.loading import load_conda

        found = load_conda(given if isinstance(given, dict) else _check_exists(given))

        def stored(path: str) -> str:
            return self.stored(path, DEFAULT_DATASTORE)  # named there by its content, so that it is part of the hash

        return convert_pip_lines(found, lambda _, line: convert_paths([line], stored))

    def component(self, component: Any) -> str:
        if isinstance(component, str):
            return self.asset(component, "components")
        if str(component.id).startswith(_OF_REGISTRY):  # no other workspace has its code
            return self.asset(component.id, "components")
        known = self._components.get(id(component))
        if known is None:  # kept, so that its id() is no other's
            known = self._components[id(component)] = component, self._add_component(component)
        return known[1]

    def asset(self, text: str, kind: str) -> str:
        known = self._names.get((text, kind))
        if known is None:
            known = self._names[(text, kind)] = self._resolve_asset(text, kind)
        return known

    def compute(self, name: str) -> str:
        bare = _remove_prefix(name)
        if bare.startswith("/") or bare.lower() in ("serverless", "none"):
            return bare
        return build_resource_id(self._workspace, "computes", bare)

    def datastore(self, name: str) -> str:
        bare = _remove_prefix(name)
        return bare if bare.startswith("/") else build_resource_id(self._workspace, "datastores", bare)

    def data(self, path: str, type: str | None) -> str:
        uri = parse_uri(path)
        if isinstance(uri, Reference):
            return self._resolve_model(uri) if type in _MODELS else self.asset(path, "data")
        if not isinstance(uri, LocalPath):
            return path
        local = _check_exists(uri.path)
        return _to_file_uri(local) if self._session.connection.is_local else self._upload_data(local, None)

    def _resolve_model(self, reference: Reference) -> str:
        """Return the id of a model; a label alone could mean data of the same name."""
        if reference.label is None or reference.registry is not None or reference.workspace is not None:
            return self.asset(reference.text, "models")
        return f"{self._workspace}/models/{reference.name}/labels/{reference.label}"

    def stored(self, path: str, datastore: str | None) -> str:
        uri = parse_uri(path)
        if not isinstance(uri, LocalPath):
            return path
        local = _check_exists(uri.path)
        if self._session.connection.is_local and datastore is None:
            return _to_file_uri(local)  # the server copies it
        return self._upload_data(local, datastore)

    def _upload_data(self, path: str, datastore: str | None) -> str:
        from smalt.client.transfers.uploads import upload_content

        return upload_content(self._session, path, _remove_prefix(datastore) if datastore else None)

    def _resolve_code(self, path: str | None, includes: tuple[str, ...]) -> str:
        """Return the id of code: a reference, a local folder or file, or the includes alone."""
        local = ""
        if path is not None:
            if path.startswith("git+"):
                path = path.removeprefix("git+")
                raise RefusedError(f"smalt does not fetch code from git; clone {path} and name its folder")
            uri = parse_uri(path)
            if not isinstance(uri, LocalPath):
                if includes:
                    raise RefusedError(
                        f"code {path} is not a local folder, so nothing can be added; drop additional_includes"
                    )
                return self.asset(path, "codes") if isinstance(uri, Reference) else path
            local = _check_exists(uri.path)
        key = local, includes
        if key not in self._codes:
            from smalt.client.transfers.snapshots import create_snapshot

            self._codes[key] = create_snapshot(self._session, *key)
        return self._codes[key]

    def _resolve_asset(self, text: str, kind: str) -> str:
        reference = parse_reference(text)
        if reference is None or reference.registry is not None:
            return text
        if reference.workspace is not None:
            return text.removeprefix("azureml:") if not text.startswith("azureml://") else text
        if reference.version is None:
            return text  # a label, which the server looks up
        return build_asset_id(self._workspace, kind, reference.name, reference.version)

    def _add_environment(self, environment: Environment) -> str:
        if environment.build is not None:
            for problem in environment.build._find_problems():
                raise RefusedError(f"the environment's build.{problem}")
        properties = ENVIRONMENT.write(environment, Writing(self))
        if environment.name and environment.version and not environment._is_in_place:
            return self._add_item("environments", environment.name, environment.version, properties)
        return self._add_item(
            "environments", ANONYMOUS_ENVIRONMENT, _hash_body(properties), {**properties, "isAnonymous": True}
        )

    def _add_component(self, component: Component) -> str:
        properties = self.build_component_body(component)["properties"]
        properties["isAnonymous"] = True
        spec = properties["componentSpec"]
        if not spec.get("tags"):  # an object that was looked at has empty ones, and is the same component
            spec.pop("tags", None)
        return self._add_item("components", ANONYMOUS_COMPONENT, _hash_body(spec), properties)

    def _add_item(self, kind: str, name: str, version: str, properties: Json) -> str:
        id = build_asset_id(self._workspace, kind, name, version)
        if id not in self._items:
            self._items[id] = {"kind": kind, "name": name, "version": version, "body": {"properties": properties}}
        return id


def _remove_prefix(name: str) -> str:
    return name.removeprefix("azureml:")


def _check_exists(path: str) -> str:
    local = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(local):
        raise NotFound(f"there is no file or folder {local}; correct the path")
    return local


def _check_include_exists(path: str) -> str:
    """Return the absolute path; `x.zip` exists if the folder `x` does, which is packed later."""
    local = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(local) and not (local.endswith(".zip") and os.path.isdir(local[:-4])):
        raise NotFound(f"there is no file or folder {local}; correct additional_includes")
    return local


def _to_file_uri(path: str) -> str:
    return f"file://{quote(path)}"


def _hash_body(body: Json) -> str:
    return hashlib.sha256(_canonical(body).encode()).hexdigest()
