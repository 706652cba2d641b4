"""Datasets of files and registered data: inputs of v2."""

from __future__ import annotations

from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.datastores import MODES, read_place
from smalt.v1.upgrade.rules.files import describe_place
from smalt.v1.upgrade.rules.tables import make_file_table, save_table, write_registered
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

ML = "azure.ai.ml"


@rule("Dataset.File.from_files", "FileDatasetFactory.from_files", takes="path validate partition_format is_file")
def _make_file_dataset(call: Call) -> Value:
    call.check_no_others("path", "validate", "partition_format", "is_file")
    path, form = call.require("path"), call.get("partition_format")
    if form is not None:
        return make_file_table(call, path, form)
    uri, kind = read_place(call, path)
    facts: dict[str, Any] = {"type": kind, **describe_place(path)}
    return call.build(call.use(ML, "Input"), [("type", quote(kind)), ("path", uri)], "Dataset", **facts)


@rule("Dataset.get_by_id", takes="workspace id **")
def _get_by_id(call: Call) -> Value:
    """Return what a script was given: v1's id of a dataset is a path in v2."""
    if not call.require("workspace").facts.get("in job"):
        raise call.refuse("v2's ids are paths of the service: name the data, by ml_client.data.get(name, version)")
    differs = "the job gives the path of an input of type mltable, where v1 gave a dataset's id"
    return call.make(call.require("id").code, "ScriptInput", differs=differs)


@rule("Dataset.get_by_name", takes="workspace name version")
def _get_dataset(call: Call) -> Value:
    version = call.get("version")
    which = 'label="latest"' if version is None or version.constant == "latest" else f"version={version.code}"
    return call.make(f"{call.client}.data.get({_write_name(call)}, {which})", "RegisteredDataset")


def _write_name(call: Call) -> str:
    """Return the code of the name of a data asset, which has no spaces in v2."""
    from smalt.v1.data.registration import clean_name

    name = call.require("name")
    made = clean_name(name.constant) if name.is_text else ""
    if not name.is_text or made == name.constant:
        return name.code
    call.note(f"data assets of v2 have no such names: '{made}'")
    return quote(made)


@rule("RegisteredDataset.to_pandas_dataframe", takes="on_error out_of_range_datetime")
def _load_registered(call: Call) -> Value:
    call.use("mltable", "")
    return call.make(f"{write_registered(call.object)}.to_pandas_dataframe()", differs="for data of type mltable")


@rule(
    "RegisteredDataset.name",
    "RegisteredDataset.version",
    "RegisteredDataset.id",
    "RegisteredDataset.description",
    "RegisteredDataset.tags",
)
def _read_data_field(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}")


@rule("Dataset.register", "Table.register", takes="workspace name description tags create_new_version")
def _register_dataset(call: Call) -> Value:
    arguments = [("name", _write_name(call))]
    if call.object.kind == "Table":
        if not call.object.variable:
            raise call.refuse("give the table a variable of its own first")
        folder = f"./{call.object.variable}"
        save_table(call, call.object, folder)
        arguments += [("type", '"mltable"'), ("path", quote(folder))]
    else:
        held = call.object.code
        if not call.object.variable:
            raise call.refuse("give the dataset a variable of its own first")
        arguments += [("type", f"{held}.type"), ("path", f"{held}.path")]
    arguments += [(key, call.arguments[key].code) for key in ("description", "tags") if call.get(key) is not None]
    data = make_call(call.entity("Data"), arguments, call.indent, call.prefix + 30)
    return call.make(f"{call.client}.data.create_or_update({data})", "RegisteredDataset")


# How a job gets data


@rule("Dataset.as_named_input", "RegisteredDataset.as_named_input", "Table.as_named_input", takes="name")
def _name_input(call: Call) -> Value:
    return _consume_data(call, call.object, name=call.require("name"))


def _note_path(call: Call) -> None:
    if call.get("path_on_compute") is not None:
        call.note("path_on_compute: v2 chooses the place itself; the script gets it as an argument")


@rule("Dataset.as_mount", "RegisteredDataset.as_mount", takes="path_on_compute")
def _rewrite_mount(call: Call) -> Value:
    _note_path(call)
    return _consume_data(call, call.object, mode="")


@rule("Dataset.as_download", "RegisteredDataset.as_download", takes="path_on_compute")
def _rewrite_download(call: Call) -> Value:
    _note_path(call)
    return _consume_data(call, call.object, mode="download")


@rule("Consumption.as_mount", takes="path_on_compute")
def _mount_named(call: Call) -> Value:
    _note_path(call)
    return _consume_data(call, call.object.facts["source"], name=call.object.facts["name"], mode="")


@rule("Consumption.as_download", takes="path_on_compute")
def _download_named(call: Call) -> Value:
    _note_path(call)
    return _consume_data(call, call.object.facts["source"], name=call.object.facts["name"], mode="download")


@rule("DatasetConsumptionConfig", takes="name dataset mode path_on_compute")
def _make_consumption(call: Call) -> Value:
    _note_path(call)
    mode = call.get("mode")
    if mode is not None and mode.constant not in MODES:
        raise call.refuse("the text does not tell its mode", spreads=True)
    return _consume_data(
        call, call.require("dataset"), name=call.require("name"), mode=MODES[mode.constant] if mode else None
    )


def _consume_data(call: Call, source: Value, name: Value | None = None, mode: str | None = None) -> Value:
    """Return how a job gets data, under a name of its own; `mode` None: as v1's scripts open it by themselves."""
    if source.kind not in ("Dataset", "RegisteredDataset", "Table", "PipelineParameter"):
        raise call.refuse("the text does not tell which data this is", spreads=True)
    code = write_input(call, source, mode or "")
    facts: dict[str, Any] = {"source": source, "name": name, "mode": mode, "droppable": True}
    call.rewriter.consume(source) if code != source.code else None
    return call.make(code, "Consumption", **facts)


def write_input(call: Call, source: Value, mode: str = "") -> str:
    """Return the code of an Input for data; a variable that holds one already is used as it is."""
    extra = [("mode", quote(mode))] if mode else []
    if source.kind == "RegisteredDataset":
        held = source.code
        parts = [("type", f"{held}.type"), ("path", f"{held}.id"), *extra]
        return make_call(call.use(ML, "Input"), parts, call.indent)
    if source.kind == "Table":
        if not source.variable:
            raise call.refuse("give the table a variable of its own first", spreads=True)
        folder = f"./{source.variable}"
        save_table(call, source, folder)
        return make_call(call.use(ML, "Input"), [("type", '"mltable"'), ("path", quote(folder)), *extra], call.indent)
    if not mode or source.kind == "PipelineParameter":
        return source.code
    if source.variable:
        held = source.code
        return make_call(
            call.use(ML, "Input"), [("type", f"{held}.type"), ("path", f"{held}.path"), *extra], call.indent
        )
    return source.code[:-1].rstrip().rstrip(",") + f", mode={quote(mode)})"
