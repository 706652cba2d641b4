"""The job of an invocation of a pipeline component: a pipeline job that names the component."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities.endpoints.invocation import UNNAMED, BatchInvocation
from smalt.entities.jobs.inputs import ASSETS, Input
from smalt.entities.schema.problems import join_words
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.codec import Writing
from smalt.wire.encoding.references import AS_WRITTEN
from smalt.wire.jobs.inputs import write_inputs, write_outputs

Body = dict[str, Any]

OF_MODELS = ("mini_batch_size", "error_threshold", "retry_settings", "compute", "output_file_name", "output_dataset")
"""The settings of an invocation that only deployments of models have."""


def build_pipeline_body(
    context: EngineContext, workspace: Workspace, configuration: Body, invocation: BatchInvocation
) -> Body:
    """Return the REST properties of the job; `configuration` is the deployment's `deploymentConfiguration`."""
    component_id = str(configuration["componentId"]["assetId"])
    settings_of_models = [key for key in OF_MODELS if vars(invocation).get(key) is not None]
    if settings_of_models:
        words = "a deployment of a pipeline component has no such setting; deployments of models have it"
        raise ValidationException([LocatedProblem("", 0, 0, f"{key}: {words}") for key in settings_of_models])
    component: Any = wire.from_rest(
        {"properties": lookup.find_component(context, workspace, component_id)}, "component", is_answer=True
    )
    settings = dict(configuration.get("settings") or {})
    compute = settings.pop("default_compute", None)
    return {
        "jobType": "Pipeline",
        "componentId": component_id,
        "inputs": write_inputs(_assign_unnamed(component.inputs, invocation.inputs), Writing(AS_WRITTEN)),
        "outputs": write_outputs(invocation.outputs, Writing(AS_WRITTEN)),
        "settings": {**settings, **({"default_compute": compute} if compute else {})},
    }


def _assign_unnamed(declared: dict[str, Any], inputs: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with the one that has no name of its own as the only data that the component takes."""
    unnamed = [name for name in inputs if name in UNNAMED and name not in declared]
    if not unnamed:
        return inputs
    data = [name for name, one in declared.items() if isinstance(one, Input) and one.type in ASSETS]
    if len(data) != 1:
        known = f"its data inputs are {join_words(map(repr, data), 'and')}" if data else "it takes no data"
        raise ValidationException(
            f"inputData: the deployed component has no single data input: {known}; name each input"
        )
    return {data[0] if name in unnamed else name: value for name, value in inputs.items()}
