"""Outputs of steps, and parameters of pipelines."""

from __future__ import annotations

from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.datastores import write_path, write_uri
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

ML = "azure.ai.ml"


@rule(
    "OutputFileDatasetConfig",
    "PipelineData",
    takes="name datastore output_name output_mode output_path_on_compute output_overwrite data_type "
    "is_directory pipeline_output_name training_output destination source partition_format",
)
def _make_output(call: Call) -> Value:
    if call.name == "OutputFileDatasetConfig" and len(getattr(call.node, "args", ())) > 1:
        raise call.refuse("give its arguments by name", spreads=True)
    call.check_no_others(
        "name", "datastore", "output_mode", "output_name", "is_directory", "pipeline_output_name", "destination",
        "training_output",
    )  # fmt: skip
    name, mode = call.get("output_name") or call.get("name"), call.get("output_mode")
    folder = call.get("is_directory")
    is_file = call.name == "PipelineData" and folder is not None and folder.constant is False
    kind = "uri_file" if is_file else "uri_folder"
    arguments = [("type", quote(kind))]
    destination = call.get("destination")
    if destination is not None:
        if destination.items is None or len(destination.items) != 2 or destination.items[0].kind != "Datastore":
            raise call.refuse("the text does not tell its destination", spreads=True)
        arguments.append(("path", _write_destination(*destination.items)))
    elif call.get("datastore") is not None:
        call.rewriter.consume(call.get("datastore"))
    if mode is not None and mode.constant not in ("mount", "upload"):
        raise call.refuse("the text does not tell its mode", spreads=True)
    arguments += [("mode", '"upload"')] if mode is not None and mode.constant == "upload" else []
    differs = ""
    if call.name == "PipelineData" and kind == "uri_folder" and (folder is None or folder.constant is not True):
        differs = "the script finds a folder at this path, where v1 had nothing yet"
    training = call.get("training_output")
    if training is not None:
        return _make_trained_output(call, name, training)
    later = call.recall()
    if later.get("register"):
        arguments += later["register"]
    facts: dict[str, Any] = {
        "name": name.constant if name is not None and name.is_text else None,
        "promoted": call.get("pipeline_output_name"), "step": None, "type": kind,
    }  # fmt: skip
    return call.build(call.use(ML, "Output"), arguments, "OutputData", differs=differs, **facts)


def _make_trained_output(call: Call, name: Value | None, training: Value) -> Value:
    """Return the output for the best model of many; v2 has none for their metrics."""
    if training.kind != "TrainingOutput":
        raise call.refuse("the text does not tell its training_output", spreads=True)
    call.rewriter.consume(training)
    facts: dict[str, Any] = {
        "name": name.constant if name is not None and name.is_text else None,
        "promoted": call.get("pipeline_output_name"), "step": None, "training": training, "droppable": True,
    }  # fmt: skip
    if training.facts["type"] == "Metrics":
        return call.make("", "OutputData", **facts, dropped=True)
    return call.build(call.use(ML, "Output"), [("type", '"uri_folder"')], "OutputData", **facts)


def _write_destination(datastore: Value, path: Value) -> str:
    text = write_path(path)
    text = text.replace("{{run-id}}", "${{{{name}}}}").replace("{{output-name}}", "${{{{output_name}}}}")
    return write_uri(datastore, text)


@rule("OutputData.register_on_complete", takes="name description tags")
def _register_output(call: Call) -> Value:
    call.check_no_others("name")
    name = call.require("name").code
    code = call.object.code
    if call.object.variable:
        call.object.facts["register"] = [("name", name)]
        call.rewriter.consume(call.object)
        return call.make(
            "", "OutputData", dropped=True, **{k: v for k, v in call.object.facts.items() if k != "dropped"}
        )
    return call.make(code[:-1].rstrip().rstrip(",") + f", name={name})", "OutputData", **call.object.facts)


@rule("OutputData.as_upload", "OutputData.as_mount", takes="overwrite source_globs disable_metadata_cache")
def _set_output_mode(call: Call) -> Value:
    if call.get("source_globs") is not None:
        raise call.refuse("v2 has no source_globs", spreads=True)
    if call.name.endswith("as_mount"):
        return Value(
            call.object.code,
            "OutputData",
            call.object.facts,
            variable=call.object.variable,
            changed=True,
            node=call.node,
        )
    if call.object.variable:
        code = make_call(
            call.use(ML, "Output"),
            [("type", f"{call.object.code}.type"), ("path", f"{call.object.code}.path"), ("mode", '"upload"')],
        )
        value = call.make(code, "OutputData")
    else:
        value = call.make(call.object.code[:-1].rstrip().rstrip(",") + ', mode="upload")', "OutputData")
    value.facts = call.object.facts
    return value


@rule("OutputData.as_input", takes="name")
def _read_output(call: Call) -> Value:
    name = call.get("name")
    return Value(
        call.object.code,
        "OutputLink",
        {"output": call.object, "name": name.constant if name is not None else None},
        node=call.node,
    )


@rule("OutputData.as_dataset", takes="")
def _keep_output(call: Call) -> Value:
    return Value(
        call.object.code,
        "OutputLink",
        {"output": call.object, "name": call.object.facts.get("name"), "droppable": True},
        node=call.node,
        changed=True,
    )


@rule("OutputLink.as_named_input", takes="name")
def _name_link(call: Call) -> Value:
    return Value(
        call.object.code,
        "OutputLink",
        {**call.object.facts, "name": call.require("name").constant},
        node=call.node,
        changed=True,
    )


@rule("OutputLink.as_mount", "OutputLink.as_download", "OutputLink.as_direct", takes="path_on_compute")
def _mount_link(call: Call) -> Value:
    mode = "download" if call.name.endswith("as_download") else ""
    return Value(call.object.code, "OutputLink", {**call.object.facts, "mode": mode}, node=call.node, changed=True)


@rule("OutputData.name")
def _read_output_name(call: Call) -> Value:
    name = call.object.facts.get("name")
    if name is None:
        raise call.refuse("the text does not tell the name of this output")
    value = call.make(quote(name))
    value.constant = name
    return value


@rule("PipelineParameter", takes="name default_value")
def _make_parameter(call: Call) -> Value:
    name, default = call.require("name"), call.require("default_value")
    if not name.is_text:
        raise call.refuse("the text does not tell its name", spreads=True)
    return call.make(default.code, "PipelineParameter", name=name.constant, default=default)


@rule("PipelineParameter.name")
def _read_parameter_name(call: Call) -> Value:
    return call.make(quote(call.object.facts["name"]))
