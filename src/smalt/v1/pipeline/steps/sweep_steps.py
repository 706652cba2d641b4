"""`HyperDriveStep`: a sweep as a step of a pipeline."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Output
from smalt.v1.command_ports import find_ports, get_origin
from smalt.v1.exceptions import UserErrorException
from smalt.v1.hyperdrive.config import HyperDriveConfig
from smalt.v1.pipeline.steps.base import PipelineStep

if TYPE_CHECKING:
    from smalt.v1.pipeline.binding import PipelineBinder


class HyperDriveStep(PipelineStep):
    def __init__(
        self,
        name: str,
        hyperdrive_config: HyperDriveConfig,
        estimator_entry_script_arguments: Sequence[Any] | None = None,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        metrics_output: Any = None,
        allow_reuse: bool = True,
        version: str | None = None,
    ) -> None:
        if not isinstance(hyperdrive_config, HyperDriveConfig):
            raise UserErrorException(f"hyperdrive_config is a HyperDriveConfig, not {type(hyperdrive_config).__name__}")
        listed = [*(outputs or ()), *([metrics_output] if metrics_output is not None else ())]
        self.metrics = [one for one in listed if one is metrics_output or find_training_kind(one) == "Metrics"]
        self.hyperdrive_config, self.allow_reuse, self.version = hyperdrive_config, allow_reuse, version
        arguments = [*hyperdrive_config.run_config.arguments, *(estimator_entry_script_arguments or ())]
        super().__init__(name, inputs, [one for one in listed if one not in self.metrics], arguments)
        for one in self.metrics:
            get_origin(one).producer = self
        self._own_arguments = list(estimator_entry_script_arguments or ())

    def to_node(self, binder: PipelineBinder) -> Any:
        parts = binder.begin_command(self, is_shell=True)
        ports = find_ports(parts)
        copies = []
        for one in self.outputs:
            port = ports.get_name(one)
            if find_training_kind(one) == "Model" and port is not None:
                parts.outputs[port], copy = _copy_model(get_origin(one).training_output.model_file, port)
                copies.append(copy)
        if self.version:
            parts.variables["AZUREML_STEP_VERSION"] = str(self.version)
        arguments = ports.render_arguments(self._own_arguments)
        more: dict[str, Any] = {} if self.allow_reuse else {"is_deterministic": False}
        binder.finish_command(self, parts)
        node = self.hyperdrive_config.to_sweep(parts, arguments, "".join(copies), display_name=self.name, **more)
        binder.note_outputs(self, parts.outputs)
        for one in self.metrics:
            binder.note_metrics(self, get_origin(one))
        return node


def _copy_model(model_file: str | None, port: str) -> tuple[Output, str]:
    """Return the output for the model of the best trial, and the text by which each trial copies its model there."""
    is_file = bool(model_file) and bool(os.path.splitext(str(model_file))[1])
    source = shlex.quote(str(model_file or "outputs"))
    kind = "uri_file" if is_file else "uri_folder"
    return Output(type=kind), f" && cp -r {source if is_file else f'{source}/.'} ${{{{outputs.{port}}}}}"


def find_training_kind(value: Any) -> str | None:
    """Return Model or Metrics for PipelineData with a TrainingOutput; None for other data."""
    training = getattr(get_origin(value), "training_output", None)
    return None if training is None else str(training.type)
