"""Modules and notebooks as steps: each becomes the command that its script is."""

from __future__ import annotations

import ast
import shlex
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.ports import CommandLine
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.steps import finish_step
from smalt.v1.upgrade.texts import make_dict, make_name, quote
from smalt.v1.upgrade.values import Value

_COMPONENT = (
    "a step's command is its component; keep it for other programs by ml_client.components.create_or_update("
    "STEP.component)"
)


@rule("Module.create", takes="workspace name description **")
def _make_module(call: Call) -> Value:
    call.rewriter.consume(call.get("workspace"))
    name = call.require("name")
    return call.make("", "Module", name=name, versions=[], dropped=True, differs=_COMPONENT)


@rule(
    "InputPortDef", "OutputPortDef",
    takes="name default_datastore_name default_datastore_mode default_data_reference_name label **",
)  # fmt: skip
def _make_port(call: Call) -> Value:
    for value in call.arguments.values():
        call.rewriter.consume(value)
    return call.make("", "PortDef", dropped=True)


@rule(
    "Module.publish_python_script",
    takes="script_name description inputs outputs params create_sequencing_ports version is_default source_directory "
    "hash_paths category arguments runconfig",
)
def _add_version(call: Call) -> Value:
    call.check_no_others(
        "script_name", "description", "inputs", "outputs", "params", "create_sequencing_ports", "version", "is_default",
        "source_directory", "hash_paths", "category",
    )  # fmt: skip
    if not call.rewriter.is_straight(call.object):
        raise call.refuse("which versions the module has depends on a condition", spreads=True)
    for name in ("inputs", "outputs", "params"):
        call.rewriter.consume(call.get(name))
    call.rewriter.consume(call.object)
    made = call.make("", "ModuleVersion", arguments=dict(call.arguments), module=call.object, dropped=True)
    call.object.facts["versions"].append(made)
    return made


def _choose_version(call: Call) -> Value:
    given, module = call.get("module_version"), call.get("module")
    if given is not None and given.kind == "ModuleVersion":
        call.rewriter.consume(given)
        return given
    if module is None or module.kind != "Module" or not module.facts["versions"]:
        raise call.refuse("the text does not tell its module", spreads=True)
    call.rewriter.consume(module)
    found: list[Value] = module.facts["versions"]
    wanted = call.get("version")
    for one in found:
        version, is_default = one.facts["arguments"].get("version"), one.facts["arguments"].get("is_default")
        if wanted is None and is_default is not None and is_default.constant is True:
            return one
        if wanted is not None and version is not None and version.constant == wanted.constant:
            return one
    if wanted is not None:
        raise call.refuse("the text does not tell this version of its module", spreads=True)
    return found[-1]


def read_dictionary(call: Call, value: Value | None, what: str) -> dict[str, Value]:
    """Return the values of a dictionary that the text tells."""
    if value is None:
        return {}
    node = value.node
    if isinstance(node, ast.Name):
        node = call.rewriter.memory.nodes.get(node.id)
    if not isinstance(node, ast.Dict) or not all(isinstance(key, ast.Constant) for key in node.keys):
        raise call.refuse(f"the text does not tell its {what}", spreads=True)
    call.rewriter.consume(value)
    pairs = zip(node.keys, node.values, strict=True)
    found = {str(key.value): call.rewriter.read(one) for key, one in pairs}  # type: ignore[union-attr]
    for one in found.values():
        call.rewriter.consume(one)
    return found


@rule(
    "ModuleStep",
    takes="module version module_version inputs_map outputs_map compute_target runconfig runconfig_pipeline_params "
    "arguments params name _workflow_provider",
)
def _make_module_step(call: Call) -> Value:
    call.check_no_others(
        "module", "version", "module_version", "inputs_map", "outputs_map", "compute_target", "runconfig", "arguments",
        "params", "name",
    )  # fmt: skip
    version = _choose_version(call)
    given: dict[str, Value] = version.facts["arguments"]
    line = CommandLine(call, is_step=True)
    for which in ("inputs", "outputs"):
        data = Value("", items=list(read_dictionary(call, call.get(f"{which}_map"), f"{which}_map").values()))
        line.declare(data if which == "inputs" else None, data if which == "outputs" else None)
    line.add_program(given["script_name"])
    line.add_arguments(call.get("arguments"))
    values = {
        **read_dictionary(call, given.get("params"), "params"), **read_dictionary(call, call.get("params"), "params")
    }  # fmt: skip
    if "source_directory" in given:
        call.arguments["source_directory"] = given["source_directory"]
    call.arguments["script_name"] = version.facts["module"].facts["name"]  # what people see, where it has no name
    return finish_step(call, line, write_parameters_as_variables(call, values))


def write_parameters_as_variables(call: Call, values: dict[str, Value]) -> list[tuple[str, str]]:
    """Return the variables by which a script of v1 has its parameters: AML_PARAMETER_NAME."""
    if any(one.kind for one in values.values()):
        raise call.refuse("a parameter of the pipeline is no variable in v2: give it as an argument", spreads=True)
    texts = {
        f"AML_PARAMETER_{name}": quote(str(one.constant))
        if one.node is not None and not one.variable
        else f"str({one.code})"
        for name, one in values.items()
    }
    return [("environment_variables", make_dict(texts, call.indent + "    "))] if texts else []


# Notebooks

_PACKAGES = "the step's environment needs papermill and ipykernel"


@rule("AzureMLNotebookHandler", takes="timeout progress_bar log_output **")
def _make_handler(call: Call) -> Value:
    return call.make("", "NotebookHandler", dropped=True, differs="papermill has no timeout; its output is logged")


@rule("NotebookRunConfig", takes="source_directory notebook output_notebook parameters handler run_config")
def _describe_notebook(call: Call) -> Value:
    call.rewriter.consume(call.get("handler"))
    return call.make("", "NotebookRunConfig", arguments=dict(call.arguments), dropped=True)


@rule(
    "NotebookRunnerStep",
    takes="name notebook_run_config runconfig_pipeline_params params inputs outputs allow_reuse version compute_target "
    "output_notebook_pipeline_data_name",
)
def _make_notebook_step(call: Call) -> Value:
    """Return a command that runs papermill; data and parameters are parameters of the notebook."""
    call.check_no_others(
        "name", "notebook_run_config", "params", "inputs", "outputs", "allow_reuse", "version", "compute_target",
        "output_notebook_pipeline_data_name",
    )  # fmt: skip
    config = call.require("notebook_run_config")
    if config.kind != "NotebookRunConfig":
        raise call.refuse("the text does not tell its notebook_run_config", spreads=True)
    call.rewriter.consume(config)
    given: dict[str, Value] = config.facts["arguments"]
    notebook = given["notebook"]
    if not notebook.is_text:
        raise call.refuse("the text does not tell its notebook", spreads=True)
    line = CommandLine(call, is_step=True)
    result = call.get("output_notebook_pipeline_data_name")
    folder = make_name(str(result.constant)) if result is not None and result.is_text else "notebook"
    line.outputs[folder] = f'{call.use("azure.ai.ml", "Output")}(type="uri_folder")'
    name = shlex.quote(str(notebook.constant))
    line.parts.append(f"papermill {name} ${{{{outputs.{folder}}}}}/{name}")
    _add_notebook_parameters(call, line, given)
    if "source_directory" in given:
        call.arguments["source_directory"] = given["source_directory"]
    if "run_config" in given:
        call.arguments["runconfig"] = given["run_config"]
    call.note(_PACKAGES)
    return finish_step(call, line)


def _add_notebook_parameters(call: Call, line: CommandLine, given: dict[str, Value]) -> None:
    words: list[tuple[str, Value]] = []
    for holder in (given.get("parameters"), call.get("params")):
        words += list(read_dictionary(call, holder, "parameters").items())
    for side in ("inputs", "outputs"):
        listed = call.get(side)
        line.declare(listed if side == "inputs" else None, listed if side == "outputs" else None)
        for item in (listed.items or ()) if listed is not None else ():
            known: Any = item.facts.get("name")
            words.append((str(known.constant if isinstance(known, Value) else known or item.variable), item))
    for name, value in words:
        line.parts.append(f"-p {shlex.quote(name)}")
        line.add_arguments(Value("", items=[value]))
