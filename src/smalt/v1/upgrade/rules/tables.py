"""Tables: datasets that v2 has as MLTable."""

from __future__ import annotations

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.datastores import read_place
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

_DELIMITED = {
    "separator": "delimiter",
    "header": "header",
    "encoding": "encoding",
    "infer_column_types": "infer_column_types",
    "support_multi_line": "support_multi_line",
    "empty_as_string": "empty_as_string",
    "include_path": "include_path_column",
}
_HEADERS = {
    False: "no_header", True: "all_files_same_headers", "NO_HEADERS": "no_header",
    "ONLY_FIRST_FILE_HAS_HEADERS": "from_first_file", "COMBINE_ALL_FILES_HEADERS": "all_files_different_headers",
    "ALL_FILES_HAVE_SAME_HEADERS": "all_files_same_headers",
}  # fmt: skip
"""v2's words for the rows of column names, by v1's."""


@rule(*(f"PromoteHeadersBehavior.{name}" for name in _HEADERS if isinstance(name, str)))
def _name_header(call: Call) -> Value:
    word = _HEADERS[call.name.partition(".")[2]]
    return Value(quote(word), constant=word, changed=True, node=call.node)


@rule(
    "Dataset.Tabular.from_delimited_files",
    "TabularDatasetFactory.from_delimited_files",
    takes="path validate include_path infer_column_types set_column_types separator header "
    "partition_format support_multi_line empty_as_string encoding",
)
def _make_table(call: Call) -> Value:
    call.check_no_others(
        "path", "validate", "infer_column_types", "separator", "encoding", "header", "partition_format",
        "support_multi_line", "empty_as_string", "include_path",
    )  # fmt: skip
    return _make_mltable(call, "from_delimited_files", _DELIMITED)


@rule(
    "Dataset.Tabular.from_parquet_files",
    "TabularDatasetFactory.from_parquet_files",
    takes="path validate include_path set_column_types partition_format",
)
def _make_parquet_table(call: Call) -> Value:
    call.check_no_others("path", "validate", "partition_format", "include_path")
    return _make_mltable(call, "from_parquet_files", {"include_path": "include_path_column"})


@rule(
    "Dataset.Tabular.from_json_lines_files",
    "TabularDatasetFactory.from_json_lines_files",
    takes="path validate include_path set_column_types partition_format invalid_lines encoding",
)
def _make_json_table(call: Call) -> Value:
    call.check_no_others("path", "validate", "partition_format", "include_path", "invalid_lines", "encoding")
    names = {"include_path": "include_path_column", "invalid_lines": "invalid_lines", "encoding": "encoding"}
    return _make_mltable(call, "from_json_lines_files", names)


def _make_mltable(call: Call, function: str, names: dict[str, str]) -> Value:
    path = call.require("path")
    if path.items is not None and not (len(path.items) == 2 and path.items[0].kind == "Datastore"):
        places = [(read_place(call, one, is_table=True)) for one in path.items]
    else:
        places = [read_place(call, path, is_table=True)]
    entries = ", ".join(f'{{"{_name_place(place)}": {code}}}' for code, place in places)
    call.use("mltable", "")
    arguments = [("paths", f"[{entries}]")]
    arguments += [(new, _write_setting(call, old)) for old, new in names.items() if call.get(old) is not None]
    differs = "an MLTable: v2 has no dataset without a file that describes it; save() it before it is a job's input"
    value = call.build(f"mltable.{function}", arguments, "Table", differs=differs)
    if call.get("partition_format") is not None:
        value.code += f".extract_columns_from_partition_format({call.arguments['partition_format'].code})"
    return value


def _write_setting(call: Call, name: str) -> str:
    value = call.arguments[name]
    if name != "header":
        return value.code
    word = value.constant if isinstance(value.constant, str) else _HEADERS.get(value.constant)
    if word is None:
        raise call.refuse("the text does not tell its header", spreads=True)
    return quote(word)


def make_file_table(call: Call, path: Value, form: Value) -> Value:
    """Return a table of files, whose columns are parts of their paths."""
    uri, kind = read_place(call, path, is_table=True)
    call.use("mltable", "")
    entry = f'{{"{_name_place(kind)}": {uri}}}'
    code = f"mltable.from_paths([{entry}]).extract_columns_from_partition_format({form.code})"
    return call.make(code, "Table", differs="an MLTable, which a job gets as a folder with this one file")


def write_registered(data: Value) -> str:
    """Return the code of the table in a data asset."""
    if data.code.replace(".", "").isidentifier():
        return f'mltable.load(f"azureml:/{{{data.code}.id}}")'
    return f'mltable.load("azureml:/" + {data.code}.id)'  # a text in it would end the f-string


def _name_place(kind: str) -> str:
    return {"uri_file": "file", "pattern": "pattern"}.get(kind, "folder")


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
    code = f"{write_registered(call.object)}.{method}({columns})"
    return call.make(code, "Table", differs="for data of type mltable")


@rule("RegisteredDataset.take", "RegisteredDataset.skip", takes="count")
def _take_registered_rows(call: Call) -> Value:
    call.use("mltable", "")
    method, count = call.name.split(".")[1], call.require("count").code
    code = f"{write_registered(call.object)}.{method}({count})"
    return call.make(code, "Table", differs="for data of type mltable")


@rule("RegisteredDataset.random_split", takes="percentage seed")
def _split_registered(call: Call) -> Value:
    call.use("mltable", "")
    seed = call.get("seed")
    inner = f"percent={call.require('percentage').code}" + (f", seed={seed.code}" if seed is not None else "")
    code = f"{write_registered(call.object)}.random_split({inner})"
    return call.make(code, parts=["Table", "Table"], differs="for data of type mltable")


@rule("Table.partition_by", takes="partition_keys target name show_progress partition_as_file_dataset")
def _partition_table(call: Call) -> Value:
    """Return the table itself, which v2's parallel step partitions."""
    call.check_no_others("partition_keys", "target", "name", "show_progress")
    code = call.object.code
    value = call.make(code, "Table", differs="no copy by partitions: a parallel step groups the rows by partition_keys")
    value.facts = {**call.object.facts, "saved": False}
    return value


@rule("Table.partition_keys")
def _read_partition_keys(call: Call) -> Value:
    return call.make(f"{call.object.code}.partition_keys")


@rule("Table.random_split", takes="percentage seed")
def _split_table(call: Call) -> Value:
    seed = call.get("seed")
    inner = f"percent={call.require('percentage').code}" + (f", seed={seed.code}" if seed is not None else "")
    return call.make(f"{call.object.code}.random_split({inner})", parts=["Table", "Table"])


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


def save_table(call: Call, table: Value, folder: str) -> None:
    """Have a table saved before it is used, once: a job gets it as a folder."""
    line = f"{table.code}.save({quote(folder)})"
    if not table.facts.get("saved") and line not in call.rewriter.before:
        call.rewriter.before.append(line)
    if call.rewriter.is_straight(table):
        table.facts["saved"] = True
