"""Inputs and outputs of jobs and of steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax.expression import parse_binding
from smalt.entities.syntax.literals import to_text
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Json, Rule, Writing, check_spelling

DEFAULT_TYPE = "uri_folder"

_INPUT_MODES = {
    "mount": "ReadOnlyMount",
    "ro_mount": "ReadOnlyMount",
    "rw_mount": "ReadWriteMount",
    "download": "Download",
    "upload": "Upload",
    "direct": "Direct",
    "eval_mount": "EvalMount",
    "eval_download": "EvalDownload",
}
_OUTPUT_MODES = {**_INPUT_MODES, "mount": "ReadWriteMount"}
_MODES = {fold_case(wire): mode for mode, wire in _INPUT_MODES.items() if mode != "mount"}

_INPUT_KEYS = {
    "jobinputtype": "type",
    "type": "type",
    "uri": "path",
    "value": "value",
    "mode": "mode",
    "pathoncompute": "path_on_compute",
    "description": "description",
}
_OUTPUT_KEYS = {
    "joboutputtype": "type",
    "type": "type",
    "uri": "path",
    "value": "value",
    "mode": "mode",
    "assetname": "name",
    "name": "name",
    "assetversion": "version",
    "version": "version",
    "description": "description",
    "earlyavailable": "early_available",
}


def write_inputs(inputs: Mapping[str, Any], writing: Writing) -> Json:
    kind = "job_input_type" if writing.in_node else "jobInputType"
    body: Json = {}
    for name, value in inputs.items():
        if isinstance(value, Input):
            body[name] = _write_input(value, kind, writing)
        elif value is not None:
            body[name] = {kind: "literal", "value": to_text(value)}
    return body


def read_inputs(body: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(body, Mapping):
        return body
    return {name: _read_input(item, (*path, name), reader) for name, item in body.items() if item is not None}


def write_outputs(outputs: Mapping[str, Any], writing: Writing) -> Json:
    return {name: write_output(value, writing) for name, value in outputs.items() if value is not None}


def read_outputs(body: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(body, Mapping):
        return body
    return {name: _read_output(item, (*path, name), reader) for name, item in body.items() if item is not None}


INPUTS = Rule("inputs", write_inputs, read_inputs)
OUTPUTS = Rule("outputs", write_outputs, read_outputs)


def write_input(value: Any, writing: Writing) -> Json:
    """Return one input that is data, such as the training data of AutoML."""
    return write_inputs({"it": value}, writing)["it"]  # type: ignore[no-any-return]


def read_input(body: Any, path: Path, reader: Reader) -> Any:
    return _read_input(body, path, reader)


def write_output(value: Any, writing: Writing, default_type: str = DEFAULT_TYPE) -> Json:
    if isinstance(value, str):
        return {"type": "literal", "value": value}
    path = value.path
    if parse_binding(path) is not None:
        mode = _OUTPUT_MODES.get(value.mode)
        body = _set_fields({"type": "literal", "value": path}, mode=mode, name=value.name, version=value.version)
        return _set_fields(body, earlyAvailable=value.early_available)
    kind = "job_output_type" if writing.in_node else "jobOutputType"
    name, version = ("name", "version") if writing.in_node else ("assetName", "assetVersion")
    return _set_fields(
        {kind: value.type or default_type},
        uri=path,
        mode=_OUTPUT_MODES.get(value.mode),
        **{name: value.name, version: value.version},
        description=value.description,
        earlyAvailable=value.early_available,
        **vars(value).get("extra", {}),
    )


def _write_input(value: Input, kind: str, writing: Writing) -> Json:
    path = value.path
    mode = _INPUT_MODES.get(value.mode) if value.mode else None
    if path is not None and "${{" in path:
        return _set_fields({kind: "literal", "value": path}, mode=mode)
    if path is not None:
        path = writing.refs.data(_in_datastore(path, value.datastore, writing), value.type)
    return _set_fields(
        {kind: value.type or DEFAULT_TYPE},
        uri=path,
        mode=mode,
        description=value.description,
        pathOnCompute=value.path_on_compute,
        **vars(value).get("extra", {}),
    )


def _in_datastore(path: str, datastore: str | None, writing: Writing) -> str:
    """Return where the path's data is, once local data is in the datastore that the input names."""
    return path if datastore is None else writing.refs.stored(path, datastore)


def _set_fields(body: Json, **more: Any) -> Json:
    for key, value in more.items():
        if value is not None:
            body[key] = value
    return body


def _read_input(item: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(item, Mapping):
        return to_text(item) if isinstance(item, (str, int, float)) else item
    values, extra = _split_keys(item, _INPUT_KEYS, path, reader)
    literal = values.pop("value", None)
    if literal is not None:
        if not isinstance(literal, (str, int, float)):
            return literal
        if values.get("mode") is None:
            return to_text(literal)
        values.pop("type", None)
        values["path"] = literal
    elif fold_case(str(values.get("type"))) == "literal":
        return None
    return _read_noun(Input, values, extra, path, reader)


def _read_output(item: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(item, Mapping):
        return item
    values, extra = _split_keys(item, _OUTPUT_KEYS, path, reader)
    binding = values.pop("value", None)
    if binding is not None:
        if not values.keys() - {"type"}:
            return binding
        values.pop("type", None)
        values["path"] = binding
    return _read_noun(Output, values, extra, path, reader)


def _split_keys(item: Mapping[Any, Any], keys: Mapping[str, str], path: Path, reader: Reader) -> tuple[Json, Json]:
    values: Json = {}
    extra: Json = {}
    spelt: dict[str, str] = {}
    for key, value in item.items():
        name = keys.get(fold_case(key)) if isinstance(key, str) else None
        if value is None:
            continue
        check_spelling(item, key, spelt, path, reader)
        if name is None:
            extra[key] = value
        elif name == "mode" and isinstance(value, str):
            values[name] = _MODES.get(fold_case(value), value)
        else:
            values[name] = value
    return values, extra


def _read_noun(noun: type[Input] | type[Output], values: Json, extra: Json, path: Path, reader: Reader) -> Any:
    read = noun._read_data(values, path, reader)
    if read is not None and extra:
        read.extra.update(extra)
    return read
