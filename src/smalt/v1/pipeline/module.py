"""`azureml.pipeline.core.Module`: scripts with declared ports, kept by their program; in v2 command components."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace

_KEPT: dict[tuple[str, str], Module] = {}
"""The modules of this process, by workspace and name."""
_OTHER = "modules are kept by the program that makes them; in v2, register a component (smalt component create)"


class ModuleVersion:
    """A script of a module."""

    def __init__(self, module: Module, version: str, definition: Mapping[str, Any]) -> None:
        self._module, self.version, self.definition = module, version, dict(definition)
        self.module_version_id, self.module_id = str(uuid.uuid4()), module.id
        self.description, self.status = str(definition["description"]), "Active"

    def __repr__(self) -> str:
        return f"ModuleVersion(module={self._module.name!r}, version={self.version!r})"

    def module(self, _workflow_provider: object = None) -> Module:
        return self._module


class ModuleVersionDescriptor:
    """A version of a module, and its id."""

    def __init__(self, version: str, module_version_id: str) -> None:
        self.version, self.module_version_id = version, module_version_id


class Module:
    def __init__(self, workspace: Workspace, name: str, description: str) -> None:
        self._workspace, self.name, self.description = workspace, name, description
        self.id, self.status, self.default_version = str(uuid.uuid4()), "Active", None
        self._versions: dict[str, ModuleVersion] = {}

    @staticmethod
    def create(workspace: Workspace, name: str, description: str, _workflow_provider: object = None) -> Module:
        """Return a new module, which lasts as long as the program; its steps become steps of v2 anyway."""
        made = _KEPT[workspace.name, name] = Module(workspace, name, description)
        return made

    @staticmethod
    def get(
        workspace: Workspace, module_id: str | None = None, name: str | None = None, _workflow_provider: object = None
    ) -> Module:
        for (place, known), module in _KEPT.items():
            if place == workspace.name and (known == name or module.id == module_id):
                return module
        raise UserErrorException(f"this program has made no module '{name or module_id}': {_OTHER}")

    @staticmethod
    def get_versions(
        workspace: Workspace, name: str, _workflow_provider: object = None
    ) -> list[ModuleVersionDescriptor]:
        return Module.get(workspace, name=name).module_version_list()

    def module_version_list(self) -> list[ModuleVersionDescriptor]:
        return [ModuleVersionDescriptor(one.version, one.module_version_id) for one in self._versions.values()]

    def publish_python_script(
        self,
        script_name: str,
        description: str,
        inputs: Sequence[Any],
        outputs: Sequence[Any],
        params: Mapping[str, Any] | None = None,
        create_sequencing_ports: bool = True,
        version: str | None = None,
        is_default: bool = False,
        source_directory: str | None = None,
        hash_paths: Any = None,
        category: str | None = None,
        arguments: Sequence[Any] | None = None,
        runconfig: Any = None,
    ) -> ModuleVersion:
        """Add a version that runs a script."""
        given = {"hash_paths": hash_paths, "category": category}
        if not create_sequencing_ports:
            given["create_sequencing_ports"] = "False"
        tell_no_effect("Module.publish_python_script", given, "a component of v2 has no such setting")
        number = version or str(len(self._versions) + 1)
        if number in self._versions:
            raise UserErrorException(f"module '{self.name}' has a version {number} already; give another version")
        definition = {
            "description": description, "script_name": script_name, "source_directory": source_directory,
            "inputs": list(inputs), "outputs": list(outputs), "params": dict(params or {}),
            "arguments": list(arguments or ()), "runconfig": runconfig,
        }  # fmt: skip
        made = self._versions[number] = ModuleVersion(self, number, definition)
        if is_default or self.default_version is None:
            self.default_version = number  # type: ignore[assignment]
        return made

    def resolve(self, version: str | None = None) -> ModuleVersion:
        """Return the version, by default the default one."""
        wanted = version or self.default_version
        if wanted is None or wanted not in self._versions:
            known = ", ".join(self._versions) or "none"
            raise UserErrorException(f"module '{self.name}' has no version {wanted}; it has {known}")
        return self._versions[wanted]

    def get_default_version(self) -> str | None:
        return self.default_version

    def get_default(self) -> ModuleVersion:
        return self.resolve()

    def set_default_version(self, version_id: str) -> None:
        self.default_version = self.resolve(version_id).version  # type: ignore[assignment]

    def set_name(self, name: str) -> None:
        self.name = name

    def set_description(self, description: str) -> None:
        self.description = description

    def enable(self) -> None:
        self.status = "Active"

    def disable(self) -> None:
        self.status = "Disabled"

    def deprecate(self) -> None:
        self.status = "Deprecated"

    def publish(self, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException("Module.publish is not served; use publish_python_script")

    def publish_adla_script(self, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException("Azure Data Lake Analytics was shut down in 2024; use publish_python_script")

    def publish_azure_batch(self, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException("smalt has no Azure Batch; use publish_python_script")
