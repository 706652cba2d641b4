"""The job of an invocation of a pipeline component: a pipeline job that names the component."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.problems import join_words
from smalt.exceptions import ValidationException
from smalt.service.endpoints.batch.invocation_body import TYPES, UNNAMED, InvocationBody
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.casing import fold_case

Body = dict[str, Any]


def build_pipeline_body(
    context: EngineContext, workspace: Workspace, configuration: Body, invocation: InvocationBody
) -> Body:
    """Return the REST properties of the job; `configuration` is the deployment's `deploymentConfiguration`."""
    component_id = str(configuration["componentId"]["assetId"])
    if invocation.settings or invocation.output_folder:
        raise ValidationException(_refuse_settings(invocation))
    component: Any = wire.from_rest(
        {"properties": lookup.find_component(context, workspace, component_id)}, "component", is_answer=True
    )
    settings = dict(configuration.get("settings") or {})
    compute = settings.pop("default_compute", None)
    return {
        "jobType": "Pipeline",
        "componentId": component_id,
        "inputs": _assign_unnamed(component.inputs, invocation.inputs),
        "outputs": invocation.outputs,
        "settings": {**settings, **({"default_compute": compute} if compute else {})},
    }


def _assign_unnamed(declared: dict[str, Any], inputs: dict[str, Body]) -> dict[str, Body]:
    """Return the inputs with the one that has no name of its own as the only data that the component takes."""
    unnamed = [name for name in inputs if fold_case(name) in UNNAMED and name not in declared]
    if not unnamed:
        return inputs
    data = [name for name, one in declared.items() if isinstance(one, Input) and one.type in TYPES]
    if len(data) != 1:
        known = f"its data inputs are {join_words(map(repr, data), 'and')}" if data else "it takes no data"
        raise ValidationException(
            f"inputData: the deployed component has no single data input: {known}; name each input"
        )
    return {data[0] if name in unnamed else name: value for name, value in inputs.items()}


def _refuse_settings(invocation: InvocationBody) -> str:
    keys = [*invocation.settings, *(["outputDataset"] if invocation.output_folder else [])]
    return f"{keys[0]}: a deployment of a pipeline component has no such setting; deployments of models have it"
