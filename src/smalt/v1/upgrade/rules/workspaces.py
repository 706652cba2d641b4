"""Workspaces, experiments, credentials and what else a program begins with."""

from __future__ import annotations

import ast
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call, make_dict, quote
from smalt.v1.upgrade.values import Value

ML = "azure.ai.ml"
IDENTITY = "azure.identity"


def _use_credential(call: Call) -> str:
    auth = call.get("auth")
    if auth is None:
        return call.use(IDENTITY, "DefaultAzureCredential") + "()"
    if auth.kind != "Credential":
        raise call.refuse(
            "its argument 'auth' is not made by a class of azureml.core.authentication here", spreads=True
        )
    call.rewriter.consume(auth)
    return auth.variable or auth.code


def bind_client(
    call: Call, function: str, arguments: list[tuple[str, str]], differs: str = "", is_in_job: bool = False
) -> Value:
    """Return the client; it gets the name that every v2 program gives it, where that is free."""
    taken = "ml_client" in call.rewriter.imports.defined
    bound: dict[str, Any] = {"in job": is_in_job}
    if not taken and "." not in call.target:
        bound["bound"] = "ml_client"
    return call.build(function, arguments, "Workspace", differs=differs, **bound)


@rule("Workspace.from_config", takes="path auth _logger _file_name")
def _load_workspace(call: Call) -> Value:
    client = call.use(ML, "MLClient")
    path, file = call.get("path"), call.get("_file_name")
    arguments = [("", _use_credential(call))]
    if path is not None:
        arguments.append(("path", path.code))
    if file is not None:
        arguments.append(("file_name", file.code))
    return bind_client(call, f"{client}.from_config", arguments)


@rule(
    "Workspace",
    takes="subscription_id resource_group workspace_name auth _location _disable_service_check _workspace_id sku tags",
)
def _make_client(call: Call) -> Value:
    call.check_no_others("subscription_id", "resource_group", "workspace_name", "auth")
    parts = [("", call.require(name).code) for name in ("subscription_id", "resource_group", "workspace_name")]
    return bind_client(call, call.use(ML, "MLClient"), [("", _use_credential(call)), *parts])


@rule("Workspace.get", takes="name auth subscription_id resource_group location cloud id")
def _get_workspace(call: Call) -> Value:
    call.check_no_others("name", "auth", "subscription_id", "resource_group", "location")
    parts = [("", call.require(name).code) for name in ("subscription_id", "resource_group", "name")]
    return bind_client(call, call.use(ML, "MLClient"), [("", _use_credential(call)), *parts])


@rule("Workspace.name")
def _get_workspace_name(call: Call) -> Value:
    return call.make(f"{call.object.code}.workspace_name")


@rule("Workspace.subscription_id")
def _get_subscription(call: Call) -> Value:
    return call.make(f"{call.object.code}.subscription_id")


@rule("Workspace.resource_group")
def _get_resource_group(call: Call) -> Value:
    return call.make(f"{call.object.code}.resource_group_name")


def _describe_workspace(call: Call) -> str:
    return f"{call.object.code}.workspaces.get({call.object.code}.workspace_name)"


@rule("Workspace.location", "Workspace.tags")
def _get_workspace_field(call: Call) -> Value:
    return call.make(f"{_describe_workspace(call)}.{call.name.split('.')[1]}")


@rule("Workspace.get_mlflow_tracking_uri", takes="with_auth")
def _get_tracking_uri(call: Call) -> Value:
    return call.make(f"{_describe_workspace(call)}.mlflow_tracking_uri")


@rule("Workspace.get_details", takes="")
def _get_workspace_details(call: Call) -> Value:
    return call.make(_describe_workspace(call), differs="v2 answers with an entity, not with a dictionary")


@rule("Workspace.get_default_datastore", takes="")
def _get_default_datastore(call: Call) -> Value:
    return call.make(f"{call.object.code}.datastores.get_default()", "Datastore")


@rule("Workspace.compute_targets")
def _list_computes(call: Call) -> Value:
    code = f"{{compute.name: compute for compute in {call.object.code}.compute.list()}}"
    return call.make(code, "ComputeDict", base=call.object)


@rule("ComputeDict[]")
def _get_listed_compute(call: Call) -> Value:
    key = call.arguments["key"].code
    if call.object.variable:
        return Value(f"{call.object.code}[{key}]", "ComputeTarget", changed=call.object.changed, node=call.node)
    return Value(f"{call.object.facts['base'].code}.compute.get({key})", "ComputeTarget", changed=True, node=call.node)


@rule("Workspace.datastores", "Workspace.datasets", "Workspace.environments", "Workspace.models")
def _list_assets(call: Call) -> Value:
    noun = {"datasets": "data"}.get(call.name.split(".")[1], call.name.split(".")[1])
    kind = {
        "datastores": "DatastoreDict",
        "environments": "EnvironmentDict",
        "datasets": "DataDict",
        "models": "ModelDict",
    }
    code = f"{{one.name: one for one in {call.object.code}.{noun}.list()}}"
    return call.make(code, kind[call.name.split(".")[1]], base=call.object)


@rule("DatastoreDict[]", "DataDict[]", "ModelDict[]")
def _get_listed_asset(call: Call) -> Value:
    key, kind = call.arguments["key"].code, call.object.kind.removesuffix("Dict")
    noun = {"Datastore": "datastores", "Data": "data", "Model": "models"}[kind]
    value_kind = "RegisteredDataset" if kind == "Data" else kind
    if call.object.variable:
        return Value(f"{call.object.code}[{key}]", value_kind, changed=call.object.changed, node=call.node)
    label = "" if kind == "Datastore" else ', label="latest"'
    return Value(f"{call.object.facts['base'].code}.{noun}.get({key}{label})", value_kind, changed=True, node=call.node)


_DICTS = ("ComputeDict", "DatastoreDict", "EnvironmentDict", "DataDict", "ModelDict", "EndpointDict")


@rule(*(f"{kind}.{method}" for kind in _DICTS for method in ("items", "keys", "values", "get")), takes="key default")
def _read_listed(call: Call) -> Value:
    inner = ", ".join(value.code for value in call.arguments.values())
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}({inner})")


@rule("Workspace.webservices")
def _list_services(call: Call) -> Value:
    code = f"{{one.name: one for one in {call.object.code}.online_endpoints.list()}}"
    return call.make(code, "EndpointDict", base=call.object)


@rule("EndpointDict[]")
def _get_listed_service(call: Call) -> Value:
    key = call.arguments["key"].code
    code = f"{call.object.facts['base'].code}.online_endpoints.get({key})"
    code = f"{call.object.code}[{key}]" if call.object.variable else code
    return Value(code, "Webservice", changed=True, node=call.node)


@rule("Workspace.experiments")
def _list_experiments(call: Call) -> Value:
    return Value(call.object.code, "ExperimentDict", {"base": call.object}, node=call.node)


@rule("ExperimentDict[]")
def _name_listed_experiment(call: Call) -> Value:
    key = call.arguments["key"]
    facts = {"constant name": key.constant if key.is_text else None, "base": call.object.facts["base"]}
    call.rewriter.consume(call.object)
    call.note()
    return Value(key.code, "Experiment", facts, changed=True, node=call.node)


@rule("Workspace.sku")
def _name_sku(call: Call) -> Value:
    return call.make('"basic"', differs="v2 has no such field; v1's was always this")


@rule("Workspace.write_config", takes="path file_name")
def _write_config(call: Call) -> Value:
    path, file = call.get("path"), call.get("file_name")
    for module, name in (("json", ""), ("os", "")):
        call.use(module, name)
    folder = f'os.path.join({path.code}, ".azureml")' if path is not None else '".azureml"'
    held = call.object.code
    fields = {
        "subscription_id": f"{held}.subscription_id", "resource_group": f"{held}.resource_group_name",
        "workspace_name": f"{held}.workspace_name",
    }  # fmt: skip
    call.rewriter.before.append(f"os.makedirs({folder}, exist_ok=True)")
    target = f"{call.use('pathlib', 'Path')}({folder}, {file.code if file is not None else quote('config.json')})"
    return call.make(f"{target}.write_text(json.dumps({make_dict(fields, call.indent)}))")


@rule(
    "Workspace.create",
    takes="name auth subscription_id resource_group location create_resource_group sku tags "
    "friendly_name storage_account key_vault app_insights container_registry exist_ok "
    "show_output **",
)
def _create_workspace(call: Call) -> Value:
    call.check_no_others(
        "name", "auth", "subscription_id", "resource_group", "location", "create_resource_group", "sku", "tags",
        "friendly_name", "exist_ok", "show_output",
    )  # fmt: skip
    name = call.require("name").code
    parts = [("", call.require(key).code) for key in ("subscription_id", "resource_group")]
    fields = [("name", name)]
    fields += [(key, call.arguments[key].code) for key in ("location", "tags") if call.get(key) is not None]
    fields += [("display_name", call.arguments["friendly_name"].code)] if call.get("friendly_name") is not None else []
    workspace = make_call(call.entity("Workspace"), fields, call.indent, 60)
    differs = "an existing workspace is updated; its resource group must be there" if call.get("exist_ok") else ""
    arguments = [("", _use_credential(call)), *parts, ("", name)]
    value = bind_client(call, call.use(ML, "MLClient"), arguments, differs)
    client = value.facts.get("bound", call.target)
    call.rewriter.after.append(f"{client}.workspaces.begin_create({workspace}).result()")
    return value


# Experiments


@rule("Experiment", takes="workspace name _skip_name_validation _id _archived_time _create_in_cloud _experiment_dto")
def _name_experiment(call: Call) -> Value:
    """An experiment of v2 is a name that jobs have."""
    name = call.require("name")
    workspace = call.get("workspace")
    call.rewriter.consume(workspace)
    taken = "experiment_name" in call.rewriter.imports.defined
    facts: dict[str, Any] = {"constant name": name.constant if name.is_text else None}
    if not taken and "." not in call.target and call.target:
        facts["bound"] = "experiment_name"
    if taken and name.variable and call.rewriter.is_settled(name) and name.variable == name.code and call.target:
        facts |= {"bound": name.code, "dropped": True}
    return call.make(name.code, "Experiment", **facts)


@rule("Experiment.name")
def _get_experiment_name(call: Call) -> Value:
    return call.make(call.object.code)


@rule("Experiment.workspace")
def _get_experiment_workspace(call: Call) -> Value:
    return call.make(call.client, "Workspace")


@rule("Experiment.get_runs", takes="type tags properties include_children")
def _list_runs(call: Call) -> Value:
    """Return the jobs of an experiment, chosen from those of the workspace."""
    call.check_no_others("type", "tags", "properties")
    if ".start_logging(" in call.rewriter.source.text:
        call.check_no_others(why="cannot be asked of MLflow's runs in these words")
        call.use("mlflow", "")
        call.rewriter.set_tracking_uri(call)
        code = f'mlflow.search_runs(experiment_names=[{call.object.code}], output_format="list")'
        return call.make(
            code, "Children", element="MlflowRun", differs="the runs of MLflow, as start_logging makes them"
        )
    conditions = [f"job.experiment_name == {call.object.code}"]
    if call.get("type") is not None:
        conditions.append(f"job.type == {call.arguments['type'].code}")
    for name in ("tags", "properties"):
        given = call.get(name)
        if given is not None and isinstance(given.node, ast.Dict | ast.Name):
            conditions.append(f"({given.code}).items() <= (job.{name} or {{}}).items()")
        elif given is not None:
            conditions.append(f"{given.code} in (job.{name} or {{}})")
    code = f"[job for job in {call.client}.jobs.list() if {' and '.join(conditions)}]"
    return call.make(code, "Children", element="Run", differs="a list, of the newest jobs of the workspace first")


@rule("Experiment.start_logging", takes="* outputs snapshot_directory display_name")
def _start_interactive_run(call: Call) -> Value:
    call.use("mlflow", "")
    call.rewriter.set_tracking_uri(call)
    call.rewriter.before.append(f"mlflow.set_experiment({call.object.code})")
    if '"outputs' in call.rewriter.source.text or "'outputs" in call.rewriter.source.text:
        call.use("os", "")
        call.rewriter.before.append('os.makedirs("outputs", exist_ok=True)')
    return call.make(
        "mlflow.start_run()", "MlflowRun", differs="MLflow's own run: what is in ./outputs is not uploaded by itself"
    )


# Credentials

_CREDENTIALS = {
    "InteractiveLoginAuthentication": ("InteractiveBrowserCredential", {"tenant_id": "tenant_id"}),
    "AzureCliAuthentication": ("AzureCliCredential", {}),
    "MsiAuthentication": ("ManagedIdentityCredential", {}),
    "ServicePrincipalAuthentication": (
        "ClientSecretCredential",
        {"tenant_id": "tenant_id", "service_principal_id": "client_id", "service_principal_password": "client_secret"},
    ),
}


@rule(*_CREDENTIALS, takes="**")
def _make_credential(call: Call) -> Value:
    name, parameters = _CREDENTIALS[call.name]
    unnamed = [value for key, value in call.arguments.items() if key not in parameters and key != "force"]
    if unnamed:
        raise call.refuse(f"{name} of azure.identity takes its arguments by other names", spreads=True)
    arguments = [(parameters[key], value.code) for key, value in call.arguments.items() if key in parameters]
    return call.make(make_call(call.use(IDENTITY, name), arguments, call.indent, call.prefix), "Credential")


# Others


@rule("VERSION", "__version__")
def _get_version(call: Call) -> Value:
    return call.make(f"{call.use(ML, '')}.__version__")


@rule("set_diagnostics_collection", takes="send_diagnostics verbosity")
def _set_diagnostics(call: Call) -> Value:
    return call.make("", dropped=True)


_SCOPE = "https://management.azure.com/.default"


@rule("Credential.get_authentication_header", takes="")
def _write_header(call: Call) -> Value:
    token = f'{call.object.code}.get_token("{_SCOPE}").token'
    return call.make(f'{{"Authorization": f"Bearer {{{token.replace(chr(34), chr(39))}}}"}}')
