"""The graph of a pipeline in the making: names of steps, bindings of their inputs, parameters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from smalt.dsl.names import sanitize_name
from smalt.entities.jobs.inputs import ORDERS_STEPS, Input, Output
from smalt.v1.command_ports import CommandPorts, find_ports, get_origin
from smalt.v1.commands import CommandParts
from smalt.v1.exceptions import UserErrorException
from smalt.v1.ports import MODES, DataPort, find_port

if TYPE_CHECKING:
    from smalt.v1.pipeline.steps.base import PipelineStep

ORDER = "order"
"""The output of a step that others run after and that has no other."""


class PipelineBinder:
    """A pipeline in the making. Steps are built in an order in which each comes after those that it reads."""

    def __init__(
        self,
        steps: Iterable[PipelineStep],
        client: Any = None,
        values: Mapping[str, Any] | None = None,
        source_directory: str | None = None,
    ) -> None:
        self.steps, self.client, self.source_directory = list(steps), client, source_directory
        self.inputs: dict[str, Any] = {}
        self.outputs: dict[str, Output] = {}
        self.metrics: dict[str, str] = {}
        """By name of an output that is metrics: the step whose trials they are of."""
        self.fixed: set[str] = set()
        """The parameters that set how a step runs: their values are part of the steps."""
        self._values = dict(values or {})
        self._parameters: dict[str, Any] = {}
        self.keys = _name_steps(self.steps)
        self._ports: dict[int, CommandPorts] = {}
        self._written: dict[int, dict[str, Any]] = {}

    def begin_command(self, step: PipelineStep, is_shell: bool = False) -> CommandParts:
        """Return the command of a step, with its inputs, its outputs and its order among the steps."""
        parts = CommandParts()
        ports = parts.ports = self._ports[id(step)] = CommandPorts(parts, self, is_step=True, is_shell=is_shell)
        ports.declare(step.inputs, "inputs")
        ports.declare(step.outputs, "outputs")
        self.add_order(step, parts)
        return parts

    def add_order(self, step: PipelineStep, parts: CommandParts) -> None:
        """Add the inputs that only make the step wait."""
        for earlier in step.list_waits():
            written = self._written[id(earlier)]
            port = next(iter(written), None)
            if port is None:
                raise UserErrorException(
                    f"the step '{step.name}' cannot run after '{earlier.name}': that has no output which could order "
                    f"them"
                )
            if step.copies_inputs and getattr(written[port], "description", None) != ORDERS_STEPS:
                raise UserErrorException(
                    f"the step '{step.name}' copies its inputs, so that run_after would make it copy what "
                    f"'{earlier.name}' writes as well; put a step without outputs between them"
                )
            key = self.keys[id(earlier)]
            parts.inputs[f"after_{key}"] = f"${{{{parent.jobs.{key}.outputs.{port}}}}}"

    def finish_command(self, step: PipelineStep, parts: CommandParts) -> None:
        """Add the output by which others run after the step, and bind those that are the pipeline's."""
        if not parts.outputs and any(step in other.earlier for other in self.steps):
            parts.outputs[ORDER] = Output(type="uri_folder", description=ORDERS_STEPS)
        ports = find_ports(parts)
        for value in step.outputs:
            source = get_origin(value)
            name, port = getattr(source, "pipeline_output_name", None), ports.get_name(source)
            if name is not None and port is not None and isinstance(parts.outputs[port], Output):
                if name in self.outputs:
                    raise UserErrorException(f"two steps have the pipeline_output_name '{name}'; rename one")
                self.outputs[name] = parts.outputs[port]
                parts.outputs[port] = f"${{{{parent.outputs.{name}}}}}"
        self.note_outputs(step, parts.outputs)

    def note_outputs(self, step: PipelineStep, outputs: Mapping[str, Any], ports: Any = None) -> None:
        """Remember what a step writes, for those that read it."""
        self._written[id(step)] = dict(outputs)
        if ports is not None:
            self._ports[id(step)] = ports

    def note_metrics(self, step: PipelineStep, source: Any) -> None:
        """Remember that the metrics of a step's trials are asked for by a name of the pipeline's outputs."""
        if any(source is one for other in self.steps for one in _list_read(other)):
            raise UserErrorException(
                f"'{source.name}' is the metrics of the trials of '{step.name}', which no step can read; read them in "
                "the program, by get_pipeline_output, or by MLflow"
            )
        self.metrics[source.pipeline_output_name or source.name] = self.keys[id(step)]

    # What ports ask

    def note_parameter(self, parameter: Any) -> Any:
        """Make a parameter an input of the pipeline, and return its value."""
        value = self.get_value(parameter)
        self.inputs[parameter.name] = value
        return value

    def fill_setting(self, value: Any) -> Any:
        """Return a setting of a step as it is in this submission; one that is a parameter becomes an input."""
        if not hasattr(value, "default_value"):
            return value
        self.fixed.add(value.name)
        return self.note_parameter(value)

    def get_value(self, parameter: Any) -> Any:
        """Return the value that a parameter has in this submission."""
        return self._values.get(parameter.name, parameter.default_value)

    def bind_parameter(self, parameter: Any, port: DataPort | None) -> Any:
        known = self._parameters.setdefault(parameter.name, parameter)
        if known is not parameter and known.default_value != parameter.default_value:
            raise UserErrorException(
                f"two parameters are called '{parameter.name}', with the defaults {known.default_value!r} and "
                f"{parameter.default_value!r}; rename one"
            )
        value = self.get_value(parameter)
        binding = f"${{{{parent.inputs.{parameter.name}}}}}"
        if port is None:
            if hasattr(value, "to_input"):
                raise UserErrorException(
                    f"the parameter '{parameter.name}' is data; pair it with DataPathComputeBinding(), or make it a "
                    "DatasetConsumptionConfig"
                )
            self.inputs[parameter.name] = value
            return binding
        if not hasattr(value, "to_input"):
            raise UserErrorException(
                f"the parameter '{parameter.name}' stands for data, and its value is {value!r}; give a DataPath or a "
                f"dataset"
            )
        made: Input = value.to_input(port.mode, self.client)
        self.inputs[parameter.name] = made
        return binding if made.mode is None else Input(path=binding, mode=made.mode)

    def bind_product(self, source: Any, port: DataPort) -> Any:
        origin = get_origin(source)
        producer = getattr(origin, "producer", None)
        if producer is None:
            raise UserErrorException(
                f"'{origin.name}' is an input of a step, but no step has it among its outputs; add it to those of the "
                "step that writes it"
            )
        ports = self._ports.get(id(producer))
        name = ports.get_name(origin) if ports is not None else None
        if name is None:
            raise UserErrorException(
                f"'{origin.name}' is written by step '{producer.name}', which is not in the pipeline"
            )
        binding = f"${{{{parent.jobs.{self.keys[id(producer)]}.outputs.{name}}}}}"
        mode = MODES.get(port.mode or "mount")
        return Input(path=binding, mode=mode) if mode == "download" else binding


def _list_read(step: PipelineStep) -> list[Any]:
    """Return the data that a step reads."""
    found = [port.source for value in [*step.inputs, *step.arguments] if (port := find_port(value)) is not None]
    return [get_origin(source) for source in found]


def _name_steps(steps: list[PipelineStep]) -> dict[int, str]:
    """Return the name of each step in v2, by the step's id: of letters, digits and '_', each once."""
    found: dict[int, str] = {}
    for step in steps:
        plain = re.sub(r"[^\x00-\x7f]+", "_", step.name)
        base = sanitize_name(re.sub(r"\.(py|R|r|sh)$", "", plain)) or "step"
        name, number = base, 1
        while name in found.values():
            name, number = f"{base}_{number}", number + 1
        found[id(step)] = name
    return found
