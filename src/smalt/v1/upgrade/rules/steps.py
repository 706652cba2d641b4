"""Steps of pipelines: each becomes a command(…), a parallel step or a sweep, which the pipeline's function calls."""

from __future__ import annotations

import shlex
from typing import Any

from smalt.entities.jobs.inputs import ORDERS_STEPS
from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.ports import CommandLine
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.commands import (
    add_command,
    check_configuration,
    finish_command,
    read_configuration,
    write_default_environment,
    write_distribution,
)
from smalt.v1.upgrade.rules.computes import read_compute
from smalt.v1.upgrade.texts import make_call, make_dict, make_name, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

ML = "azure.ai.ml"
DONE = "done"
"""The output that only orders."""


def _check_step(call: Call, *more: str) -> None:
    call.check_no_others(
        "name", "arguments", "compute_target", "runconfig", "inputs", "outputs", "source_directory", "allow_reuse",
        "version", "hash_paths", *more,
    )  # fmt: skip


def _write_head(call: Call) -> list[tuple[str, str]]:
    """Return the first arguments of the command: the step's name and code."""
    name, folder = call.get("name") or call.get("script_name"), call.get("source_directory")
    head = []
    if call.get("name") is not None and name is not None and name.is_text:
        slug = make_name(str(name.constant).lower().replace("-", "_"))
        head = [("name", quote(slug)), ("display_name", name.code)]
    elif name is not None:
        head = [("display_name", name.code)]
    return [*head, ("code", folder.code if folder is not None else '"."')]


def _write_tail(call: Call, settings: dict[str, str] | None) -> list[tuple[str, str]]:
    configuration = call.get("runconfig")
    check_configuration(call, configuration)
    given = {**read_configuration(configuration), **(settings or {})}
    call.rewriter.consume(configuration)
    compute = call.get("compute_target")
    if compute is not None:
        given["compute"] = read_compute(compute)
    if "environment" not in given:
        given["environment"] = write_default_environment(call)
    tail: list[tuple[str, str]] = [
        (key, given[key]) for key in ("environment", "compute", "instance_count") if key in given
    ]
    tail += write_reuse(call)
    if call.get("hash_paths") is not None or call.get("version") is not None:
        call.note("hash_paths and version have no effect in v2: the content of the code decides about reuse")
    return tail


def finish_step(
    call: Call, line: CommandLine, extra: list[tuple[str, str]] | None = None, given: dict[str, str] | None = None
) -> Value:
    """Return the step, which from here on makes its outputs; `given` has the code of its environment and compute."""
    tail = _write_tail(call, given) + (extra or [])
    add_order_ports(call, line)
    return link_outputs(finish_command(call, line, _write_head(call), tail, "Step", **make_step_facts(call, line)))


def add_order_ports(call: Call, line: CommandLine) -> None:
    """Add the ports that only order: an input for each step that it waits for, and the output that others wait for."""
    later = call.recall()
    if later.get("is awaited") and not line.outputs:
        parts = [("type", '"uri_folder"'), ("description", quote(ORDERS_STEPS))]
        line.outputs[DONE] = make_call(call.use(ML, "Output"), parts, call.indent + "    ")
    for name in later.get("awaits", {}):
        line.inputs[name] = f'{call.use(ML, "Input")}(type="uri_folder", optional=True)'


def make_step_facts(call: Call, line: CommandLine) -> dict[str, Any]:
    """Return what the pipeline's function needs of a step whose command line is complete."""
    return {
        "ports": line.ports,
        "v1 name": call.get("name") or call.get("script_name"),
        "awaits": {},
        "outputs": line.made,
        "written": list(line.outputs),
    }


def link_outputs(step: Value) -> Value:
    """Tell the v1 data that a step makes which step that is, for the steps that read it; return the step."""
    for name, output in step.facts["outputs"].items():
        output.facts.update(step=step, output=name)
    return step


def write_reuse(call: Call) -> list[tuple[str, str]]:
    """Return the argument that keeps a step from being reused, if `allow_reuse` is False."""
    allow = call.get("allow_reuse")
    if allow is not None and allow.constant is UNKNOWN:
        raise call.refuse("whether it may be reused is known only when the program runs", spreads=True)
    return [("is_deterministic", "False")] if allow is not None and allow.constant is False else []


def note_reuse(call: Call, function: str) -> None:
    """Say that a function of v2 has no argument for `allow_reuse=False`."""
    if write_reuse(call):
        call.note(f"v2's {function} has no allow_reuse; give the pipeline's job settings.force_rerun = True")


@rule(
    "PythonScriptStep",
    takes="script_name name arguments compute_target runconfig runconfig_pipeline_params inputs "
    "outputs params source_directory allow_reuse version hash_paths",
)
def _make_script_step(call: Call) -> Value:
    _check_step(call, "script_name")
    line = CommandLine(call, is_step=True)
    line.declare(call.get("inputs"), call.get("outputs"))
    line.add_program(call.require("script_name"))
    line.add_arguments(call.get("arguments"))
    return finish_step(call, line)


@rule(
    "RScriptStep",
    takes="script_name name arguments compute_target runconfig runconfig_pipeline_params inputs "
    "outputs params source_directory use_gpu custom_docker_image cran_packages github_packages "
    "custom_url_packages allow_reuse version hash_paths",
)
def _make_r_step(call: Call) -> Value:
    _check_step(call, "script_name")
    line = CommandLine(call, is_step=True)
    line.declare(call.get("inputs"), call.get("outputs"))
    line.add_program(call.require("script_name"), "Rscript")
    line.add_arguments(call.get("arguments"))
    return finish_step(call, line)


@rule(
    "CommandStep",
    takes="command name compute_target runconfig runconfig_pipeline_params inputs outputs params "
    "source_directory allow_reuse version",
)
def _make_command_step(call: Call) -> Value:
    configuration = call.get("runconfig")
    if call.get("command") is None and configuration is not None and configuration.kind == "ScriptRunConfig":
        return _take_command(call, configuration)
    _check_step(call, "command")
    line = CommandLine(call, is_step=True)
    line.declare(call.get("inputs"), call.get("outputs"))
    if call.get("command") is None:
        raise call.refuse("its command is that of its run configuration; write it here", spreads=True)
    add_command(call, line, call.require("command"))
    return finish_step(call, line)


def _take_command(call: Call, job: Value) -> Value:
    """Return the command that a script run is, as a step."""
    call.check_no_others("name", "runconfig", "allow_reuse")
    if not job.variable or not call.rewriter.is_settled(job):
        raise call.refuse("which command it runs depends on a condition", spreads=True)
    later = call.recall()
    if later.get("awaits") or later.get("is awaited"):
        raise call.refuse("it is ordered without data; write its command in the step", spreads=True)
    name = call.get("name")
    settings = [("display_name", name.code)] if name is not None else []
    call.rewriter.before += [f"{job.code}.{key} = {code}" for key, code in [*settings, *write_reuse(call)]]
    return call.make(job.code, "Step", **make_step_facts(call, CommandLine(call, is_step=True)))


@rule(
    "MpiStep",
    takes="name source_directory script_name arguments compute_target node_count "
    "process_count_per_node inputs outputs allow_reuse version hash_paths",
)
def _make_mpi_step(call: Call) -> Value:
    _check_step(call, "script_name", "node_count", "process_count_per_node")
    line = CommandLine(call, is_step=True)
    line.declare(call.get("inputs"), call.get("outputs"))
    line.add_program(call.require("script_name"))
    line.add_arguments(call.get("arguments"))
    processes, nodes = call.get("process_count_per_node"), call.get("node_count")
    inner = f"process_count_per_instance={processes.code if processes is not None else 1}"
    made = Value(f"{call.use(ML, 'MpiDistribution')}({inner})", "Distribution")
    made.facts["instance_count"] = nodes.code if nodes is not None else None
    return finish_step(call, line, write_distribution(call, made))


@rule(
    "EstimatorStep",
    takes="name estimator estimator_entry_script_arguments runconfig_pipeline_params inputs outputs compute_target "
    "allow_reuse version",
)
def _make_estimator_step(call: Call) -> Value:
    """Return the command of an estimator with the arguments of the step."""
    _check_step(call, "estimator", "estimator_entry_script_arguments")
    estimator = call.require("estimator")
    script = estimator.facts.get("script")
    if estimator.kind != "ScriptRunConfig" or script is None or "tail" not in estimator.facts:
        raise call.refuse("the text does not tell its estimator", spreads=True)
    if not call.rewriter.is_settled(estimator):
        raise call.refuse("which estimator it runs depends on a condition", spreads=True)
    estimator.facts["droppable"] = True
    call.rewriter.consume(estimator)
    line = CommandLine(call, is_step=True)
    line.declare(call.get("inputs"), call.get("outputs"))
    line.add_program(script)
    line.add_arguments(call.get("estimator_entry_script_arguments"))
    if estimator.facts["source_directory"] is not None:
        call.arguments["source_directory"] = estimator.facts["source_directory"]
    given = dict(estimator.facts["tail"])
    if call.get("compute_target") is not None:
        given.pop("compute", None)
    return finish_step(call, line, given=given)


@rule(
    "DataTransferStep",
    takes="name source_data_reference destination_data_reference compute_target source_reference_type "
    "destination_reference_type allow_reuse",
)
def _make_transfer_step(call: Call) -> Value:
    """Return a step that copies; v2 needs no compute for it."""
    source, target = call.require("source_data_reference"), call.require("destination_data_reference")
    call.rewriter.consume(call.get("compute_target"))
    line = CommandLine(call, is_step=True)
    line.declare(Value("", items=[source]), None)
    if target.kind == "OutputData":
        line.declare(None, Value("", items=[target]))
    elif target.kind in ("DataReference", "Dataset"):
        path = target.code if target.kind == "DataReference" else f"{target.code}.path"
        kind = quote(str(target.facts.get("type", "uri_folder")))
        line.outputs["sink"] = make_call(call.use(ML, "Output"), [("type", kind), ("path", path)])
    else:
        raise call.refuse(f"'{target.code}' is no place to copy to", spreads=True)
    inner, name = call.indent + "    ", call.get("name")
    arguments = [("display_name", name.code)] if name is not None else []
    arguments += [("inputs", make_dict(line.inputs, inner)), ("outputs", make_dict(line.outputs, inner))]
    arguments += write_reuse(call)
    copy = call.use("azure.ai.ml.data_transfer", "copy_data")
    facts = {**make_step_facts(call, line), "waits for data only": "a copy"}
    return link_outputs(call.build(copy, arguments, "Step", **facts))


@rule(
    "SynapseSparkStep",
    takes="file source_directory compute_target driver_memory driver_cores executor_memory executor_cores "
    "num_executors name app_name environment arguments inputs outputs conf py_files jars files allow_reuse version",
)
def _make_spark_step(call: Call) -> Value:
    """Return a Spark job as a step."""
    line = CommandLine(call, is_step=True)
    line.declare(call.get("inputs"), call.get("outputs"))
    line.add_arguments(call.get("arguments"))
    add_order_ports(call, line)
    inner, name = call.indent + "    ", call.get("name")
    arguments = [("display_name", name.code)] if name is not None else []
    arguments += [("code", call.require("source_directory").code)]
    arguments.append(("entry", make_dict({"file": call.require("file").code})))
    arguments += [("args", line.write_command())] if line.parts else []
    arguments += [("inputs", make_dict(line.inputs, inner))] if line.inputs else []
    arguments += [("outputs", make_dict(line.outputs, inner))] if line.outputs else []
    sizes = {"num_executors": "executor_instances"}
    for key in ("driver_memory", "driver_cores", "executor_memory", "executor_cores", "num_executors", "conf",
                "py_files", "jars", "files", "environment"):  # fmt: skip
        if call.get(key) is not None:
            arguments.append((sizes.get(key, key), call.arguments[key].code))
    compute = call.get("compute_target")
    arguments += [("compute", read_compute(compute))] if compute is not None else []
    note_reuse(call, "spark(…)")
    return link_outputs(call.build(call.use(ML, "spark"), arguments, "Step", **make_step_facts(call, line)))


@rule("Step.run_after", takes="step")
def _order_steps(call: Call) -> Value:
    """Order without data: the earlier step gets an output that only orders, the later one an input for it."""
    earlier, later = call.require("step"), call.object
    if earlier.kind != "Step":
        raise call.refuse("the text does not tell which step this is", spreads=True)
    if not call.rewriter.is_straight(later):
        raise call.refuse("the order depends on a condition", spreads=True)
    add_order(call, earlier, later)
    for one in (earlier, later):
        call.rewriter.consume(one)
    return call.make(
        "", dropped=True, differs="v2 has no order without data: an output of the earlier step orders them"
    )


def add_order(call: Call, earlier: Value, later: Value) -> None:
    """Order two steps by an output of the earlier one; it gets one that only orders if it has no other."""
    outputs = [port.output for port in later.facts["ports"].values() if port.output is not None]
    if any(one.facts["step"].facts is earlier.facts for one in outputs if one.facts.get("step") is not None):
        return  # the data orders them
    kind = later.facts.get("waits for data only")
    if kind is not None:
        text = f"{kind} of v2 waits for data only; give '{later.variable}' data that '{earlier.variable}' writes"
        raise call.refuse(text, spreads=True)
    earlier.facts["is awaited"] = True
    later.facts["awaits"][f"after_{make_name(earlier.variable)}"] = earlier


@rule("Step.name")
def _read_step_name(call: Call) -> Value:
    name = call.object.facts["v1 name"]
    if name is None:
        raise call.refuse("the text does not tell the step's name")
    return call.make(name.code)


# Parallel steps


@rule(
    "ParallelRunConfig",
    takes="environment entry_script error_threshold output_action compute_target node_count "
    "process_count_per_node mini_batch_size source_directory description logging_level "
    "run_invocation_timeout run_max_try append_row_file_name allowed_failed_count "
    "allowed_failed_percent partition_keys environment_variables",
)
def _make_parallel_configuration(call: Call) -> Value:
    """v2 has no object for it: its settings are arguments of parallel_run_function(…)."""
    call.check_no_others(*(name for name in call.arguments if name != "environment_variables"))
    for value in call.arguments.values():
        if not value.kind and value.variable and not call.rewriter.is_settled(value):
            raise call.refuse(f"'{value.variable}' changes before the step is made", spreads=True)
    call.rewriter.consume(Value("", node=call.node))
    return call.make("", "ParallelRunConfig", arguments=dict(call.arguments), dropped=True)


@rule("ParallelRunConfig.append_row_file_name", "ParallelRunConfig.mini_batch_size", "ParallelRunConfig.node_count")
def _read_parallel_setting(call: Call) -> Value:
    value = call.object.facts["arguments"].get(call.name.split(".")[1])
    if value is None:
        raise call.refuse("it is not set")
    return call.make(value.code)


@rule("ParallelRunStep", takes="name parallel_run_config inputs output side_inputs arguments allow_reuse")
def _make_parallel_step(call: Call) -> Value:
    configuration, inputs = call.require("parallel_run_config"), call.require("inputs")
    if configuration.kind != "ParallelRunConfig" or inputs.items is None or len(inputs.items) != 1:
        raise call.refuse("v2's parallel step has one input_data; the text does not tell which it is", spreads=True)
    given: dict[str, Value] = configuration.facts["arguments"]
    line = CommandLine(call, is_step=True)
    output = call.get("output")
    line.declare(inputs, Value("", items=[output]) if output is not None else None)
    data = next(iter(line.inputs))
    line.declare(call.get("side_inputs"), None)
    call.rewriter.consume(configuration)
    line.add_arguments(call.get("arguments"))
    add_order_ports(call, line)
    inner = call.indent + "    "
    arguments = [*(one for one in _write_head(call) if one[0] != "code"), ("inputs", make_dict(line.inputs, inner))]
    arguments += [("outputs", make_dict(line.outputs, inner))] if line.outputs else []
    arguments.append(("input_data", quote(f"${{{{inputs.{data}}}}}")))
    for old, new in (("node_count", "instance_count"), ("process_count_per_node", "max_concurrency_per_instance"),
                     ("mini_batch_size", "mini_batch_size"), ("error_threshold", "error_threshold"),
                     ("allowed_failed_count", "mini_batch_error_threshold"),
                     ("logging_level", "logging_level"), ("partition_keys", "partition_keys")):  # fmt: skip
        if old in given and given[old].constant is not None:
            arguments.append((new, given[old].code))
    if "mini_batch_size" not in given and "partition_keys" not in given and inputs.items[0].kind != "Table":
        arguments.append(("mini_batch_size", '"10"'))
    arguments += _write_retries(given)
    arguments.append(("compute", read_compute(given["compute_target"])))
    arguments.append(("task", _write_task(call, given, line, inner)))
    arguments += write_reuse(call)
    function = call.use("azure.ai.ml.parallel", "parallel_run_function")
    return link_outputs(call.build(function, arguments, "Step", **make_step_facts(call, line)))


def _write_retries(given: dict[str, Value]) -> list[tuple[str, str]]:
    """Return v2's retries: v1 counts the first try as well."""
    tries, timeout = given.get("run_max_try"), given.get("run_invocation_timeout")
    again = "2"
    if tries is not None:
        again = str(max(0, tries.constant - 1)) if isinstance(tries.constant, int) else f"{tries.code} - 1"
    return [("retry_settings", make_dict({"max_retries": again, "timeout": timeout.code if timeout else "60"}))]


def _write_task(call: Call, given: dict[str, Value], line: CommandLine, indent: str) -> str:
    folder = given.get("source_directory")
    arguments = [("code", folder.code)] if folder is not None else []
    arguments += [("entry_script", given["entry_script"].code), ("environment", given["environment"].code)]
    action, name = given.get("output_action"), given.get("append_row_file_name")
    appends = action is not None and action.constant == "append_row" and bool(line.outputs)
    if appends and name is not None:
        if not name.is_text:
            raise call.refuse("the text does not tell its append_row_file_name", spreads=True)
        line.parts.append(f"--append_row_file_name {shlex.quote(str(name.constant))}")
    percent = given.get("allowed_failed_percent")
    if percent is not None and percent.constant is not None:
        line.parts.append(f"--allowed_failed_percent {percent.code}")
    if line.parts:
        arguments.append(("program_arguments", line.write_command()))
    if appends:
        arguments.append(("append_row_to", quote(f"${{{{outputs.{next(iter(line.outputs))}}}}}")))
    return make_call(call.use("azure.ai.ml.parallel", "RunFunction"), arguments, indent, 40)
