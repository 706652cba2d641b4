"""Steps that try many models: sweeps and AutoML as nodes that the pipeline's function makes."""

from __future__ import annotations

import ast
import posixpath
import shlex
from collections.abc import Callable
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.ports import CommandLine
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.commands import add_command, build_tail, count_assignments
from smalt.v1.upgrade.rules.steps import (
    add_order_ports,
    link_outputs,
    make_step_facts,
    note_reuse,
    write_reuse,
)
from smalt.v1.upgrade.texts import make_call, make_dict
from smalt.v1.upgrade.values import Value

ML = "azure.ai.ml"
Writer = Callable[[str, dict[str, str]], list[str]]
"""Writes the lines of a step in the pipeline's function, by the node's name and what its inputs get there."""


@rule("TrainingOutput", takes="type iteration metric model_file")
def _make_training_output(call: Call) -> Value:
    kind, file = call.require("type"), call.get("model_file")
    if not kind.is_text or (file is not None and not file.is_text):
        raise call.refuse("the text does not tell which output this is", spreads=True)
    if call.get("iteration") is not None:
        raise call.refuse("v2's model is that of the best trial; it has no output for another's", spreads=True)
    differs = "the model is that of the best trial by the primary metric" if call.get("metric") is not None else ""
    differs = "v2 has no output of metrics: read them by MLflow" if kind.constant == "Metrics" else differs
    path = str(file.constant) if file is not None else "outputs"
    return call.make("", "TrainingOutput", type=kind.constant, file=path, droppable=True, differs=differs)


def _read_training(output: Value) -> dict[str, Any]:
    training: Value | None = output.facts.get("training")
    return training.facts if training is not None else {}


def _list_outputs(call: Call) -> list[Value]:
    """Return the outputs of a step without those for metrics, which v2 has in MLflow."""
    listed, metrics = call.get("outputs"), call.get("metrics_output")
    if listed is not None and listed.items is None:
        raise call.refuse("the text does not tell its outputs", spreads=True)
    items = [*((listed.items or []) if listed is not None else []), *([metrics] if metrics is not None else [])]
    for one in items:
        if call.name == "AutoMLStep" or one is metrics or _read_training(one).get("type") == "Metrics":
            call.rewriter.consume(one)
        if one.kind != "OutputData":
            raise call.refuse(f"'{one.code}' is no output of a step", spreads=True)
    return [one for one in items if one is not metrics and _read_training(one).get("type") != "Metrics"]


@rule(
    "HyperDriveStep",
    takes="name hyperdrive_config estimator_entry_script_arguments inputs outputs metrics_output allow_reuse version",
)
def _make_sweep_step(call: Call) -> Value:
    """Return the command of the trials; the pipeline's function gives it the search space, and sweeps it."""
    call.check_no_others(
        "name", "hyperdrive_config", "estimator_entry_script_arguments", "inputs", "outputs", "metrics_output",
        "allow_reuse", "version",
    )  # fmt: skip
    sweep = call.require("hyperdrive_config")
    trial: Value | None = sweep.facts.get("trial")
    if sweep.kind != "Sweep" or trial is None or not isinstance(trial.facts.get("node"), ast.Call):
        raise call.refuse("the text does not tell its hyperdrive_config", spreads=True)
    node = trial.facts["node"]
    if count_assignments(call, node) != trial.facts["counts"]:
        raise call.refuse(f"what '{trial.code}' is made of has changed since", spreads=True)
    sweep.facts["in step"] = trial.facts["droppable"] = True
    call.rewriter.consume(sweep)
    given = Call("ScriptRunConfig", node, call.rewriter)
    given.arguments = call.rewriter.bind_arguments(node, given)
    line = CommandLine(call, is_step=True)
    copies = _write_trial(call, given, line, sweep.facts["flags"])
    for flag, name in sweep.facts["flags"].items():
        line.inputs.setdefault(name, sweep.facts["defaults"][flag])
    arguments = _write_head(call, given)
    arguments.append(("command", line.write_command(copies)))
    add_order_ports(call, line)
    inner = call.indent + "    "
    arguments += [("inputs", make_dict(line.inputs, inner))] if line.inputs else []
    arguments += [("outputs", make_dict(line.outputs, inner))] if line.outputs else []
    arguments += [*build_tail(given), *write_reuse(call)]
    facts = {**make_step_facts(call, line), "write": _write_sweep(call.target, sweep)}
    return link_outputs(call.build(call.use(ML, "command"), arguments, "Step", **facts))


def _write_head(call: Call, given: Call) -> list[tuple[str, str]]:
    name, folder = call.get("name"), given.get("source_directory")
    head = [("display_name", name.code)] if name is not None else []
    return [*head, ("code", folder.code)] if folder is not None else head


def _write_trial(call: Call, given: Call, line: CommandLine, flags: dict[str, str]) -> str:
    """Add the trial's program, arguments and data; return the text by which it copies its model to an output."""
    line.declare(call.get("inputs"), None)
    if given.get("command") is not None:
        add_command(call, line, given.require("command"))
    else:
        line.add_program(given.require("script"))
    line.add_arguments(given.get("arguments"), flags)
    line.add_arguments(call.get("estimator_entry_script_arguments"))
    copies = ""
    for output in _list_outputs(call):
        line.declare(None, Value("", items=[output]))
        file = _read_training(output).get("file")
        if file is not None:
            source = shlex.quote(file) if posixpath.splitext(file)[1] else f"{shlex.quote(file)}/."
            copies += f" && cp -r {source} ${{{{outputs.{next(reversed(line.outputs))}}}}}"
    return copies


def _write_sweep(target: str, sweep: Value) -> Writer:
    space: list[tuple[str, str]] = sweep.facts["space"]
    settings: list[tuple[str, str]] = sweep.facts["settings"]

    def write(name: str, inputs: dict[str, str]) -> list[str]:
        trial = make_call(target, [*inputs.items(), *space], "", len(name) + 9)
        call = make_call(f"{name}_trial.sweep", settings, "", len(name) + 3)
        return [*f"{name}_trial = {trial}".split("\n"), *f"{name} = {call}".split("\n")]

    return write


@rule(
    "AutoMLStep",
    takes="name automl_config inputs outputs script_repl_params allow_reuse version hash_paths "
    "enable_default_model_output enable_default_metrics_output",
)
def _make_automl_step(call: Call) -> Value:
    """Return AutoML as a node that the pipeline's function makes; its model is the output best_model."""
    call.check_no_others(
        "name", "automl_config", "inputs", "outputs", "allow_reuse", "version", "hash_paths",
        "enable_default_model_output", "enable_default_metrics_output",
    )  # fmt: skip
    config = call.require("automl_config")
    if config.kind != "AutoMLConfig" or "arguments" not in config.facts:
        raise call.refuse("the text does not tell its automl_config", spreads=True)
    note_reuse(call, "AutoML")
    config.facts["in step"] = True
    call.rewriter.consume(config)
    call.rewriter.consume(call.get("inputs"))
    models = [one for one in _list_outputs(call) if _read_training(one).get("type") == "Model"]
    name = call.get("name")
    facts: dict[str, Any] = {
        "ports": config.facts["ports"], "v1 name": name, "awaits": {},
        "outputs": dict(zip(("best_model",), models, strict=False)),
        "written": ["best_model"], "write": _write_automl(call, config, name),
        "waits for data only": "an AutoML step",
    }  # fmt: skip
    return link_outputs(call.make("", "Step", dropped=True, **facts))


def _write_automl(call: Call, config: Value, title: Value | None) -> Writer:
    function: str = config.facts["function"]
    arguments: list[tuple[str, str]] = config.facts["arguments"]
    settings: list[tuple[str, list[tuple[str, str]]]] = config.facts["settings"]
    output = f'{{"best_model": {call.use(ML, "Output")}(type="mlflow_model")}}'
    head = [("display_name", title.code)] if title is not None else []

    def write(name: str, inputs: dict[str, str]) -> list[str]:
        own = [(key, inputs.get(key, code)) for key, code in arguments]
        lines = f"{name} = {make_call(function, [*head, *own, ('outputs', output)], '', len(name) + 3)}".split("\n")
        for method, given in settings:
            lines += make_call(f"{name}.{method}", given).split("\n")
        return lines

    return write
