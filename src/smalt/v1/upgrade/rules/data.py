"""Datasets, datastores and what names a place in them: inputs and outputs of v2."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import UNKNOWN, Value

ML = "azure.ai.ml"
MODES = {"mount": "", "download": "download", "direct": "direct", "upload": "upload"}
"""v2's mode by v1's; a mount is the default."""


@rule("Datastore", "Datastore.get", takes="workspace name datastore_name")
def _get_datastore(call: Call) -> Value:
    name = call.get("name") or call.get("datastore_name")
    if name is None:
        return call.make(f"{call.client}.datastores.get_default()", "Datastore")
    return call.make(f"{call.client}.datastores.get({name.code})", "Datastore", name=name.constant)


@rule("Datastore.get_default", takes="workspace")
def _get_default(call: Call) -> Value:
    return call.make(f"{call.client}.datastores.get_default()", "Datastore")


@rule("Datastore.name")
def _read_datastore_name(call: Call) -> Value:
    return call.make(f"{call.object.code}.name")


@rule(
    "Datastore.register_azure_blob_container",
    takes="workspace datastore_name container_name account_name sas_token account_key protocol "
    "endpoint overwrite create_if_not_exists skip_validation blob_cache_timeout "
    "grant_workspace_access subscription_id resource_group",
)
def _register_datastore(call: Call) -> Value:
    call.check_no_others(
        "workspace", "datastore_name", "container_name", "account_name", "sas_token", "account_key", "overwrite",
        "create_if_not_exists", "skip_validation", "protocol", "endpoint",
    )  # fmt: skip
    arguments = [("name", call.require("datastore_name").code)]
    arguments += [(key, call.require(key).code) for key in ("account_name", "container_name")]
    arguments += [(key, call.arguments[key].code) for key in ("protocol", "endpoint") if call.get(key) is not None]
    for key, name in (("sas_token", "SasTokenConfiguration"), ("account_key", "AccountKeyConfiguration")):
        if call.get(key) is not None:
            arguments.append(("credentials", make_call(call.entity(name), [(key, call.arguments[key].code)])))
    datastore = make_call(call.entity("AzureBlobDatastore"), arguments, call.indent, call.prefix + 40)
    return call.make(f"{call.client}.datastores.create_or_update({datastore})", "Datastore")


def write_uri(datastore: Value, path: str) -> str:
    """Return the code of an azureml:// URI; `path` is text without quotes, with braces doubled where it is literal."""
    name = datastore.facts.get("name", UNKNOWN)
    if isinstance(name, str) and "{" not in path:
        return quote(f"azureml://datastores/{name}/paths/{path}")
    held = datastore.code
    return f'f"azureml://datastores/{{{held}.name}}/paths/{path}"'


def _write_path(value: Value | None) -> str:
    """Return a path as the inner part of an f-string."""
    if value is None:
        return ""
    if value.is_text:
        return str(value.constant).lstrip("/").replace("{", "{{").replace("}", "}}")
    return "{" + value.code.replace('"', "'") + "}"


@rule("Datastore.path", takes="path data_reference_name")
def _name_path(call: Call) -> Value:
    path = call.get("path")
    uri = write_uri(call.object, _write_path(path))
    kind = _guess_type(path.constant if path is not None else "")
    return call.make(uri, "DataReference", uri=uri, type=kind, name=call.get("data_reference_name"), mode="")


def _guess_type(path: object) -> str:
    """Return uri_file for a path that ends as a file's name does, else uri_folder."""
    if isinstance(path, list) and len(path) == 1:
        path = path[0]
    if (
        isinstance(path, str)
        and PurePosixPath(path.split("?")[0]).suffix
        and not path.endswith("/")
        and "*" not in path
    ):
        return "uri_file"
    return "uri_folder"


@rule("DataReference", takes="datastore data_reference_name path_on_datastore mode path_on_compute overwrite")
def _make_reference(call: Call) -> Value:
    call.check_no_others("datastore", "data_reference_name", "path_on_datastore", "mode", "overwrite")
    path = call.get("path_on_datastore")
    uri = write_uri(call.require("datastore"), _write_path(path))
    return _make_input(
        call,
        uri,
        _guess_type(path.constant if path is not None else ""),
        call.get("mode"),
        call.get("data_reference_name"),
    )


@rule("DataPath", takes="datastore path_on_datastore name")
def _make_data_path(call: Call) -> Value:
    path = call.get("path_on_datastore")
    uri = write_uri(call.require("datastore"), _write_path(path))
    return _make_input(call, uri, _guess_type(path.constant if path is not None else ""), None, call.get("name"))


def _make_input(call: Call, uri: str, kind: str, mode: Value | None, name: Value | None) -> Value:
    arguments = [("type", quote(kind)), ("path", uri)]
    if mode is not None:
        if mode.constant not in MODES:
            raise call.refuse("the text does not tell its mode", spreads=True)
        arguments += [("mode", quote(MODES[mode.constant]))] if MODES[mode.constant] else []
    return call.build(
        call.use(ML, "Input"), arguments, "Dataset", type=kind, name=name.constant if name is not None else None
    )


@rule("DataPathComputeBinding", takes="mode path_on_compute overwrite")
def _make_binding(call: Call) -> Value:
    call.check_no_others("mode", "overwrite")
    mode = call.get("mode")
    return call.make("", "DataPathComputeBinding", mode=mode.constant if mode is not None else "mount", droppable=True)


@rule("Dataset.File.from_files", "FileDatasetFactory.from_files", takes="path validate partition_format is_file")
def _make_file_dataset(call: Call) -> Value:
    call.check_no_others("path", "validate")
    uri, kind = _read_place(call, call.require("path"))
    return call.build(call.use(ML, "Input"), [("type", quote(kind)), ("path", uri)], "Dataset", type=kind)


def _read_place(call: Call, path: Value) -> tuple[str, str]:
    """Return the URI of a dataset's path, and its type."""
    if path.kind == "DataReference":
        return path.code, path.facts["type"]
    if path.items is not None:
        if len(path.items) == 2 and path.items[0].kind == "Datastore":
            return write_uri(path.items[0], _write_path(path.items[1])), _guess_type(path.items[1].constant)
        if len(path.items) != 1:
            raise call.refuse("an input of v2 has one path: bring the files into one folder", spreads=True)
        if path.variable:
            return f"{path.code}[0]", _guess_type(path.constant)
        return _read_place(call, path.items[0])
    if isinstance(path.constant, str) and "*" in path.constant:
        raise call.refuse("a path with * is an MLTable in v2, or the folder above it", spreads=True)
    if path.constant is UNKNOWN:
        call.note(f"uri_folder if '{path.code}' is a folder; write uri_file if it is a file")
    return path.code, _guess_type(path.constant)


@rule(
    "Dataset.Tabular.from_delimited_files",
    "TabularDatasetFactory.from_delimited_files",
    takes="path validate include_path infer_column_types set_column_types separator header "
    "partition_format support_multi_line empty_as_string encoding",
)
def _make_table(call: Call) -> Value:
    call.check_no_others("path", "validate", "infer_column_types", "separator", "encoding")
    return _make_mltable(
        call,
        "from_delimited_files",
        {"separator": "delimiter", "encoding": "encoding", "infer_column_types": "infer_column_types"},
    )


@rule(
    "Dataset.Tabular.from_parquet_files",
    "TabularDatasetFactory.from_parquet_files",
    takes="path validate include_path set_column_types partition_format",
)
def _make_parquet_table(call: Call) -> Value:
    call.check_no_others("path", "validate")
    return _make_mltable(call, "from_parquet_files", {})


def _make_mltable(call: Call, function: str, names: dict[str, str]) -> Value:
    path = call.require("path")
    if path.items is not None and not (len(path.items) == 2 and path.items[0].kind == "Datastore"):
        places = [(_read_place(call, one)) for one in path.items]
    else:
        places = [_read_place(call, path)]
    entries = ", ".join(f'{{"{_name_place(place)}": {code}}}' for code, place in places)
    call.use("mltable", "")
    arguments = [("paths", f"[{entries}]")]
    arguments += [(new, call.arguments[old].code) for old, new in names.items() if call.get(old) is not None]
    differs = "an MLTable: v2 has no dataset without a file that describes it; save() it before it is a job's input"
    return call.build(f"mltable.{function}", arguments, "Table", differs=differs)


def _name_place(kind: str) -> str:
    return "file" if kind == "uri_file" else "folder"


@rule("Table.to_pandas_dataframe", takes="on_error out_of_range_datetime")
def _load_table(call: Call) -> Value:
    return call.make(f"{call.object.code}.to_pandas_dataframe()")


@rule("Table.take", "Table.skip", takes="count")
def _take_rows(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}({call.require('count').code})", "Table")


@rule("Table.drop_columns", "Table.keep_columns", takes="columns validate")
def _choose_columns(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}({call.require('columns').code})", "Table")


@rule("RegisteredDataset.drop_columns", "RegisteredDataset.keep_columns", takes="columns validate")
def _choose_registered_columns(call: Call) -> Value:
    call.use("mltable", "")
    method, columns = call.name.split(".")[1], call.require("columns").code
    code = f'mltable.load(f"azureml:/{{{call.object.code}.id}}").{method}({columns})'
    return call.make(code, "Table", differs="for data of type mltable")


@rule("RegisteredDataset.take", "RegisteredDataset.skip", takes="count")
def _take_registered_rows(call: Call) -> Value:
    call.use("mltable", "")
    method, count = call.name.split(".")[1], call.require("count").code
    code = f'mltable.load(f"azureml:/{{{call.object.code}.id}}").{method}({count})'
    return call.make(code, "Table", differs="for data of type mltable")


@rule("Table.random_split", takes="percentage seed")
def _split_table(call: Call) -> Value:
    seed = call.get("seed")
    inner = f"percent={call.require('percentage').code}" + (f", seed={seed.code}" if seed is not None else "")
    return call.make(f"{call.object.code}.random_split({inner})", parts=["Table", "Table"])


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
    return call.make(f"{call.client}.data.get({call.require('name').code}, {which})", "RegisteredDataset")


@rule("RegisteredDataset.to_pandas_dataframe", takes="on_error out_of_range_datetime")
def _load_registered(call: Call) -> Value:
    call.use("mltable", "")
    return call.make(
        f'mltable.load(f"azureml:/{{{call.object.code}.id}}").to_pandas_dataframe()', differs="for data of type mltable"
    )


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
    arguments = [("name", call.require("name").code)]
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


@rule(
    "TabularDatasetFactory.register_pandas_dataframe", "Dataset.Tabular.register_pandas_dataframe",
    takes="dataframe target name description tags show_progress row_group_size make_target_path_unique",
)  # fmt: skip
def _register_frame(call: Call) -> Value:
    """Write the frame and an MLTable beside it, and register their folder."""
    frame, name = call.require("dataframe"), call.require("name")
    if not call.target or "." in call.target or not name.is_text:
        raise call.refuse("the text does not tell its name, or it has no variable of its own")
    folder = f"./{name.constant}"
    data = [("name", name.code), ("type", '"mltable"'), ("path", quote(folder))]
    data += [(key, call.arguments[key].code) for key in ("description", "tags") if call.get(key) is not None]
    call.use("mltable", "")
    call.rewriter.before += [
        f"{call.use('pathlib', 'Path')}({quote(folder)}).mkdir(exist_ok=True)",
        f"{frame.code}.to_parquet({quote(folder + '/data.parquet')})",
    ]
    call.rewriter.after += [
        f"{call.target}.save({quote(folder)})",
        f"{call.client}.data.create_or_update({make_call(call.entity('Data'), data, call.indent, 40)})",
    ]
    code = f'mltable.from_parquet_files(paths=[{{"file": {quote(folder + "/data.parquet")}}}])'
    return call.make(code, "Table", differs="its files go where data assets go, not to 'target'", saved=True)


# How a job gets data


@rule("Dataset.as_named_input", "RegisteredDataset.as_named_input", "Table.as_named_input", takes="name")
def _name_input(call: Call) -> Value:
    return _consume(call, call.object, name=call.require("name"))


@rule("Dataset.as_mount", "RegisteredDataset.as_mount", takes="path_on_compute")
def _mount(call: Call) -> Value:
    call.check_no_others()
    return _consume(call, call.object, mode="")


@rule("Dataset.as_download", "RegisteredDataset.as_download", takes="path_on_compute")
def _download(call: Call) -> Value:
    call.check_no_others()
    return _consume(call, call.object, mode="download")


@rule("Consumption.as_mount", takes="path_on_compute")
def _mount_named(call: Call) -> Value:
    call.check_no_others()
    return _consume(call, call.object.facts["source"], name=call.object.facts["name"], mode="")


@rule("Consumption.as_download", takes="path_on_compute")
def _download_named(call: Call) -> Value:
    call.check_no_others()
    return _consume(call, call.object.facts["source"], name=call.object.facts["name"], mode="download")


@rule("DatasetConsumptionConfig", takes="name dataset mode path_on_compute")
def _make_consumption(call: Call) -> Value:
    call.check_no_others("name", "dataset", "mode")
    mode = call.get("mode")
    if mode is not None and mode.constant not in MODES:
        raise call.refuse("the text does not tell its mode", spreads=True)
    return _consume(
        call, call.require("dataset"), name=call.require("name"), mode=MODES[mode.constant] if mode else None
    )


def _consume(call: Call, source: Value, name: Value | None = None, mode: str | None = None) -> Value:
    """Return how a job gets data, under a name of its own; `mode` None: as v1's scripts open it by themselves."""
    if source.kind not in ("Dataset", "RegisteredDataset", "Table", "PipelineParameter"):
        raise call.refuse("the text does not tell which data this is", spreads=True)
    code = write_input(call, source, mode or "")
    facts: dict[str, Any] = {"source": source, "name": name, "mode": mode, "droppable": True}
    call.rewriter.consume(source) if code != source.code else None
    return call.make(code, "Consumption", **facts)


def save_table(call: Call, table: Value, folder: str) -> None:
    """Have a table saved before it is used, once: a job gets it as a folder."""
    line = f"{table.code}.save({quote(folder)})"
    if not table.facts.get("saved") and line not in call.rewriter.before:
        call.rewriter.before.append(line)
    if call.rewriter.is_straight(table):
        table.facts["saved"] = True


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


# What a step makes


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
        "name", "datastore", "output_mode", "output_name", "is_directory", "pipeline_output_name", "destination"
    )
    name, mode = call.get("output_name") or call.get("name"), call.get("output_mode")
    arguments = [("type", '"uri_folder"')]
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
    folder = call.get("is_directory")
    if call.name == "PipelineData" and (folder is None or folder.constant is not True):
        differs = "the script finds a folder at this path, where v1 had nothing yet"
    later = call.recall()
    if later.get("register"):
        arguments += later["register"]
    facts: dict[str, Any] = {
        "name": name.constant if name is not None and name.is_text else None,
        "promoted": call.get("pipeline_output_name"), "step": None,
    }  # fmt: skip
    return call.build(call.use(ML, "Output"), arguments, "OutputData", differs=differs, **facts)


def _write_destination(datastore: Value, path: Value) -> str:
    text = _write_path(path)
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
            [("type", '"uri_folder"'), ("path", f"{call.object.code}.path"), ("mode", '"upload"')],
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
    return call.make(quote(name))


@rule("PipelineParameter", takes="name default_value")
def _make_parameter(call: Call) -> Value:
    name, default = call.require("name"), call.require("default_value")
    if not name.is_text:
        raise call.refuse("the text does not tell its name", spreads=True)
    return call.make(default.code, "PipelineParameter", name=name.constant, default=default)


@rule("PipelineParameter.name")
def _read_parameter_name(call: Call) -> Value:
    return call.make(quote(call.object.facts["name"]))
