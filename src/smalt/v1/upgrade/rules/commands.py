"""Jobs of one script: ScriptRunConfig, estimators and their distributions become command(…)."""

from __future__ import annotations

import ast
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.ports import CommandLine
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.computes import read_compute
from smalt.v1.upgrade.rules.conda import PYTHON, TRACKING, write_conda
from smalt.v1.upgrade.rules.environments import IMAGE
from smalt.v1.upgrade.texts import make_call, make_dict, quote
from smalt.v1.upgrade.values import UNKNOWN, NeedsPersonError, Value

ML = "azure.ai.ml"


def write_default_environment(call: Call) -> str:
    """Return the variable of the environment that v1 gave to a job without one; it is made before its first use."""
    known = call.rewriter.scope.find("default environment")
    if known is None:
        conda = write_conda(quote(PYTHON), [], [quote(one) for one in TRACKING], call.indent)
        made = make_call(
            call.entity("Environment"),
            [("name", '"default"'), ("image", quote(IMAGE)), ("conda_file", conda)],
            call.indent,
        )
        call.rewriter.before.append(f"default_environment = {made}")
        call.note("v2 has no default environment; here is what v1's had: Python, and MLflow for azureml-defaults")
        known = Value("default_environment", "Environment")
        call.rewriter.scope.bind("default environment", known)
    return known.code


def read_configuration(value: Value | None) -> dict[str, Any]:
    """Return the code of environment and compute in a run configuration."""
    if value is None:
        return {}
    found: dict[str, Any] = {}
    if value.kind == "JobConfiguration":
        return {"environment": f"{value.code}.environment", "compute": f"{value.code}.compute"}
    environment, compute = value.facts.get("environment"), value.facts.get("compute")
    if environment is not None:
        found["environment"] = environment.code
    if compute is not None and compute.constant != "local":
        found["compute"] = read_compute(compute)
    if value.facts.get("node_count") is not None:
        found["instance_count"] = value.facts["node_count"].code
    return found


def check_configuration(call: Call, value: Value | None) -> None:
    if value is not None and value.kind not in ("RunConfiguration", "JobConfiguration"):
        raise call.refuse("the text does not tell its run configuration", spreads=True)
    if value is not None and not call.rewriter.is_settled(value):
        raise call.refuse("which run configuration it gets depends on a condition", spreads=True)


def write_distribution(call: Call, value: Value | None) -> list[tuple[str, str]]:
    """Return the arguments that stand for a distributed_job_config."""
    if value is None:
        return []
    if value.kind != "Distribution":
        raise call.refuse("the text does not tell its distribution", spreads=True)
    arguments = [("distribution", value.code)]
    count = value.facts.get("instance_count")
    return [*arguments, ("instance_count", count)] if count else arguments


def finish_command(
    call: Call, line: CommandLine, head: list[tuple[str, str]], tail: list[tuple[str, str]], kind: str, /, **facts: Any
) -> Value:
    """Return the call of command(…), in the order in which the official examples write it."""
    inner = call.indent + "    "
    arguments = [*head, ("command", line.write_command())]
    arguments += [("inputs", make_dict(line.inputs, inner))] if line.inputs else []
    arguments += [("outputs", make_dict(line.outputs, inner))] if line.outputs else []
    return call.build(call.use(ML, "command"), [*arguments, *tail], kind, **facts)


@rule(
    "ScriptRunConfig",
    takes="source_directory script arguments run_config _telemetry_values compute_target environment "
    "distributed_job_config resume_from max_run_duration_seconds command docker_runtime_config",
)
def _make_command(call: Call) -> Value:
    later = call.recall()
    return build_command(call, later.get("search", {}), later.get("defaults", {}))


def build_command(call: Call, search: dict[str, str], defaults: dict[str, str]) -> Value:
    """Return the command of a script run; the flags of `search` are inputs that a sweep varies."""
    call.check_no_others(*(name for name in call.arguments if name not in ("resume_from", "_telemetry_values")))
    configuration = call.get("run_config")
    check_configuration(call, configuration)
    line = CommandLine(call, is_step=False)
    if call.get("command") is not None:
        add_command(call, line, call.require("command"))
        line.add_arguments(call.get("arguments"))
    else:
        line.add_program(call.require("script"))
        line.add_arguments(call.get("arguments"), search)
    for flag, name in search.items():
        line.inputs.setdefault(name, defaults[flag])
    folder = call.get("source_directory")
    given = {**read_configuration(configuration), **_read_own(call)}
    call.rewriter.consume(configuration)
    if "environment" not in given and not call.recall().get("environment set"):
        given["environment"] = write_default_environment(call)
    tail: list[tuple[str, str]] = [
        (key, given[key]) for key in ("environment", "compute", "instance_count") if key in given
    ]
    tail += write_distribution(call, call.get("distributed_job_config"))
    limit = call.get("max_run_duration_seconds")
    tail += [("timeout", limit.code)] if limit is not None else []
    facts = {
        "source_directory": folder, "script": call.get("script"), "arguments": call.get("arguments"),
        "has compute": "compute" in given, "inputs": dict(line.inputs), "node": call.node, "flags": line.flags,
        "counts": count_assignments(call, call.node),
    }  # fmt: skip
    for name in ("distributed_job_config", "docker_runtime_config"):
        call.rewriter.consume(call.get(name))
    return finish_command(
        call, line, [("code", folder.code)] if folder is not None else [], tail, "ScriptRunConfig", **facts
    )


def build_tail(call: Call) -> list[tuple[str, str]]:
    """Return environment, compute and distribution of a script run."""
    configuration = call.get("run_config")
    check_configuration(call, configuration)
    given = {**read_configuration(configuration), **_read_own(call)}
    if "environment" not in given:
        given["environment"] = write_default_environment(call)
    tail = [(key, str(given[key])) for key in ("environment", "compute", "instance_count") if key in given]
    return tail + write_distribution(call, call.get("distributed_job_config"))


def count_assignments(call: Call, node: ast.expr) -> dict[str, int]:
    """Return how often each variable of an expression has been assigned so far."""
    names = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
    return {name: call.rewriter.scope.count(name) for name in names}


def add_command(call: Call, line: CommandLine, command: Value) -> None:
    """Add a command line that v1 has as text or as a list of words."""
    if command.is_text:
        line.parts.append(str(command.constant))
    elif command.items is not None:
        for item in command.items:
            if item.is_text:
                line.parts.append(str(item.constant))
            else:
                line.add_arguments(Value(item.code, items=[item]))
        call.rewriter.consume(command)
    elif command.constant is UNKNOWN and not command.kind:
        line.is_formatted = True
        line.parts.append(f"{{{command.code}}}")
    else:
        raise call.refuse("the text does not tell its command", spreads=True)


def _read_own(call: Call) -> dict[str, str]:
    found = {}
    environment, compute = call.get("environment"), call.get("compute_target")
    if environment is not None:
        found["environment"] = environment.code
    if compute is not None:
        found["compute"] = read_compute(compute)
    return found


@rule("ScriptRunConfig.source_directory", "ScriptRunConfig.script", "ScriptRunConfig.arguments")
def _read_part(call: Call) -> Value:
    part = call.object.facts.get(call.name.split(".")[1])
    if not isinstance(part, Value):
        raise call.refuse("the text does not tell it", spreads=True)
    call.note()
    return Value(part.code, part.kind, part.facts, part.constant, part.items, part.variable, True, call.node)


@rule("ScriptRunConfig.run_config")
def _open_configuration(call: Call) -> Value:
    return Value(
        call.object.code,
        "JobConfiguration",
        call.object.facts,
        variable=call.object.variable,
        changed=True,
        node=call.node,
    )


@rule("JobConfiguration.environment")
def _read_job_environment(call: Call) -> Value:
    return Value(
        f"{call.object.code}.environment",
        "Environment",
        {},
        variable=call.object.variable,
        changed=True,
        node=call.node,
    )


@rule("JobConfiguration.environment=")
def _set_job_environment(call: Call) -> Value:
    call.object.facts["environment set"] = True
    return call.make(f"{call.object.code}.environment = {call.arguments['value'].code}")


@rule("JobConfiguration.target=")
def _set_job_compute(call: Call) -> Value:
    return call.make(f"{call.object.code}.compute = {read_compute(call.arguments['value'])}")


@rule("JobConfiguration.node_count=")
def _set_job_nodes(call: Call) -> Value:
    return call.make(f"{call.object.code}.set_resources(instance_count={call.arguments['value'].code})")


@rule("JobConfiguration.data_references=", "RunConfiguration.data_references=")
def _set_references(call: Call) -> Value:
    """Leave out what only names the data: the arguments have it as inputs of the command."""
    call.rewriter.consume(call.arguments["value"])
    return call.make("", differs="data is an input of v2's command, which its arguments name")


# Distributions


@rule("MpiConfiguration", takes="process_count_per_node node_count")
def _make_mpi(call: Call) -> Value:
    processes, nodes = call.get("process_count_per_node"), call.get("node_count")
    inner = f"process_count_per_instance={processes.code if processes is not None else 1}"
    count = nodes.code if nodes is not None and nodes.constant != 1 else None
    code = f"{call.use(ML, 'MpiDistribution')}({inner})"
    return call.make(code, "Distribution", instance_count=count)


@rule("PyTorchConfiguration", takes="communication_backend process_count node_count")
def _make_pytorch(call: Call) -> Value:
    processes, nodes = call.get("process_count"), call.get("node_count")
    count = nodes.code if nodes is not None and nodes.constant != 1 else None
    if processes is None:
        inner = "1"
    elif count is None:
        inner = processes.code
    elif isinstance(processes.constant, int) and isinstance(nodes and nodes.constant, int):
        inner = str(processes.constant // nodes.constant)  # type: ignore[union-attr]
    else:
        inner = f"{processes.code} // {count}"
    code = f"{call.use(ML, 'PyTorchDistribution')}(process_count_per_instance={inner})"
    return call.make(code, "Distribution", instance_count=count)


@rule("TensorflowConfiguration", takes="worker_count parameter_server_count")
def _make_tensorflow(call: Call) -> Value:
    workers, servers = call.get("worker_count"), call.get("parameter_server_count")
    if workers is not None and not isinstance(workers.constant, int):
        raise call.refuse("the text does not tell how many workers there are", spreads=True)
    first = workers.constant if workers is not None else 1
    second = servers.constant if servers is not None and isinstance(servers.constant, int) else 1
    inner = f"worker_count={first}, parameter_server_count={second}"
    return call.make(
        f"{call.use(ML, 'TensorFlowDistribution')}({inner})", "Distribution", instance_count=str(first + second)
    )


# Estimators


_ESTIMATOR = (
    "source_directory compute_target vm_size vm_priority entry_script script_params node_count process_count_per_node "
    "distributed_training use_gpu use_docker custom_docker_image conda_packages pip_packages "
    "environment_definition inputs "
    "framework_version max_run_duration_seconds source_directory_data_store environment_variables"
)


@rule("Estimator", "TensorFlow", "PyTorch", "SKLearn", "Chainer", takes=_ESTIMATOR)
def _make_estimator(call: Call) -> Value:
    """Return the command of an estimator: a script run with an environment of its own."""
    call.check_no_others(
        "source_directory", "compute_target", "entry_script", "script_params", "environment_definition",
        "conda_packages", "pip_packages", "use_docker", "use_gpu", "framework_version", "max_run_duration_seconds",
    )  # fmt: skip
    line = CommandLine(call, is_step=False)
    line.add_program(call.require("entry_script"))
    parameters = call.get("script_params")
    if parameters is not None:
        line.add_arguments(_read_parameters(call, parameters))
    environment = call.get("environment_definition")
    tail = [("environment", environment.code if environment is not None else _write_framework(call))]
    compute = call.get("compute_target")
    tail += [("compute", read_compute(compute))] if compute is not None else []
    limit, gpu = call.get("max_run_duration_seconds"), call.get("use_gpu")
    tail += [("timeout", limit.code)] if limit is not None else []
    if gpu is not None and gpu.constant is not False:
        call.note("v2 has no use_gpu: the environment's image is one for CPUs; name one with CUDA")
    folder = call.get("source_directory")
    head = [("code", folder.code)] if folder is not None else []
    facts = {"source_directory": folder, "script": call.get("entry_script"), "tail": tail, "inputs": dict(line.inputs)}
    return finish_command(call, line, head, tail, "ScriptRunConfig", **facts)


def _read_parameters(call: Call, parameters: Value) -> Value:
    if not isinstance(parameters.node, ast.Dict):
        raise call.refuse("the text does not tell its script_params", spreads=True)
    items = []
    for key, value in zip(parameters.node.keys, parameters.node.values, strict=True):
        if key is None:
            raise call.refuse("the text does not tell its script_params", spreads=True)
        read = call.rewriter.read(value)
        items += [call.rewriter.read(key), *([] if read.constant == "" else [read])]
    return Value(parameters.code, items=items)


def _write_framework(call: Call) -> str:
    frameworks = {"TensorFlow": "tensorflow", "PyTorch": "torch", "SKLearn": "scikit-learn", "Chainer": "chainer"}
    package = frameworks.get(call.name)
    if package is None:
        return write_default_environment(call)
    version = call.get("framework_version")
    name = quote(f"{package}=={version.constant}" if version is not None and version.is_text else package)
    lists = [_list_codes(call.get("pip_packages")), _list_codes(call.get("conda_packages"))]
    if None in lists:
        raise NeedsPersonError("the text does not tell its packages", call.name, call.node, True)
    conda = write_conda(
        quote(PYTHON),
        lists[1] or [],
        [name, *(lists[0] or []), *(quote(one) for one in TRACKING)],
        call.indent + "    ",
    )
    return make_call(call.entity("Environment"), [("image", quote(IMAGE)), ("conda_file", conda)], call.indent + "    ")


def _list_codes(value: Value | None) -> list[str] | None:
    if value is None:
        return []
    return [item.code for item in value.items] if value.items is not None else None
