"""The job of an invocation of a model: a pipeline with one parallel step, which calls the scoring script."""

from __future__ import annotations

import hashlib
import json
import posixpath
import shlex
from typing import Any

from smalt import wire
from smalt.entities import PipelineJob
from smalt.entities.endpoints.batch_deployment import BatchRetrySettings, ModelBatchDeployment
from smalt.entities.endpoints.invocation import BatchInvocation
from smalt.entities.jobs.inputs import Input
from smalt.entities.jobs.parallel import ParallelComponent
from smalt.entities.jobs.resources import JobResourceConfiguration
from smalt.entities.rules.parallel import DATA
from smalt.entities.syntax.expression import has_expression
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.service.engine.context import EngineContext
from smalt.service.records import assets
from smalt.service.records.workspaces import Workspace
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, build_asset_id, build_workspace_id

Body = dict[str, Any]

STEP, OUTPUT = "batchscoring", "score"
"""The names of the step, and of its output, as the service has them."""
MODEL_INPUT = "azureml_model"
RESOLVED = "smalt"
"""The property of a deployment with what the server has looked up for it; no client is shown it."""
_LEVELS = {"debug": "DEBUG", "info": "INFO", "warning": "WARNING"}


def build_scoring_body(
    context: EngineContext, workspace: Workspace, properties: Body, invocation: BatchInvocation
) -> Body:
    """Return the REST properties of the job; raise ValidationException with all problems.

    The step has a component of its own without a name, as Azure's clients read no other parallel steps.
    """
    resolved = properties.get(RESOLVED) or {}
    deployment = _change_settings(read_deployment(properties), invocation)
    problems: list[str] = []
    name, data = _choose_input(invocation, problems)
    output, folder, file = _choose_output(deployment, invocation, problems)
    problems += [f"{where}: {words}" for where, words in find_setting_problems(deployment)]
    if problems:
        raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in problems])
    component = _make_component(deployment, data.type or "uri_folder", file, resolved)
    step = _make_step(deployment, _put_component(context, workspace, component), name, output, resolved)
    job = PipelineJob.from_dict(
        {
            "type": "pipeline",
            "inputs": {name: data},
            "outputs": {output: {"type": "uri_folder", **({"path": folder} if folder else {})}},
            "jobs": {STEP: step},
        }
    )
    body: Body = wire.to_rest(job)["properties"]
    return body


def _make_step(deployment: ModelBatchDeployment, component: str, name: str, output: str, resolved: Body) -> Body:
    """Return the step that reads the pipeline's input `name` and writes its output `output`."""
    inputs: Body = {"data": f"${{{{parent.inputs.{name}}}}}"}
    if deployment.model:
        inputs[MODEL_INPUT] = {"type": _get_model_type(resolved), "path": deployment.model}
    step = {
        "type": "parallel",
        "component": component,
        "compute": deployment.compute,
        "inputs": inputs,
        "outputs": {OUTPUT: f"${{{{parent.outputs.{output}}}}}"},
        "environment_variables": dict(deployment.environment_variables or {}) or None,
        "resources": (deployment.resources.to_dict() if deployment.resources is not None else None) or None,
    }
    return {key: value for key, value in step.items() if value is not None}


def _make_component(deployment: ModelBatchDeployment, data_type: str, file: str, resolved: Body) -> ParallelComponent:
    """Return the parallel component that calls the deployment's script, with the service's defaults."""
    retry = deployment.retry_settings
    appends = deployment.output_action != "summary_only"
    inputs = {"data": {"type": data_type}}
    if deployment.model:
        inputs[MODEL_INPUT] = {"type": _get_model_type(resolved)}
    task = {
        "type": "run_function",
        "code": deployment.code_configuration.code if deployment.code_configuration else None,
        "entry_script": deployment.scoring_script,
        "environment": deployment.environment or resolved.get("environmentId"),
        "program_arguments": f"--append_row_file_name {shlex.quote(file)}" if appends else None,
        "append_row_to": f"${{{{outputs.{OUTPUT}}}}}" if appends else None,
        "model": f"${{{{inputs.{MODEL_INPUT}}}}}" if deployment.model else None,
    }
    return ParallelComponent.from_dict(
        {
            "type": "parallel",
            "name": STEP,
            "inputs": inputs,
            "outputs": {OUTPUT: {"type": "uri_folder"}},
            "input_data": "${{inputs.data}}",
            "task": {key: value for key, value in task.items() if value is not None},
            "is_deterministic": False,
            "mini_batch_size": str(deployment.mini_batch_size or 10),
            "max_concurrency_per_instance": deployment.max_concurrency_per_instance or 1,
            "error_threshold": -1 if deployment.error_threshold is None else deployment.error_threshold,
            "retry_settings": {
                "max_retries": 3 if retry is None or retry.max_retries is None else retry.max_retries,
                "timeout": 30 if retry is None or retry.timeout is None else retry.timeout,
            },
            "logging_level": _LEVELS[(deployment.logging_level or "info").lower()],
        }
    )


def _put_component(context: EngineContext, workspace: Workspace, component: ParallelComponent) -> str:
    """Register a component without a name, once for equal content, and return its id."""
    properties = {**wire.to_rest(component)["properties"], "isAnonymous": True}
    version = hashlib.sha256(json.dumps(properties, sort_keys=True).encode()).hexdigest()
    if assets.get_version(context.db, workspace.id, "components", ANONYMOUS_COMPONENT, version) is None:
        assets.put_version(
            context.db, workspace.id, "components", ANONYMOUS_COMPONENT, version, properties, workspace.created_by
        )
    where = build_workspace_id(workspace.subscription, workspace.resource_group, workspace.name)
    return build_asset_id(where, "components", ANONYMOUS_COMPONENT, version)


def _get_model_type(resolved: Body) -> str:
    return str(resolved.get("modelType") or "custom_model")


def read_deployment(properties: Body) -> ModelBatchDeployment:
    flat = {key: value for key, value in properties.items() if key != RESOLVED}
    found = wire.from_rest({"name": "deployment", "properties": flat}, "batch_deployment")
    assert isinstance(found, ModelBatchDeployment)
    return found


def find_setting_problems(deployment: ModelBatchDeployment) -> list[tuple[str, str]]:
    """Return the settings of a deployment that no job can have, each with a sentence."""
    found = []
    file = _get_file_name(deployment)
    if file.startswith("/") or ".." in file.split("/") or file.endswith("/") or has_expression(file):
        found.append(("output_file_name", f"'{file}' is no name of a file in the output's folder"))
    if deployment.logging_level and deployment.logging_level.lower() not in _LEVELS:
        found.append(("logging_level", f"'{deployment.logging_level}' is no level; write debug, info or warning"))
    return found


def _get_file_name(deployment: ModelBatchDeployment) -> str:
    return deployment.output_file_name or "predictions.csv"


def _change_settings(deployment: ModelBatchDeployment, invocation: BatchInvocation) -> ModelBatchDeployment:
    """Return the deployment with the settings that the invocation changes."""
    for key in ("mini_batch_size", "error_threshold", "output_file_name"):
        if (value := getattr(invocation, key)) is not None:
            setattr(deployment, key, value)
    if invocation.retry_settings is not None:
        deployment.retry_settings = BatchRetrySettings(
            **_merge_settings(deployment.retry_settings, invocation.retry_settings)
        )
    if (compute := invocation.compute) is not None:
        deployment.compute = compute.target or deployment.compute
        changed = {"instance_count": compute.instance_count, "instance_type": compute.instance_type}
        known = _merge_settings(deployment.resources, JobResourceConfiguration(**changed))
        deployment.resources = JobResourceConfiguration(**known)
    return deployment


def _merge_settings(one: Any, other: Any) -> dict[str, Any]:
    return {**(one.to_dict() if one is not None else {}), **other.to_dict()}


def _choose_input(invocation: BatchInvocation, problems: list[str]) -> tuple[str, Any]:
    """Return the name and the value of the one input of data that a deployed model takes."""
    for name, one in invocation.inputs.items():
        where = f"inputData.{name}: a deployed model takes"
        if not isinstance(one, Input):
            problems.append(f"{where} no literals; deploy a pipeline component for that")
        elif (one.type or "uri_folder") not in DATA:
            problems.append(f"{where} data (uri_folder, uri_file or mltable), no {one.type}")
    if len(invocation.inputs) != 1:
        count = len(invocation.inputs) or "none"
        problems.append(f"inputData: a deployed model takes one input of data, and the request has {count}")
        return "data", None
    return next(iter(invocation.inputs.items()))


def _choose_output(
    deployment: ModelBatchDeployment, invocation: BatchInvocation, problems: list[str]
) -> tuple[str, str | None, str]:
    """Return the name of the job's output, its folder if one is given, and the name of the file with the rows."""
    file = _get_file_name(deployment)
    if len(invocation.outputs) > 1:
        problems.append("outputData: a deployed model has one output, and the request names more")
    if not invocation.outputs:
        return OUTPUT, _find_folder(invocation, problems), file
    name, one = next(iter(invocation.outputs.items()))
    if (one.type or "uri_folder") == "uri_folder":
        return name, one.path, file
    if one.type != "uri_file":
        problems.append(f"outputData.{name}: the output of a deployed model is uri_folder or uri_file, not {one.type}")
    elif deployment.output_action == "summary_only":
        problems.append(f"outputData.{name}: with summary_only there is no file of rows; send a UriFolder")
    elif one.path:
        return name, f"{posixpath.dirname(one.path)}/", posixpath.basename(one.path)
    return name, None, file


def _find_folder(invocation: BatchInvocation, problems: list[str]) -> str | None:
    """Return the folder that `outputDataset`, of the older contract, names."""
    given = invocation.output_dataset
    if given is None:
        return None
    if not given.datastore_id:
        problems.append("outputDataset: name the datastore, as datastoreId")
        return None
    name = given.datastore_id.removeprefix("azureml:").rstrip("/").rpartition("/")[2]
    return f"azureml://datastores/{name}/paths/{(given.path or '').strip('/')}/"
