"""Kinds of jobs that are kept as they are, with their keys in camelCase."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.data_transfer import DataTransferJob
from smalt.entities.jobs.import_job import ImportJob
from smalt.entities.jobs.job import Job
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing
from smalt.wire.encoding.envelope import HIDDEN, Envelope
from smalt.wire.jobs.command import JOB, JOB_DEFAULTS
from smalt.wire.jobs.inputs import read_outputs, write_inputs, write_outputs
from smalt.wire.jobs.settings import SHARED


def _make_envelope(noun: type[Job], type: str) -> Envelope:
    rules = {name: rule for name, rule in {**SHARED, **JOB}.items() if name in noun._fields}
    defaults = {key: value for key, value in JOB_DEFAULTS.items() if key in noun._fields or key == "isArchived"}
    return Envelope(Codec(noun, rules, constants={"jobType": type}, defaults=defaults))


DATA_TRANSFER = _make_envelope(DataTransferJob, "DataTransfer")

_BUILT_IN = re.compile(r"azureml://registries/azureml/components/(?:import|export)_data_\w+/versions/[\w.]+")
"""The components that Azure's client names for imports and exports: the task itself is all that they are."""


def name_built_in(step: Any) -> str | None:
    """Return the id that a step without a component has on the wire, if its task is to import or to export."""
    words = str(vars(step).get("task")).partition("_")[0]
    end = vars(step).get({"import": "source", "export": "sink"}.get(words, ""))
    if vars(step).get("component") is not None or end is None:
        return None
    return f"azureml://registries/azureml/components/{words}_data_{end.type}/versions/0.0.1"


def _read_component(value: Any, path: Path, reader: Reader) -> Any:
    from smalt.wire.jobs.steps import COMPONENT

    is_built_in = isinstance(value, str) and _BUILT_IN.fullmatch(value)
    return None if is_built_in else COMPONENT.read(value, path, reader)


def _write_component(value: Any, writing: Writing) -> Any:
    from smalt.wire.jobs.steps import COMPONENT

    return COMPONENT.write(value, writing)


STEP = {"component": Rule("componentId", _write_component, _read_component, "component")}
"""The rules of data transfer steps beyond those of other steps."""


class _Import(Codec[ImportJob]):
    """The service takes an import as a command whose inputs are the source."""

    def write(self, noun: ImportJob, writing: Writing) -> Json:
        body = super().write(noun, writing)
        rest = {name: value for name, value in noun.source.to_dict().items() if name not in ("type", "connection")}
        source = {"type": noun.source.type, "connection": noun.source.connection, **rest}
        inputs = {name: {"jobInputType": "literal"} for name in source}
        body["inputs"] = {**inputs, **write_inputs(source, writing)}
        body["outputs"] = write_outputs({"output": noun.output}, writing)
        compute = str(body.get("computeId", ""))
        body["environmentId"] = compute.replace("/computes/DataFactory", f"/environments/{_NEAREST_ENVIRONMENT}")
        return body

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat = {key: value for key, value in body.items() if key not in ("inputs", "outputs", "environmentId")}
        values, extra = super().split_body(flat, path, reader)
        inputs = body.get("inputs")
        if isinstance(inputs, Mapping):
            given = {name: each.get("value") for name, each in inputs.items() if isinstance(each, Mapping)}
            values["source"] = {name: value for name, value in given.items() if value is not None}
        outputs = read_outputs(body.get("outputs"), (*path, "outputs"), reader)
        if isinstance(outputs, Mapping) and "output" in outputs:
            values["output"] = outputs["output"]
        return values, extra


_NEAREST_ENVIRONMENT = "AzureML-sklearn-0.24-ubuntu18.04-py37-cpu"
"""The environment that Azure's client names; nothing runs in it."""
IMPORT = Envelope(
    _Import(
        ImportJob,
        {
            **{name: rule for name, rule in {**SHARED, **JOB}.items() if name in ImportJob._fields},
            "source": HIDDEN,
            "output": HIDDEN,
        },
        constants={"jobType": "Command", "command": "import"},
        defaults={"isArchived": False, "tags": {}, "properties": {}},
    )
)
