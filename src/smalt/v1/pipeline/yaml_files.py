"""Pipelines as YAML files of v1, `Pipeline.load_yaml`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

import yaml
from smalt.entities.schema.problems import did_you_mean
from smalt.v1.data.references import DataPath, DataPathComputeBinding, DataReference, SqlDataReference
from smalt.v1.exceptions import AzureMLException, UserErrorException
from smalt.v1.pipeline.graph import InputPortBinding, PipelineParameter
from smalt.v1.pipeline.pipeline import Pipeline
from smalt.v1.pipeline.pipeline_data import PipelineData

if TYPE_CHECKING:
    from smalt.v1.pipeline.steps.base import PipelineStep
    from smalt.v1.workspace import Workspace

_PIPELINE = ("name", "description", "parameters", "data_references", "default_compute", "steps")
_STEP = (
    "type", "name", "compute", "runconfig", "runconfig_parameters", "parameters", "inputs", "outputs", "side_inputs",
    "arguments", "script_name", "source_directory", "allow_reuse", "version", "hash_paths", "id", "models_id",
    "parallel_run_config", "source_data_reference", "destination_data_reference", "source_reference_type",
    "destination_reference_type", "command",
)  # fmt: skip
_OLD = {
    "python_script_step": "PythonScriptStep", "parallel_run_step": "ParallelRunStep", "module": "ModuleStep",
    "data_transfer_step": "DataTransferStep", "adla_step": "AdlaStep", "databricks_step": "DatabricksStep",
    "azurebatch_step": "AzureBatchStep",
}  # fmt: skip
"""Keys by which v1's earlier files say the type of a step."""
_SERVED = ("PythonScriptStep", "CommandStep", "ParallelRunStep", "ModuleStep", "DataTransferStep")
_REFUSED = ("AdlaStep", "DatabricksStep", "AzureBatchStep")


class _Mapping(dict[str, Any]):
    """A mapping of a YAML file that knows the line of each key."""

    lines: dict[str, int]


class _Loader(yaml.SafeLoader):
    """A loader that keeps the lines of keys."""


def _construct_mapping(loader: Any, node: Any) -> _Mapping:
    made = _Mapping({str(key): value for key, value in loader.construct_mapping(node, deep=True).items()})
    made.lines = {str(key.value): key.start_mark.line + 1 for key, _ in node.value}
    return made


_Loader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _construct_mapping)


def read_pipeline(workspace: Workspace, filename: str) -> Pipeline:
    """Return the pipeline of a file; raises UserErrorException with the line of what is wrong."""
    if not os.path.isfile(filename):
        raise UserErrorException(f"there is no file '{filename}' with a pipeline")
    with open(filename, encoding="utf-8") as file:
        try:
            content = yaml.load(file, _Loader)
        except yaml.YAMLError as error:
            raise UserErrorException(f"{filename} is not YAML: {error}") from None
    if not isinstance(content, _Mapping) or not isinstance(content.get("pipeline"), _Mapping):
        raise UserErrorException(f"{filename}:1: a pipeline of v1 has the key 'pipeline' at its top")
    return _PipelineFile(workspace, filename, content["pipeline"]).read()


class _PipelineFile:
    """A file, while it is read."""

    def __init__(self, workspace: Workspace, filename: str, section: _Mapping) -> None:
        self._workspace, self._filename, self._section = workspace, filename, section
        self._parameters: dict[str, PipelineParameter] = {}
        self._references: dict[str, Any] = {}
        self._data: dict[str, PipelineData] = {}

    def read(self) -> Pipeline:
        section = self._section
        self._check_keys(section, _PIPELINE, "a pipeline")
        for name, found in self._get_mapping(section, "parameters").items():
            self._parameters[name] = self._read_parameter(name, found)
        for name, found in self._get_mapping(section, "data_references").items():
            self._references[name] = self._read_reference(name, found)
        steps = self._get_mapping(section, "steps")
        if not steps:
            self._fail(section, "steps", "a pipeline needs at least one step")
        made = [self._read_step(name, steps, steps[name]) for name in steps]
        return Pipeline(self._workspace, made, description=section.get("description") or section.get("name"))

    def _fail(self, section: _Mapping, key: str, words: str) -> NoReturn:
        line = section.lines.get(key) or min(section.lines.values(), default=1)
        raise UserErrorException(f"{self._filename}:{line}: {words}")

    def _check_keys(self, section: _Mapping, known: tuple[str, ...], what: str) -> None:
        for key in section:
            if key not in known:
                self._fail(section, key, f"unknown key '{key}' in {what}{did_you_mean(key, known)}")

    def _get_mapping(self, section: _Mapping, key: str) -> _Mapping:
        found = section.get(key)
        if found is None:
            empty = _Mapping()
            empty.lines = {}
            return empty
        if not isinstance(found, _Mapping):
            self._fail(section, key, f"'{key}' is a mapping of names")
        return found

    def _read_parameter(self, name: str, found: Any) -> PipelineParameter:
        section = self._get_mapping(self._section, "parameters")
        if not isinstance(found, _Mapping) or "default" not in found:
            self._fail(section, name, f"the parameter '{name}' needs its 'type' and its 'default'")
        default, kind = found["default"], found.get("type", "string")
        if kind == "datapath":
            store = self._find_datastore(default, "datastore")
            return PipelineParameter(name, DataPath(store, default.get("path_on_datastore")))
        kinds = {"int": int, "float": float, "string": str, "bool": bool}
        if kind not in kinds:
            self._fail(found, "type", f"unknown type '{kind}'{did_you_mean(str(kind), kinds)}; use {', '.join(kinds)}")
        try:
            return PipelineParameter(name, kinds[kind](default))
        except ValueError:
            self._fail(found, "default", f"{default!r} is not of type {kind}")

    def _find_datastore(self, section: Any, key: str) -> Any:
        from smalt.v1.modules import find_name

        if not isinstance(section, _Mapping) or key not in section:
            raise UserErrorException(f"{self._filename}: a path on a datastore needs '{key}' and 'path_on_datastore'")
        try:
            return find_name("azureml.core", "Datastore").get(self._workspace, section[key])
        except AzureMLException as error:
            self._fail(section, key, str(error))

    def _read_reference(self, name: str, found: Any) -> Any:
        from smalt.v1.data.registration import find_dataset

        section = self._get_mapping(self._section, "data_references")
        if not isinstance(found, _Mapping):
            self._fail(section, name, f"the data reference '{name}' needs a datastore or a dataset_name")
        if "dataset_name" in found or "dataset_id" in found:
            key = "dataset_name" if "dataset_name" in found else "dataset_id"
            label, _, version = str(found[key]).partition(":")
            try:
                return find_dataset(self._workspace, label, version or "latest")
            except AzureMLException as error:
                self._fail(found, key, str(error))
        store = self._find_datastore(found, "datastore")
        queries = {key: found[key] for key in ("sql_table", "sql_query", "sql_stored_procedure") if found.get(key)}
        if queries:
            return SqlDataReference(store, name, **queries)
        return DataReference(store, name, found.get("path_on_datastore"))

    def _read_step(self, name: str, steps: _Mapping, step: Any) -> PipelineStep:
        if not isinstance(step, _Mapping):
            self._fail(steps, name, f"the step '{name}' is a mapping with its 'type'")
        kind, content = step.get("type"), step
        for key, old in _OLD.items():
            if key in step and kind is None:
                kind, content = old, step[key]
        if kind not in _SERVED:
            if kind in _REFUSED:
                from smalt.v1.pipeline.steps import service_steps

                try:
                    getattr(service_steps, str(kind))(name=name)
                except AzureMLException as error:
                    self._fail(steps, name, str(error))
            hint = did_you_mean(str(kind), _SERVED) or f"; it is one of {', '.join(_SERVED)}"
            self._fail(step, "type", f"step '{name}': unknown type {kind!r}{hint}")
        self._check_keys(step, (*_STEP, *_OLD), f"the step '{name}'")
        try:
            return self._make_step(str(kind), name, step, content)
        except AzureMLException as error:
            if str(error).startswith(self._filename):
                raise
            self._fail(steps, name, str(error))

    def _make_step(self, kind: str, name: str, step: _Mapping, content: _Mapping) -> PipelineStep:
        from smalt.v1.pipeline.steps import module_steps, parallel_steps, script_steps
        from smalt.v1.run_configuration import RunConfiguration

        inputs = {key: self._read_input(key, one) for key, one in self._get_mapping(step, "inputs").items()}
        sides = {key: self._read_input(key, one) for key, one in self._get_mapping(step, "side_inputs").items()}
        outputs = {key: self._read_output(key, one) for key, one in self._get_mapping(step, "outputs").items()}
        arguments = [self._read_argument(one, {**inputs, **sides}, outputs) for one in step.get("arguments") or ()]
        title = content.get("name") or name
        if kind == "DataTransferStep":
            return self._make_transfer(title, step)
        if kind == "ParallelRunStep":
            config = parallel_steps.ParallelRunConfig.load_yaml(self._workspace, str(step["parallel_run_config"]))
            return parallel_steps.ParallelRunStep(
                title,
                config,
                list(inputs.values()),
                next(iter(outputs.values()), None),
                list(sides.values()),
                arguments,
                step.get("allow_reuse", True),
            )
        shared: dict[str, Any] = {
            "compute_target": step.get("compute") or self._section.get("default_compute"),
            "runconfig": RunConfiguration.load(str(step["runconfig"])) if step.get("runconfig") else None,
            "runconfig_pipeline_params": self._read_values(step, "runconfig_parameters"),
            "params": self._read_values(step, "parameters"),
        }
        if kind == "ModuleStep":
            from smalt.v1.pipeline.module import Module

            module = Module.get(self._workspace, content.get("id"), content.get("name"))
            return module_steps.ModuleStep(
                module, content.get("version"), None, inputs, outputs, arguments=arguments, name=name, **shared
            )
        shared.update(inputs=list(inputs.values()), outputs=list(outputs.values()), name=title)
        shared.update(source_directory=content.get("source_directory"), allow_reuse=content.get("allow_reuse", True))
        shared.update(version=content.get("version"))
        if kind == "CommandStep":
            return script_steps.CommandStep([str(content.get("command")), *arguments], **shared)
        if not content.get("script_name"):
            self._fail(step, "script_name", f"step '{name}' needs its script_name")
        return script_steps.PythonScriptStep(str(content["script_name"]), arguments=arguments, **shared)

    def _make_transfer(self, title: str, step: _Mapping) -> PipelineStep:
        from smalt.v1.pipeline.steps.service_steps import DataTransferStep

        source, target = (
            next(iter(self._read_input(one, found) for one, found in self._get_mapping(step, key).items()))
            for key in ("source_data_reference", "destination_data_reference")
        )
        types = (step.get("source_reference_type"), step.get("destination_reference_type"))
        return DataTransferStep(
            title, getattr(source, "bind_object", source), getattr(target, "bind_object", target), None, *types
        )

    def _read_input(self, name: str, found: Any) -> Any:
        if not isinstance(found, _Mapping) or not found.get("source"):
            raise UserErrorException(f"{self._filename}: the input '{name}' needs a 'source'")
        source, mode = str(found["source"]), found.get("bind_mode") or found.get("type") or "mount"
        if mode not in ("mount", "download"):
            self._fail(found, "bind_mode", f"the input '{name}' has the bind_mode {mode!r}; use mount or download")
        parameter = self._parameters.get(source)
        if parameter is not None and isinstance(parameter.default_value, DataPath):
            return parameter, DataPathComputeBinding(mode, found.get("path_on_compute"))
        given = self._references.get(source)
        if given is None:
            given = self._data.setdefault(source, PipelineData(source))
        return InputPortBinding(name, given, mode, found.get("path_on_compute"))

    def _read_output(self, name: str, found: Any) -> PipelineData:
        if not isinstance(found, _Mapping) or not found.get("destination"):
            raise UserErrorException(f"{self._filename}: the output '{name}' needs a 'destination'")
        made = self._data.setdefault(str(found["destination"]), PipelineData(str(found["destination"])))
        made.output_name = name
        made.output_mode = found.get("bind_mode") or found.get("type") or "mount"
        if found.get("datastore"):
            made.datastore = self._find_datastore(found, "datastore")
        return made

    def _read_argument(self, value: Any, inputs: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return an argument; `input:NAME`, `output:NAME` and `parameter:NAME` stand for those."""
        text = str(value)
        kind, _, name = text.partition(":")
        known = {"input": inputs, "side_input": inputs, "output": outputs, "parameter": self._parameters}.get(kind)
        return known.get(name, text) if known is not None else value

    def _read_values(self, step: _Mapping, key: str) -> dict[str, Any]:
        """Return the values of `parameters`; a `source` is a parameter of the pipeline."""
        found = {}
        for name, value in self._get_mapping(step, key).items():
            if isinstance(value, _Mapping) and "source" in value:
                if value["source"] not in self._parameters:
                    hint = did_you_mean(str(value["source"]), self._parameters)
                    self._fail(value, "source", f"the pipeline has no parameter '{value['source']}'{hint}")
                value = self._parameters[value["source"]]
            found[name] = value
        return found
