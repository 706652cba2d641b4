"""The bodies of invocations of batch endpoints, in the words of batch endpoints.

The case of names and types does not count: the service's guides, its clients and its older contract differ in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smalt.entities.endpoints.batch_deployment import BatchRetrySettings
from smalt.entities.endpoints.invocation import BatchInvocation, InvocationCompute, OutputDataset
from smalt.entities.jobs.inputs import ASSETS
from smalt.entities.schema.problems import did_you_mean, format_value, join_words
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule
from smalt.wire.jobs.inputs import read_inputs, read_outputs, write_inputs, write_outputs
from smalt.wire.jobs.settings import make_duration_rule

_LITERAL = "literal"
_PASCAL = {"mltable": "MLTable", "mlflow_model": "MLFlowModel"}
_OF_INPUTS = ("uri", "value", "mode", "description", "pathOnCompute")
_OF_OUTPUTS = ("uri", "mode", "description", "assetName", "assetVersion", "earlyAvailable")
_IDLE = frozenset({"partitionid", "interactionendpoints", "owner", "status", "provisioningstate"})
"""Properties of the older contract that its clients send back, which say nothing of a new job."""

_FIELDS: Codec[BatchInvocation] = Codec(
    BatchInvocation,
    {
        "inputs": Rule("inputData", write_inputs),
        "outputs": Rule("outputData", write_outputs),
        "job_name": Rule("name"),
        "experiment_name": Rule(""),
        "properties": Rule(""),
        "retry_settings": make_nested_rule(
            Codec(BatchRetrySettings, {"timeout": make_duration_rule("timeout")}), "retrySettings"
        ),
        "compute": make_nested_rule(Codec(InvocationCompute), "compute"),
        "output_dataset": make_nested_rule(Codec(OutputDataset), "outputDataset"),
    },
)
_KEYS = (*_FIELDS.list_keys(), "dataset", "experimentName", "properties")
_NUMBERS = ("minibatchsize", "errorthreshold")


class _Invocations:
    def write(self, noun: BatchInvocation, writing: Writing) -> Json:
        body = _FIELDS.write(noun, writing)
        notes = dict(noun.properties or {})
        if noun.experiment_name:
            notes["experimentName"] = noun.experiment_name
        return {"properties": {**body, **({"properties": notes} if notes else {})}}

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        for key in body.keys() - {"properties", "id", "name", "type", "systemData", "location", "tags"}:
            words = f"an invocation has 'properties' only{did_you_mean(key, ('properties',))}"
            reader.add_problem((str(key),), words, at_key=True)
        given = body.get("properties", {})
        if not isinstance(given, Mapping):
            reader.add_problem(("properties",), f"must be an object, not {format_value(given)}")
            return None
        return _FIELDS.read(_collect_values(given, reader), (), reader)


def _collect_values(given: Mapping[str, Any], reader: Reader) -> Json:
    """Return the properties as the fields have them, with those of the older contract among them."""
    known = {fold_case(key): key for key in _KEYS}
    values: Json = {}
    for key, value in given.items():
        name = known.get(fold_case(str(key)))
        if name is None and fold_case(str(key)) not in _IDLE:
            words = f"an invocation has no such property{did_you_mean(key, _KEYS)}"
            reader.add_problem((str(key),), words, at_key=True)
        elif name is not None and value is not None:
            values[name] = _to_number(value) if fold_case(name) in _NUMBERS else value
    inputs = _read_ports(values.pop("inputData", {}), "inputData", "jobInputType", reader)
    inputs.update(_read_dataset(values.pop("dataset", None), reader))
    outputs = _read_ports(values.pop("outputData", {}), "outputData", "jobOutputType", reader)
    experiment = values.pop("experimentName", None)
    values["experiment_name"], values["properties"] = _convert_properties(
        values.pop("properties", {}), experiment, reader
    )
    if isinstance(values.get("compute"), Mapping):
        values["compute"] = _convert_compute(values["compute"])
    values["inputData"] = read_inputs(inputs, ("inputData",), reader)
    values["outputData"] = read_outputs(outputs, ("outputData",), reader)
    return {key: value for key, value in values.items() if value is not None}


def _convert_properties(notes: Any, experiment: Any, reader: Reader) -> tuple[Any, dict[str, str]]:
    """Return the experiment, which may be named among the properties, and the other properties, each a text."""
    if not isinstance(notes, Mapping):
        reader.add_problem(("properties",), f"must be an object, not {format_value(notes)}")
        notes = {}
    named = next((key for key in notes if fold_case(str(key)) == "experimentname"), None)
    texts = {
        str(key): value if isinstance(value, str) else json.dumps(value)
        for key, value in notes.items()
        if key != named and value is not None
    }
    return notes[named] if named is not None else experiment, texts


def _convert_compute(compute: Mapping[Any, Any]) -> Json:
    return {
        key: _to_number(value) if fold_case(str(key)) == "instancecount" else value
        for key, value in compute.items()
        if fold_case(str(key)) not in ("islocal", "location", "properties")
    }


def _read_ports(ports: Any, where: str, tag: str, reader: Reader) -> dict[str, Json]:
    if not isinstance(ports, Mapping):
        reader.add_problem((where,), f"must be an object with a value for each name, not {format_value(ports)}")
        return {}
    found = {str(name): _read_port(port, (where, str(name)), tag, reader) for name, port in ports.items()}
    return {name: port for name, port in found.items() if port is not None}


def _read_port(port: Any, path: tuple[str, str], tag: str, reader: Reader) -> Json | None:
    is_input = tag == "jobInputType"
    if not isinstance(port, Mapping):
        reader.add_problem(path, f"must be an object with {tag}, not {format_value(port)}")
        return None
    values = {fold_case(str(key)): value for key, value in port.items()}
    known = _OF_INPUTS if is_input else _OF_OUTPUTS
    for key in values.keys() - {fold_case(tag), *map(fold_case, known)}:
        noun = "an input" if is_input else "an output"
        reader.add_problem((*path, key), f"{noun} has no such property{did_you_mean(key, known)}", at_key=True)
    kinds = [*ASSETS, _LITERAL] if is_input else [*ASSETS]
    type = {fold_case(kind): kind for kind in kinds}.get(fold_case(str(values.get(fold_case(tag)))))
    if type is None:
        shown = format_value(values.get(fold_case(tag)))
        reader.add_problem(path, f"{tag} is {shown}; make it {join_words(map(to_pascal, kinds), 'or')}")
        return None
    if type == _LITERAL:
        if not isinstance(values.get("value"), (str, int, float)):
            words = f"a literal needs 'value', a text, number or boolean, not {format_value(values.get('value'))}"
            reader.add_problem(path, words)
            return None
        return {tag: _LITERAL, "value": values["value"]}
    if not isinstance(values.get("uri", ""), str) or (is_input and not values.get("uri")):
        reader.add_problem(path, f"{to_pascal(type)} needs 'uri', the address of the data")
        return None
    return {tag: type, **{key: values[fold_case(key)] for key in known if values.get(fold_case(key)) is not None}}


def _read_dataset(given: Any, reader: Reader) -> dict[str, Json]:
    """Return the input of the contract of 2020: `{"dataInputType": "DataUrl", "path": …}`."""
    if given is None:
        return {}
    values = {fold_case(str(key)): value for key, value in given.items()} if isinstance(given, Mapping) else {}
    name, version = values.get("datasetname"), values.get("datasetversion")
    uri = given if isinstance(given, str) else values.get("path") or values.get("assetid") or values.get("datasetid")
    if name and not uri:
        uri = f"azureml:{name}:{version}" if version else f"azureml:{name}@latest"
    if not isinstance(uri, str) or not uri:
        words = 'write {"dataInputType": "DataUrl", "path": "…"}, or send inputData instead'
        reader.add_problem(("dataset",), words)
        return {}
    return {"UriFolder": {"jobInputType": "uri_folder", "uri": uri}}


def _to_number(value: Any) -> Any:
    """Return a number that a client sent as text, as some do; any other value as it is."""
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 12:
        return int(value)
    return value


def to_pascal(type: str) -> str:
    """Return the type of an input or output as batch endpoints have it, such as `UriFolder`."""
    return _PASCAL.get(type) or "".join(word.capitalize() for word in type.split("_"))


INVOCATION = _Invocations()
