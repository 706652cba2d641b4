"""The body of an invocation, in the words of batch endpoints, read into those of jobs.

The case of names and types does not count: the service's guides, its clients and its older contract differ in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from smalt.entities.schema.problems import did_you_mean, format_value, join_words
from smalt.entities.syntax import durations
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.wire.encoding.casing import fold_case

Body = dict[str, Any]

TYPES = ("uri_file", "uri_folder", "mltable", "custom_model", "mlflow_model", "triton_model")
LITERAL = "literal"
UNNAMED = ("urifile", "urifolder")
"""The names that Azure's clients give to an input that its caller has not named."""
_KEYS = (
    "inputData", "outputData", "dataset", "outputDataset", "outputFileName", "miniBatchSize", "errorThreshold",
    "retrySettings", "compute", "name", "properties", "displayName", "description", "tags", "experimentName",
)  # fmt: skip
_IDLE = frozenset(
    {"partitionid", "interactionendpoints", "owner", "status", "provisioningstate", "maxconcurrencyperinstance"}
)
"""Properties of the older contract that its clients send back, which say nothing of a new job."""
_LARGEST = 2**31


@dataclass
class InvocationBody:
    """Contents of one invocation."""

    inputs: dict[str, Body] = field(default_factory=dict)
    """By name, as the REST bodies of jobs have them."""
    outputs: dict[str, Body] = field(default_factory=dict)
    job_name: str | None = None
    experiment: str | None = None
    description: Body = field(default_factory=dict)
    """The display name, description and tags of the job, as far as they were sent."""
    settings: Body = field(default_factory=dict)
    """The settings of a model deployment that this invocation changes, by the names of its REST body."""
    output_folder: str | None = None
    """The folder for the results of a model deployment."""
    properties: dict[str, str] = field(default_factory=dict)


def read_invocation(body: Mapping[str, Any]) -> InvocationBody:
    """Return what a body asks for; raise ValidationException with all its problems."""
    given = body.get("properties", {})
    reading = _Reading()
    if not isinstance(given, Mapping):
        raise ValidationException(f"'properties' must be an object, not {format_value(given)}")
    for key in body.keys() - {"properties", "id", "name", "type", "systemData", "location", "tags"}:
        reading.add(str(key), f"an invocation has 'properties' only{did_you_mean(key, ('properties',))}")
    found = reading.read_properties(given)
    if reading.problems:
        raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in reading.problems])
    return found


class _Reading:
    def __init__(self) -> None:
        self.problems: list[str] = []

    def add(self, where: str, words: str) -> None:
        self.problems.append(f"{where}: {words}")

    def read_properties(self, given: Mapping[str, Any]) -> InvocationBody:
        known = {fold_case(key): key for key in _KEYS}
        values: Body = {}
        for key, value in given.items():
            name = known.get(fold_case(str(key)))
            if name is None and fold_case(str(key)) not in _IDLE:
                self.add(str(key), f"an invocation has no such property{did_you_mean(key, _KEYS)}")
            elif name is not None and value is not None:
                values[name] = value
        found = InvocationBody()
        found.inputs = self._read_ports(values.get("inputData"), "inputData", "jobInputType")
        found.outputs = self._read_ports(values.get("outputData"), "outputData", "jobOutputType")
        if "dataset" in values:
            found.inputs.update(self._read_dataset(values["dataset"]))
        if "outputDataset" in values:
            found.output_folder = self._read_output_dataset(values["outputDataset"])
        found.job_name = self._read_text(values, "name")
        found.settings = self._read_settings(values)
        self._read_description(values, found)
        return found

    def _read_ports(self, ports: Any, where: str, tag: str) -> dict[str, Body]:
        if ports is None:
            return {}
        if not isinstance(ports, Mapping):
            self.add(where, f"must be an object with a value for each name, not {format_value(ports)}")
            return {}
        found = {str(name): self._read_port(port, f"{where}.{name}", tag) for name, port in ports.items()}
        return {name: port for name, port in found.items() if port is not None}

    def _read_port(self, port: Any, where: str, tag: str) -> Body | None:
        if not isinstance(port, Mapping):
            self.add(where, f"must be an object with {tag}, not {format_value(port)}")
            return None
        values = {fold_case(str(key)): value for key, value in port.items()}
        kinds = [*TYPES, LITERAL] if tag == "jobInputType" else [*TYPES]
        for key in values.keys() - {fold_case(tag), "uri", "value", "mode", "description", "pathonCompute".lower()}:
            self.add(f"{where}.{key}", f"an {'input' if tag == 'jobInputType' else 'output'} has no such property")
        type = {fold_case(kind): kind for kind in kinds}.get(fold_case(str(values.get(fold_case(tag)))))
        if type is None:
            shown = format_value(values.get(fold_case(tag)))
            self.add(where, f"{tag} is {shown}; make it {join_words(map(_to_pascal, kinds), 'or')}")
            return None
        if type == LITERAL:
            if "value" not in values or isinstance(values["value"], (Mapping, list)):
                self.add(
                    where,
                    f"a literal needs 'value', a text, number or boolean, not {format_value(values.get('value'))}",
                )
                return None
            return {tag: LITERAL, "value": values["value"]}
        if not isinstance(values.get("uri", ""), str) or (tag == "jobInputType" and not values.get("uri")):
            self.add(where, f"{_to_pascal(type)} needs 'uri', the address of the data")
            return None
        kept = {key: values[key] for key in ("uri", "mode", "description") if values.get(key)}
        return {tag: type, **kept}

    def _read_dataset(self, given: Any) -> dict[str, Body]:
        """Return the input of the contract of 2020: `{"dataInputType": "DataUrl", "path": …}`."""
        if isinstance(given, str):
            return {"UriFolder": {"jobInputType": "uri_folder", "uri": given}}
        values = {fold_case(str(key)): value for key, value in given.items()} if isinstance(given, Mapping) else {}
        name, version = values.get("datasetname"), values.get("datasetversion")
        uri = values.get("path") or values.get("assetid") or values.get("datasetid")
        if name and not uri:
            uri = f"azureml:{name}:{version}" if version else f"azureml:{name}@latest"
        if not isinstance(uri, str) or not uri:
            self.add("dataset", 'write {"dataInputType": "DataUrl", "path": "…"}, or send inputData instead')
            return {}
        return {"UriFolder": {"jobInputType": "uri_folder", "uri": uri}}

    def _read_output_dataset(self, given: Any) -> str | None:
        values = {fold_case(str(key)): value for key, value in given.items()} if isinstance(given, Mapping) else {}
        datastore, path = values.get("datastoreid"), values.get("path") or ""
        if not isinstance(datastore, str) or not isinstance(path, str):
            self.add("outputDataset", 'write {"datastoreId": "…", "path": "…"}, or send outputData instead')
            return None
        name = datastore.removeprefix("azureml:").rstrip("/").rpartition("/")[2]
        return f"azureml://datastores/{name}/paths/{path.strip('/')}/"

    def _read_settings(self, values: Body) -> Body:
        found: Body = {}
        if "outputFileName" in values:
            found["outputFileName"] = self._read_text(values, "outputFileName")
        for key, least in (("miniBatchSize", 1), ("errorThreshold", -1)):
            if key in values:
                found[key] = self._read_number(values[key], key, least)
        if "retrySettings" in values:
            found["retrySettings"] = self._read_retries(values["retrySettings"])
        if "compute" in values:
            self._read_compute(values["compute"], found)
        return {key: value for key, value in found.items() if value is not None}

    def _read_compute(self, given: Any, found: Body) -> None:
        values = {fold_case(str(key)): value for key, value in given.items()} if isinstance(given, Mapping) else None
        if values is None:
            self.add("compute", f"must be an object with instanceCount, not {format_value(given)}")
            return
        resources: Body = {}
        if values.get("instancecount") is not None:
            resources["instanceCount"] = self._read_number(values["instancecount"], "compute.instanceCount", 1)
        if values.get("instancetype") is not None:
            resources["instanceType"] = str(values["instancetype"])
        if values.get("target") is not None:
            found["compute"] = str(values["target"])
        if resources:
            found["resources"] = resources

    def _read_retries(self, given: Any) -> Body | None:
        values = {fold_case(str(key)): value for key, value in given.items()} if isinstance(given, Mapping) else None
        if values is None:
            self.add("retrySettings", f"must be an object, not {format_value(given)}")
            return None
        found: Body = {}
        if values.get("maxretries") is not None:
            found["maxRetries"] = self._read_number(values["maxretries"], "retrySettings.maxRetries", 0)
        if values.get("timeout") is not None:
            if not isinstance(values["timeout"], str) or durations.parse_iso(values["timeout"]) is None:
                self.add(
                    "retrySettings.timeout", f"write a duration such as PT30S, not {format_value(values['timeout'])}"
                )
            found["timeout"] = values["timeout"]
        return found

    def _read_number(self, value: Any, where: str, least: int) -> int | None:
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 12:
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value < _LARGEST:
            self.add(where, f"must be a whole number of at least {least}, not {format_value(value)}")
            return None
        return value

    def _read_text(self, values: Body, key: str) -> str | None:
        value = values.get(key)
        if value is not None and (not isinstance(value, str) or not value):
            self.add(key, f"must be a text, not {format_value(value)}")
            return None
        return value

    def _read_description(self, values: Body, found: InvocationBody) -> None:
        for key in ("displayName", "description"):
            if (text := self._read_text(values, key)) is not None:
                found.description[key] = text
        tags = values.get("tags", {})
        if not isinstance(tags, Mapping):
            self.add("tags", f"must be an object of texts, not {format_value(tags)}")
        elif tags:
            found.description["tags"] = {str(key): str(value) for key, value in tags.items()}
        notes = values.get("properties", {})
        if not isinstance(notes, Mapping):
            self.add("properties", f"must be an object, not {format_value(notes)}")
            return
        named = next((key for key in notes if fold_case(str(key)) == "experimentname"), None)
        experiment = notes.get(named) if named is not None else values.get("experimentName")
        if experiment is not None and (not isinstance(experiment, str) or not experiment):
            self.add("experimentName", f"must be a text, not {format_value(experiment)}")
        else:
            found.experiment = experiment
        found.properties = {
            str(key): value if isinstance(value, str) else json.dumps(value)
            for key, value in notes.items()
            if key != named and value is not None
        }


def _to_pascal(type: str) -> str:
    known = {"mltable": "MLTable", "mlflow_model": "MLFlowModel"}
    return known.get(type) or "".join(word.capitalize() for word in type.split("_"))
