"""Web services: an online endpoint of v2 with one deployment of one model."""

from __future__ import annotations

import ast

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

DEPLOYMENT = '"blue"'
_SIZE = '"Standard_DS3_v2"'
_KINDS = ("AciWebservice", "AksWebservice", "LocalWebservice")


@rule(
    "InferenceConfig",
    takes="entry_script runtime conda_file extra_docker_file_steps source_directory enable_gpu description "
    "base_image base_image_registry cuda_version environment",
)
def _describe_code(call: Call) -> Value:
    call.check_no_others("entry_script", "source_directory", "environment", "description")
    call.rewriter.consume(Value("", node=call.node))
    return call.make("", "InferenceConfig", arguments=dict(call.arguments), dropped=True)


@rule(*(f"{kind}.deploy_configuration" for kind in _KINDS), takes="cpu_cores memory_gb tags properties description **")
def _describe_machine(call: Call) -> Value:
    """Keep what an online deployment has as well; its machines are named by their size."""
    kept = ("cpu_cores", "memory_gb", "tags", "properties", "description", "auth_enabled", "port", "num_replicas")
    call.check_no_others(*kept, "location", "enable_app_insights")
    differs = "an online deployment has machines of a size, not cores and memory; it always wants a key"
    return call.make("", "DeploymentConfig", arguments=dict(call.arguments), dropped=True, differs=differs)


@rule(
    "Model.deploy",
    takes="workspace name models inference_config deployment_config deployment_target overwrite show_output",
)
def _deploy_model(call: Call) -> Value:
    call.check_no_others(
        "workspace", "name", "models", "inference_config", "deployment_config", "overwrite", "show_output"
    )
    models, code, config = call.require("models"), call.get("inference_config"), call.get("deployment_config")
    if code is None:
        raise call.refuse("a web service is an online endpoint with a deployment in v2; give it an inference_config")
    if models.items is None or len(models.items) != 1 or code.kind != "InferenceConfig":
        raise call.refuse("a deployment of v2 has one model; register one folder that has all of their files")
    if not call.target or "." in call.target or (config is not None and config.kind != "DeploymentConfig"):
        raise call.refuse("the text does not tell its deployment_config, or the service has no variable of its own")
    for one in (code, config):
        call.rewriter.consume(one)
    given = config.facts["arguments"] if config is not None else {}
    name, service = call.require("name").code, call.target
    common = [(key, given[key].code) for key in ("description", "tags", "properties") if key in given]
    endpoint = make_call(
        call.entity("ManagedOnlineEndpoint"),
        [("name", name), ("auth_mode", '"key"'), *common],
        call.indent + "    ",
        40,
    )
    operations = f"{call.client}.online_endpoints"
    deployment = _write_deployment(call, code.facts["arguments"], models.items[0], given)
    call.rewriter.before += [
        f"{service} = {operations}.begin_create_or_update(\n{call.indent}    {endpoint}\n{call.indent}).result()",
        f"{service}_deployment = {deployment}",
        f"{call.client}.online_deployments.begin_create_or_update({service}_deployment).result()",
        f"{service}.traffic = {{{DEPLOYMENT}: 100}}",
    ]
    return call.make(f"{operations}.begin_create_or_update({service}).result()", "Webservice")


def _write_deployment(call: Call, code: dict[str, Value], model: Value, config: dict[str, Value]) -> str:
    folder, script = code.get("source_directory"), code["entry_script"]
    parts = [("code", folder.code if folder is not None else '"."'), ("scoring_script", script.code)]
    replicas = config.get("num_replicas")
    arguments = [
        ("name", DEPLOYMENT),
        ("endpoint_name", f"{call.target}.name"),
        ("model", model.code),
        ("code_configuration", make_call(call.entity("CodeConfiguration"), parts, call.indent + "    ")),
    ]
    if "environment" in code:
        arguments.append(("environment", code["environment"].code))
    arguments += [("instance_type", _SIZE), ("instance_count", replicas.code if replicas is not None else "1")]
    return make_call(call.entity("ManagedOnlineDeployment"), arguments, call.indent)


@rule(*(f"{kind}" for kind in (*_KINDS, "Webservice")), takes="workspace name")
def _get_service(call: Call) -> Value:
    return call.make(f"{call.client}.online_endpoints.get({call.require('name').code})", "Webservice")


@rule("Webservice.list", takes="workspace **")
def _list_services(call: Call) -> Value:
    call.check_no_others("workspace")
    return call.make(f"list({call.client}.online_endpoints.list())", "Webservices", element="Webservice")


@rule("Webservice.wait_for_deployment", takes="show_output timeout_sec")
def _wait_for_service(call: Call) -> Value:
    return call.make("", dropped=True)


@rule("Webservice.state")
def _read_state(call: Call) -> Value:
    return call.make(f"{call.object.code}.provisioning_state", differs="'Succeeded' where v1 said 'Healthy'")


@rule("Webservice.name", "Webservice.scoring_uri", "Webservice.tags", "Webservice.description")
def _read_service_field(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}")


@rule("Webservice.swagger_uri")
def _read_swagger(call: Call) -> Value:
    return call.make(f"{call.object.code}.openapi_uri")


@rule("Webservice.get_logs", takes="num_lines init")
def _get_logs(call: Call) -> Value:
    lines = call.get("num_lines")
    arguments = [("name", DEPLOYMENT), ("endpoint_name", f"{call.object.code}.name")]
    arguments.append(("lines", lines.code if lines is not None else "5000"))
    return call.make(make_call(f"{call.client}.online_deployments.get_logs", arguments, call.indent, call.prefix))


@rule("Webservice.get_keys", takes="")
def _get_keys(call: Call) -> Value:
    keys = f"{call.client}.online_endpoints.get_keys({call.object.code}.name)"
    call.rewriter.before.append(f"keys = {keys}")
    return call.make("(keys.primary_key, keys.secondary_key)")


@rule("Webservice.run", takes="input_data")
def _invoke_service(call: Call) -> Value:
    """Return the answer as v1's service gave it: read from its JSON. v2's client sends a file."""
    data = call.require("input_data")
    text = f"{data.code}.decode()" if data.node is not None and _is_bytes(call, data) else data.code
    call.use("json", "")
    call.rewriter.before.append(f'{call.use("pathlib", "Path")}("request.json").write_text({text})')
    arguments = [("endpoint_name", f"{call.object.code}.name"), ("request_file", '"request.json"')]
    invoked = make_call(f"{call.client}.online_endpoints.invoke", arguments, call.indent, call.prefix + 12)
    return call.make(f"json.loads({invoked})", differs="v2's client sends a file")


def _is_bytes(call: Call, data: Value) -> bool:
    """Return True if the last assignment of a variable made bytes of it."""
    node = call.rewriter.memory.nodes.get(data.variable) if data.variable else data.node
    return isinstance(node, ast.Call) and (
        ast.unparse(node.func) == "bytes" or (isinstance(node.func, ast.Attribute) and node.func.attr == "encode")
    )


@rule("Webservice.delete", takes="")
def _delete_service(call: Call) -> Value:
    return call.make(f"{call.client}.online_endpoints.begin_delete(name={call.object.code}.name)")


@rule("Webservice.update", takes="**")
def _update_service(call: Call) -> Value:
    raise call.refuse(f"change the deployment, {quote('blue')}, and create it once more")
