"""`AutoMLStep`: AutoML as a step of a pipeline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Output
from smalt.v1.automl.config import AutoMLConfig
from smalt.v1.command_ports import get_origin
from smalt.v1.exceptions import UserErrorException
from smalt.v1.notices import tell_no_effect
from smalt.v1.pipeline.steps.base import PipelineStep
from smalt.v1.pipeline.steps.sweep_steps import find_training_kind
from smalt.v1.ports import find_port

if TYPE_CHECKING:
    from smalt.v1.pipeline.binding import PipelineBinder

BEST_MODEL = "best_model"
"""The output that every AutoML step of v2 has."""


class AutoMLStep(PipelineStep):
    def __init__(
        self,
        name: str,
        automl_config: AutoMLConfig,
        inputs: Sequence[Any] | None = None,
        outputs: Sequence[Any] | None = None,
        script_repl_params: Mapping[str, Any] | None = None,
        allow_reuse: bool = True,
        version: str | None = None,
        hash_paths: Any = None,
        enable_default_model_output: bool = True,
        enable_default_metrics_output: bool = True,
        **kwargs: Any,
    ) -> None:
        if not isinstance(automl_config, AutoMLConfig):
            raise UserErrorException(f"automl_config is an AutoMLConfig, not {type(automl_config).__name__}")
        given = {"script_repl_params": script_repl_params, "version": version, "hash_paths": hash_paths, **kwargs}
        tell_no_effect("AutoMLStep", given, "an AutoML step of v2 has no such setting")
        for one in outputs or ():
            if find_training_kind(one) is None:
                raise UserErrorException(
                    f"step '{name}': an output of an AutoMLStep is PipelineData with "
                    f"training_output=TrainingOutput('Model') "
                    "or TrainingOutput('Metrics')"
                )
        self.automl_config, self.allow_reuse = automl_config, allow_reuse
        self.metrics = [one for one in outputs or () if find_training_kind(one) == "Metrics"]
        data = [automl_config.user_settings[key] for key in ("training_data", "validation_data", "test_data")]
        read = [*(inputs or ()), *(one for one in data if find_port(one) is not None)]
        super().__init__(name, read, outputs)

    def to_node(self, binder: PipelineBinder) -> Any:
        if waits := self.list_waits():
            raise UserErrorException(
                f"the step '{self.name}' is an AutoML step, which can wait for data only; give it data of "
                f"'{waits[0].name}'"
            )
        node = self.automl_config.to_job(binder, is_step=True, display_name=self.name)
        models = [get_origin(one) for one in self.outputs if one not in self.metrics]
        output: Any = Output(type="mlflow_model")
        for source in models:
            if source.pipeline_output_name:
                binder.outputs[source.pipeline_output_name] = output
                output = f"${{{{parent.outputs.{source.pipeline_output_name}}}}}"
                break
        dict.__setitem__(node.outputs, BEST_MODEL, output)
        binder.note_outputs(self, {BEST_MODEL: output}, _ModelPorts(models))
        for one in self.metrics:
            binder.note_metrics(self, get_origin(one))
        if not self.allow_reuse:
            vars(node)["is_deterministic"] = False
        return node


class _ModelPorts:
    """The ports of an AutoML step: whatever a program calls its model is the step's `best_model`."""

    def __init__(self, sources: Sequence[Any]) -> None:
        self._sources = list(sources)

    def get_name(self, source: Any, side: str = "outputs") -> str | None:
        return BEST_MODEL if any(get_origin(source) is one for one in self._sources) else None
