"""Makes local things remote before a job or an asset is sent: code, data, inline environments and components.

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
from smalt.exceptions import NotFound, Refused
from smalt.machine.requirements_files import with_paths
from smalt.wire.assets.environments import ENVIRONMENT
from smalt.wire.encoding.codec import Json, Writing
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, ANONYMOUS_ENVIRONMENT, asset_id, resource_id
from smalt.wire.jobs import components

if TYPE_CHECKING:
    from smalt.client.session import ClientSession

_MODELS = frozenset({"custom_model", "mlflow_model", "triton_model"})
_BULK = 20_000
_canonical = json.JSONEncoder(sort_keys=True).encode


class Assets:
    """The references of one submission; `send` is to be called before the submission itself."""

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
        """A local folder that code was taken from."""
        return next((path or includes[0] for path, includes in self._codes), None)

    @property
    def sources(self) -> list[str]:
        """Return the local folders and files that this submission is made of: code, components, environments."""
        codes = [path for local, includes in self._codes for path in (local, *includes) if path]
        nouns = [noun for noun, _ in (*self._components.values(), *self._environments.values())]
        return [*codes, *(noun.source_path for noun in nouns if noun.source_path)]

    def component_body(self, component: Component) -> Json:
        """The body of its PUT; files and folders that it adds to its code are in the code."""
        includes = getattr(component, "additional_includes", None)
        if not includes or "code" not in type(component)._fields:
            return components.write(component, Writing(self))
        bare = copy.copy(component)
        vars(bare).update(code=None, additional_includes=None)
        body = components.write(bare, Writing(self))
        code = self._code(vars(component).get("code"), tuple(_existing_include(path) for path in includes))
        body["properties"]["componentSpec"]["code"] = f"azureml:{code}" if code.startswith("/") else code
        return body

    def send(self) -> None:
        """Register what was met since the last time."""
        items = list(self._items.values())
        self._items.clear()
        for start in range(0, len(items), _BULK):
            path = f"/smalt/v1{self._workspace}/assets"
            self._session.connection.post(path, {"items": items[start : start + _BULK]})

    def code(self, path: str) -> str:
        return self._code(path, ())

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

        found = load_conda(given if isinstance(given, dict) else _existing(given))

        def stored(path: str) -> str:
            return self.stored(path, DEFAULT_DATASTORE)  # named there by its content, so that it is part of the hash

        return convert_pip_lines(found, lambda _, line: with_paths([line], stored))

    def component(self, component: Any) -> str:
        if isinstance(component, str):
            return self.asset(component, "components")
        known = self._components.get(id(component))
        if known is None:  # kept, so that its id() is no other's
            known = self._components[id(component)] = component, self._add_component(component)
        return known[1]

    def asset(self, text: str, kind: str) -> str:
        known = self._names.get((text, kind))
        if known is None:
            known = self._names[(text, kind)] = self._asset(text, kind)
        return known

    def compute(self, name: str) -> str:
        bare = _bare(name)
        if bare.startswith("/") or bare.lower() in ("serverless", "none"):
            return bare
        return resource_id(self._workspace, "computes", bare)

    def datastore(self, name: str) -> str:
        bare = _bare(name)
        return bare if bare.startswith("/") else resource_id(self._workspace, "datastores", bare)

    def data(self, path: str, type: str | None) -> str:
        uri = parse_uri(path)
        if isinstance(uri, Reference):
            return self._model(uri) if type in _MODELS else self.asset(path, "data")
        if not isinstance(uri, LocalPath):
            return path
        local = _existing(uri.path)
        return _file_uri(local) if self._session.connection.local else self._upload(local, None)

    def _model(self, reference: Reference) -> str:
        """A label says no kind by itself, and data may have the same name."""
        if reference.label is None or reference.registry is not None or reference.workspace is not None:
            return self.asset(reference.text, "models")
        return f"{self._workspace}/models/{reference.name}/labels/{reference.label}"

    def stored(self, path: str, datastore: str | None) -> str:
        uri = parse_uri(path)
        if not isinstance(uri, LocalPath):
            return path
        local = _existing(uri.path)
        if self._session.connection.local and datastore is None:
            return _file_uri(local)  # the server copies it
        return self._upload(local, datastore)

    def _upload(self, path: str, datastore: str | None) -> str:
        from smalt.client.transfers.uploads import upload

        return upload(self._session, path, _bare(datastore) if datastore else None)

    def _code(self, path: str | None, includes: tuple[str, ...]) -> str:
        """Of a reference, a folder, or a file; or of nothing but what is included."""
        local = ""
        if path is not None:
            if path.startswith("git+"):
                path = path.removeprefix("git+")
                raise Refused(f"smalt does not fetch code from git; clone {path} and name its folder")
            uri = parse_uri(path)
            if not isinstance(uri, LocalPath):
                if includes:
                    raise Refused(
                        f"code {path} is not a local folder, so nothing can be added; drop additional_includes"
                    )
                return self.asset(path, "codes") if isinstance(uri, Reference) else path
            local = _existing(uri.path)
        key = local, includes
        if key not in self._codes:
            from smalt.client.transfers.snapshots import snapshot

            self._codes[key] = snapshot(self._session, *key)
        return self._codes[key]

    def _asset(self, text: str, kind: str) -> str:
        reference = parse_reference(text)
        if reference is None or reference.registry is not None:
            return text
        if reference.workspace is not None:
            return text.removeprefix("azureml:") if not text.startswith("azureml://") else text
        if reference.version is None:
            return text  # a label, which the server looks up
        return asset_id(self._workspace, kind, reference.name, reference.version)

    def _add_environment(self, environment: Environment) -> str:
        if environment.build is not None:
            for problem in environment.build._find_problems():
                raise Refused(f"the environment's build.{problem}")
        properties = ENVIRONMENT.write(environment, Writing(self))
        if environment.name and environment.version and not environment._is_in_place:
            return self._add("environments", environment.name, environment.version, properties)
        return self._add("environments", ANONYMOUS_ENVIRONMENT, _hash(properties), {**properties, "isAnonymous": True})

    def _add_component(self, component: Component) -> str:
        properties = self.component_body(component)["properties"]
        properties["isAnonymous"] = True
        spec = properties["componentSpec"]
        if not spec.get("tags"):  # an object that was looked at has empty ones, and is the same component
            spec.pop("tags", None)
        return self._add("components", ANONYMOUS_COMPONENT, _hash(spec), properties)

    def _add(self, kind: str, name: str, version: str, properties: Json) -> str:
        id = asset_id(self._workspace, kind, name, version)
        if id not in self._items:
            self._items[id] = {"kind": kind, "name": name, "version": version, "body": {"properties": properties}}
        return id


def _bare(name: str) -> str:
    return name.removeprefix("azureml:")


def _existing(path: str) -> str:
    local = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(local):
        raise NotFound(f"there is no file or folder {local}; correct the path")
    return local


def _existing_include(path: str) -> str:
    """One that ends in `.zip` may be a folder, which is to be packed."""
    local = os.path.abspath(os.path.expanduser(path))
    if not os.path.exists(local) and not (local.endswith(".zip") and os.path.isdir(local[:-4])):
        raise NotFound(f"there is no file or folder {local}; correct additional_includes")
    return local


def _file_uri(path: str) -> str:
    return f"file://{quote(path)}"


def _hash(body: Json) -> str:
    return hashlib.sha256(_canonical(body).encode()).hexdigest()
