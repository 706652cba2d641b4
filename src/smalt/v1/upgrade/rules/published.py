"""Published pipelines and their endpoints: batch endpoints of v2, whose deployments have a pipeline component each."""

from __future__ import annotations

import ast
import re

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.datasets import write_input
from smalt.v1.upgrade.texts import make_call, make_dict, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

ML = "azure.ai.ml"
_FIRST = '"v0"'
"""The name of an endpoint's first deployment."""
_BODY = "a request to it has v2's body: {'properties': {'InputData': {NAME: {'JobInputType': 'literal', 'Value': …}}}}"


def _write_name(value: Value) -> str:
    """Return the code of an endpoint's name, for which v2 takes letters, digits and '-', a letter first."""
    if value.is_text:
        made = re.sub(r"[^A-Za-z0-9]+", "-", value.constant).strip("-")
        return quote(made if made[:1].isalpha() else f"pipeline-{made}".strip("-"))
    return 'f"pipeline-{' + value.code.replace('"', "'") + '}"'


def _write_endpoint(call: Call, name: Value, held: str) -> str:
    arguments = [("name", _write_name(name))]
    arguments += [("description", call.arguments["description"].code)] if call.get("description") is not None else []
    endpoint = make_call(call.entity("BatchEndpoint"), arguments, call.indent + "    ", 4)
    operations = f"{call.client}.batch_endpoints.begin_create_or_update"
    return f"{held} = {operations}(\n{call.indent}    {endpoint}\n{call.indent}).result()"


def _write_deployment(call: Call, pipeline: Value, endpoint: str, name: str = _FIRST) -> str:
    """Return the code of a deployment of a pipeline, or of the job of one."""
    arguments = [("name", name), ("endpoint_name", f"{endpoint}.name")]
    if pipeline.kind == "PipelineRun":
        arguments.append(("job_definition", f'f"azureml:{{{pipeline.code}.name}}"'))
    elif pipeline.kind == "PublishedPipeline":
        arguments.append(("component", f"{pipeline.code}.component"))
    else:
        arguments.append(("component", f"{call.client}.components.create_or_update({pipeline.code}.component)"))
    arguments += [("description", call.arguments["description"].code)] if call.get("description") is not None else []
    on_failure = call.get("continue_on_step_failure")
    if on_failure is not None and on_failure.constant is not False:
        arguments.append(("settings", make_dict({"continue_on_step_failure": on_failure.code})))
    inner = call.indent + "    "
    deployment = make_call(call.entity("PipelineComponentBatchDeployment"), arguments, inner, 4)
    return f"{call.client}.batch_deployments.begin_create_or_update(\n{inner}{deployment}\n{call.indent}).result()"


def _write_default(call: Call, endpoint: str, deployment: str) -> list[str]:
    return [
        f"{endpoint}.defaults.deployment_name = {deployment}",
        f"{call.client}.batch_endpoints.begin_create_or_update({endpoint}).result()",
    ]


@rule(
    "Pipeline.publish",
    "Run.publish_pipeline",
    "PipelineRun.publish_pipeline",
    takes="name description version continue_on_step_failure **",
)
def _rewrite_publish(call: Call) -> Value:
    call.check_no_others("name", "description", "version", "continue_on_step_failure")
    if not call.target or "." in call.target:
        raise call.refuse("give the published pipeline a variable of its own")
    _note_inputs(call, call.object)
    endpoint = f"{call.target}_endpoint"
    call.rewriter.before.append(_write_endpoint(call, call.require("name"), endpoint))
    call.rewriter.after += _write_default(call, endpoint, f"{call.target}.name")
    call.rewriter.memory.published.add(call.object.code)
    return call.make(_write_deployment(call, call.object, endpoint), "PublishedPipeline", pipeline=call.object)


def _note_inputs(call: Call, pipeline: Value) -> None:
    writer = pipeline.facts.get("writer")
    if writer is not None and any(not writer.has_default(one) for one in writer.parameters.values()):
        call.note("v2's components have no default for data: an invocation gives all data")


@rule("PublishedPipeline.endpoint", "PipelineEndpoint.endpoint")
def _read_address(call: Call) -> Value:
    held = call.object.code
    if call.object.kind == "PublishedPipeline":
        held = f"{call.client}.batch_endpoints.get({held}.endpoint_name)"
    return call.make(f"{held}.scoring_uri", differs=_BODY)


@rule("PublishedPipeline.id", "PipelineEndpoint.id")
def _read_id(call: Call) -> Value:
    return call.make(f"{call.object.code}.id", "PublishedId", published=call.object)


@rule("PublishedPipeline.name")
def _read_name(call: Call) -> Value:
    return call.make(f"{call.object.code}.endpoint_name", differs="the endpoint's name; the deployment's is 'v0'")


@rule("PipelineEndpoint.name", "PublishedPipeline.description", "PipelineEndpoint.description")
def _read_field(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}")


@rule("PublishedPipeline.status", "PipelineEndpoint.status")
def _read_status(call: Call) -> Value:
    return call.make(f"{call.object.code}.provisioning_state", differs="'Succeeded' where v1 said 'Active'")


@rule("PublishedPipeline.get", takes="workspace id **")
def _get_published(call: Call) -> Value:
    id = call.require("id")
    code = f'{call.client}.batch_deployments.get({id.code}.split("/")[-1], {id.code}.split("/")[-3])'
    held = id.facts.get("published")
    return call.make(code, "PublishedPipeline", pipeline=held.facts.get("pipeline") if held is not None else None)


@rule("PublishedPipeline.list", "PublishedPipeline.get_all", takes="workspace active_only **")
def _list_published(call: Call) -> Value:
    endpoints, deployments = f"{call.client}.batch_endpoints.list()", f"{call.client}.batch_deployments"
    code = f"[one for endpoint in {endpoints} for one in {deployments}.list(endpoint.name)]"
    return call.make(code, "PublishedPipelines", element="PublishedPipeline")


@rule(
    "PublishedPipeline.submit",
    takes="workspace experiment_name pipeline_parameters _workflow_provider _service_endpoint parent_run_id "
    "continue_on_step_failure",
)
def _submit_published(call: Call) -> Value:
    call.check_no_others("workspace", "experiment_name", "pipeline_parameters")
    return invoke_published(call, call.object, call.require("experiment_name").code)


@rule(
    "PipelineEndpoint.submit",
    takes="experiment_name pipeline_parameters pipeline_version parent_run_id continue_on_step_failure **",
)
def _submit_endpoint(call: Call) -> Value:
    call.check_no_others("experiment_name", "pipeline_parameters", "pipeline_version")
    return invoke_published(call, call.object, call.require("experiment_name").code)


def invoke_published(call: Call, held: Value, experiment: str) -> Value:
    """Return the invocation of a batch endpoint, which is a job."""
    arguments = [("endpoint_name", f"{held.code}.endpoint_name"), ("deployment_name", f"{held.code}.name")]
    if held.kind == "PipelineEndpoint":
        version = call.get("pipeline_version")
        arguments = [("endpoint_name", f"{held.code}.name")]
        arguments += [("deployment_name", _name_version(version))] if version is not None else []
    given = call.get("pipeline_parameters")
    if given is not None:
        arguments.append(("inputs", make_dict(_read_inputs(call, given), call.indent + "    ")))
    arguments.append(("experiment_name", experiment))
    code = make_call(f"{call.client}.batch_endpoints.invoke", arguments, call.indent, call.prefix)
    return call.make(code, "PipelineRun")


def _name_version(version: Value) -> str:
    """Return the code of a deployment's name by v1's number of a version."""
    return quote(f"v{version.constant}") if version.constant is not UNKNOWN else f'f"v{{{version.code}}}"'


def _read_inputs(call: Call, given: Value) -> dict[str, str]:
    if not isinstance(given.node, ast.Dict) or not all(isinstance(key, ast.Constant) for key in given.node.keys):
        raise call.refuse("the text does not tell its pipeline_parameters")
    found: dict[str, str] = {}
    for key, node in zip(given.node.keys, given.node.values, strict=True):
        value = call.rewriter.read(node)
        found[str(key.value)] = _write_value(call, value)  # type: ignore[union-attr]
    return found


def _write_value(call: Call, value: Value) -> str:
    if value.kind in ("Dataset", "RegisteredDataset", "Table"):
        return write_input(call, value)
    types = {bool: "boolean", int: "integer", float: "number"}
    kind = types.get(type(value.constant), "string")
    return f"{call.use(ML, 'Input')}(type={quote(kind)}, default={value.code})"


# Pipeline endpoints


@rule("PipelineEndpoint.publish", takes="workspace name pipeline description **")
def _publish_endpoint(call: Call) -> Value:
    call.check_no_others("workspace", "name", "pipeline", "description")
    pipeline = call.require("pipeline")
    if not call.target or "." in call.target or pipeline.kind not in ("Pipeline", "PublishedPipeline"):
        raise call.refuse("the text does not tell its pipeline, or the endpoint has no variable of its own")
    _note_inputs(call, pipeline)
    endpoint = call.target
    call.rewriter.before.append(_write_endpoint(call, call.require("name"), endpoint))
    call.rewriter.before.append(f"{endpoint}_deployment = {_write_deployment(call, pipeline, endpoint)}")
    call.rewriter.before.append(_write_default(call, endpoint, f"{endpoint}_deployment.name")[0])
    call.rewriter.memory.published.add(pipeline.code)
    code = _write_default(call, endpoint, "")[1]
    return call.make(code, "PipelineEndpoint", pipeline=pipeline)


@rule("PipelineEndpoint.get", takes="workspace id name **")
def _get_endpoint(call: Call) -> Value:
    id, name = call.get("id"), call.get("name")
    code = _write_name(name) if name is not None else f'{call.require("id").code}.split("/")[-1]'
    held = id.facts.get("published") if id is not None else None
    pipeline = held.facts.get("pipeline") if held is not None else None
    return call.make(f"{call.client}.batch_endpoints.get({code})", "PipelineEndpoint", pipeline=pipeline)


@rule("PipelineEndpoint.list", takes="workspace active_only **")
def _list_endpoints(call: Call) -> Value:
    code = f"list({call.client}.batch_endpoints.list())"
    return call.make(code, "PipelineEndpoints", element="PipelineEndpoint")


@rule("PipelineEndpoint.get_default_version", takes="")
def _get_default(call: Call) -> Value:
    return call.make(f"{call.object.code}.defaults.deployment_name", differs="the deployment's name: v0 for version 0")


@rule("PipelineEndpoint.set_default_version", takes="version")
def _set_default_version(call: Call) -> Value:
    lines = _write_default(call, call.object.code, _name_version(call.require("version")))
    return call.make(f"\n{call.indent}".join(lines))


@rule("PipelineEndpoint.get_pipeline", takes="version")
def _get_version(call: Call) -> Value:
    version, held = call.get("version"), call.object.code
    name = _name_version(version) if version is not None else f"{held}.defaults.deployment_name"
    code = f"{call.client}.batch_deployments.get({name}, {held}.name)"
    return call.make(code, "PublishedPipeline", pipeline=call.object.facts.get("pipeline"))


@rule("PipelineEndpoint.list_versions", "PipelineEndpoint.list_pipelines", takes="active_only **")
def _list_versions(call: Call) -> Value:
    kind = "PublishedPipeline" if call.name.endswith("list_pipelines") else "PipelineVersion"
    code = f"list({call.client}.batch_deployments.list({call.object.code}.name))"
    return call.make(code, "PublishedPipelines", element=kind)


@rule("PipelineVersion.version")
def _read_version(call: Call) -> Value:
    return call.make(f"{call.object.code}.name", differs="the deployment's name: v0 for version 0")


@rule("PipelineVersion.pipeline")
def _read_version_pipeline(call: Call) -> Value:
    return Value(call.object.code, "PublishedPipeline", {"pipeline": None}, changed=True, node=call.node)


@rule("PipelineEndpoint.add", "PipelineEndpoint.add_default", takes="pipeline")
def _add_version(call: Call) -> Value:
    pipeline, held = call.require("pipeline"), call.object.code
    if pipeline.kind != "PublishedPipeline":
        raise call.refuse("the text does not tell which published pipeline this is")
    count = f"len(list({call.client}.batch_deployments.list({held}.name)))"
    code = _write_deployment(call, pipeline, held, f'f"v{{{count}}}"')
    if call.name.endswith("add"):
        return call.make(code)
    call.rewriter.before.append(f"deployment = {code}")
    return call.make(f"\n{call.indent}".join(_write_default(call, held, "deployment.name")))


@rule("PipelineEndpoint.set_default", takes="pipeline")
def _set_default(call: Call) -> Value:
    """Choose the newest deployment of the pipeline's component, which `add` made."""
    pipeline, held = call.require("pipeline"), call.object.code
    found = f"one.name for one in {call.client}.batch_deployments.list({held}.name)"
    name = f"next({found} if one.component == {pipeline.code}.component)"
    return call.make(f"\n{call.indent}".join(_write_default(call, held, name)))


@rule("PipelineEndpoint.set_name", takes="name")
def _set_name(call: Call) -> Value:
    raise call.refuse("an endpoint of v2 keeps its name: make another one, and delete this")
