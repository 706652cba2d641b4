"""`ModuleStep`: a version of a module as a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.schema.problems import did_you_mean
from smalt.v1.exceptions import UserErrorException
from smalt.v1.pipeline.graph import InputPortBinding
from smalt.v1.pipeline.module import Module, ModuleVersion
from smalt.v1.pipeline.steps.script_steps import PythonScriptStep

if TYPE_CHECKING:
    from smalt.v1.run_configuration import RunConfiguration


class ModuleStep(PythonScriptStep):
    def __init__(
        self,
        module: Module | None = None,
        version: str | None = None,
        module_version: ModuleVersion | None = None,
        inputs_map: Mapping[str, Any] | None = None,
        outputs_map: Mapping[str, Any] | None = None,
        compute_target: Any = None,
        runconfig: RunConfiguration | None = None,
        runconfig_pipeline_params: Mapping[str, Any] | None = None,
        arguments: Sequence[Any] | None = None,
        params: Mapping[str, Any] | None = None,
        name: str | None = None,
        _workflow_provider: object = None,
    ) -> None:
        if (module is None) == (module_version is None):
            raise UserErrorException("a ModuleStep takes one of module and module_version")
        chosen = module_version if module_version is not None else module.resolve(version)  # type: ignore[union-attr]
        definition = chosen.definition
        _check_map("inputs_map", inputs_map, definition["inputs"])
        _check_map("outputs_map", outputs_map, definition["outputs"])
        inputs = [InputPortBinding(port, data) for port, data in (inputs_map or {}).items()]
        values = dict(definition["params"])
        unknown = [key for key in params or () if key not in values]
        if unknown:
            raise UserErrorException(f"the module has no parameter '{unknown[0]}'{did_you_mean(unknown[0], values)}")
        super().__init__(
            definition["script_name"],
            name or chosen.module().name,
            arguments if arguments is not None else definition["arguments"],
            compute_target,
            runconfig if runconfig is not None else definition["runconfig"],
            runconfig_pipeline_params,
            inputs,
            list((outputs_map or {}).values()),
            {**values, **(params or {})},
            definition["source_directory"],
        )


def _check_map(what: str, given: Mapping[str, Any] | None, declared: Sequence[Any]) -> None:
    known = [one.name for one in declared]
    for name in given or ():
        if name not in known:
            has = f"; it has {', '.join(known)}" if known else "; it has none"
            raise UserErrorException(f"{what}: the module has no port '{name}'{did_you_mean(name, known) or has}")
    missing = [one.name for one in declared if one.name not in (given or {}) and not getattr(one, "is_optional", False)]
    if missing:
        raise UserErrorException(f"{what}: the module's port '{missing[0]}' is not given")
