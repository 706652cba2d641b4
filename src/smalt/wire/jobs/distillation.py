"""Distillation jobs: the service takes them as fine-tuning, with what is particular to them in `properties`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.distillation import DistillationJob, EndpointRequestSettings, PromptSettings
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Writing
from smalt.wire.encoding.envelope import HIDDEN, Envelope
from smalt.wire.jobs.command import JOB, JOB_DEFAULTS
from smalt.wire.jobs.finetuning import write_data
from smalt.wire.workspaces.connections import CONNECTION

ENABLED = "azureml.enable_distillation"
_CONNECTION = "azureml.connection_information"
_SECRET = ("credentials", "api_key")
_TEACHER = "azureml.teacher_model."
_MACHINES = "azureml.instance_type.data_generation"
_WORDS = {
    "data_generation_task_type": "azureml.data_generation_task_type",
    "data_generation_type": "azureml.data_generation_type",
}
_DETAILS = {
    "student_model": ("model", "mlflow_model"),
    "training_data": ("trainingData", "uri_file"),
    "validation_data": ("validationData", "uri_file"),
}
_OWN = (*_WORDS, *_DETAILS, "hyperparameters", "teacher_model_endpoint_connection", "teacher_model_settings")


class _Distillation(Codec[DistillationJob]):
    def write(self, noun: DistillationJob, writing: Writing) -> Json:
        body = super().write(noun, writing)
        details: Json = {"taskType": "ChatCompletion", "modelProvider": "Custom"}
        for name, (key, type) in _DETAILS.items():
            value = getattr(noun, name)
            if value is not None:
                details[key] = write_data(_convert_path(value), writing, type)
        if noun.hyperparameters:
            details["hyperParameters"] = {key: str(value) for key, value in noun.hyperparameters.items()}
        properties = {**(body.get("properties") or {}), **_convert_properties(noun, writing)}
        return {**body, "properties": properties, "fineTuningDetails": details}

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat = {key: value for key, value in body.items() if fold_case(str(key)) != "finetuningdetails"}
        details = next((value for key, value in body.items() if fold_case(str(key)) == "finetuningdetails"), None)
        values, extra = super().split_body(flat, path, reader)
        values.update(_read_properties(values))
        if isinstance(details, Mapping):
            for name, (key, type) in _DETAILS.items():
                data = details.get(key)
                if isinstance(data, Mapping):
                    values[name] = {"type": type, "path": data.get("uri")}
            values["hyperparameters"] = details.get("hyperParameters") or {}
        return values, extra


def _convert_path(value: Any) -> Any:
    """The service takes one type for each, so that only the path of an input counts."""
    return value if isinstance(value, str) else value.path


def _convert_properties(noun: DistillationJob, writing: Writing) -> Json:
    """The properties, each a text."""
    teacher, settings = noun.teacher_model_endpoint_connection, noun.teacher_model_settings
    noted: Json = {ENABLED: True, f"{_TEACHER}endpoint_name": teacher.name}
    noted.update({key: getattr(noun, name) for name, key in _WORDS.items()})
    sent = CONNECTION.write(teacher, writing)
    document = {"is_shared": True, "tags": {}, "metadata": {}, **teacher.to_dict(), "target": sent.get("target")}
    if teacher.api_key is not None:
        document["credentials"] = {"type": "api_key", "key": teacher.api_key}
    noted[_CONNECTION] = json.dumps(document)
    noted.update({f"azureml.{key}": value for key, value in _list_given(noun.prompt_settings).items()})
    if settings is not None:
        noted.update({f"{_TEACHER}{key}": value for key, value in settings.inference_parameters.items()})
        noted.update(
            {f"azureml.{key}": value for key, value in _list_given(settings.endpoint_request_settings).items()}
        )
    if noun.resources is not None and noun.resources.instance_type:
        noted[_MACHINES] = noun.resources.instance_type
    return {key: str(value) for key, value in noted.items() if value is not None}


def _list_given(settings: Entity | None) -> Json:
    return (
        {} if settings is None else {name: value for name, value in vars(settings).items() if name in settings._fields}
    )


def _read_properties(values: Json) -> Json:
    """Take out of the properties what a job says by its own keys."""
    given = values.get("properties")
    properties = dict(given) if isinstance(given, Mapping) else {}
    properties.pop(ENABLED, None)
    found: Json = {name: properties.pop(key, None) for name, key in _WORDS.items()}
    properties.pop(f"{_TEACHER}endpoint_name", None)
    connection = properties.pop(_CONNECTION, None)
    machines = properties.pop(_MACHINES, None)
    prompt = {name: properties.pop(f"azureml.{name}", None) for name in PromptSettings._fields}
    requests = {name: properties.pop(f"azureml.{name}", None) for name in EndpointRequestSettings._fields}
    inference = {
        key.removeprefix(_TEACHER): properties.pop(key) for key in list(properties) if key.startswith(_TEACHER)
    }
    found["teacher_model_endpoint_connection"] = _read_connection(connection)
    found["prompt_settings"] = _read_typed(prompt)
    settings = {"inference_parameters": inference, "endpoint_request_settings": _read_typed(requests)}
    found["teacher_model_settings"] = {key: value for key, value in settings.items() if value} or None
    found["resources"] = {"instance_type": machines} if machines else None
    return {**{key: value for key, value in found.items() if value is not None}, "properties": properties}


def _read_connection(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except ValueError:
        return text


def without_secrets(body: Mapping[str, Any]) -> Json:
    """Return a job's REST properties without what logs in to a teacher, which Azure's clients send as a text.

    Nothing asks the teacher here, so its key is needed nowhere.
    """
    notes = body.get("properties")
    if not isinstance(notes, Mapping) or _CONNECTION not in notes:
        return dict(body)
    known = _read_connection(notes[_CONNECTION])
    kept = {key: value for key, value in notes.items() if key != _CONNECTION}
    if isinstance(known, Mapping):
        kept[_CONNECTION] = json.dumps({key: value for key, value in known.items() if key not in _SECRET})
    return {**body, "properties": kept}


def _read_typed(texts: Json) -> Json | None:
    """The values that were written as Python writes them."""
    words = {"True": True, "False": False}
    found = {key: words.get(value, _read_number(value)) for key, value in texts.items() if isinstance(value, str)}
    return found or None


def _read_number(text: str) -> Any:
    try:
        return int(text) if text.isdecimal() else float(text)
    except ValueError:
        return text


RESOURCES = Envelope(
    _Distillation(
        DistillationJob,
        {
            **{name: rule for name, rule in JOB.items() if name in DistillationJob._fields},
            **dict.fromkeys((*_OWN, "prompt_settings", "resources"), HIDDEN),
        },
        constants={"jobType": "FineTuning"},
        defaults={key: value for key, value in JOB_DEFAULTS.items() if key != "inputs"},
    )
)
