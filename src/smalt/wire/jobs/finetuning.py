"""Fine-tuning jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.finetuning import AzureOpenAIHyperparameters, FineTuningJob, JobResources
from smalt.entities.jobs.inputs import Input
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.wire.encoding.casing import fold_case, to_camel, to_snake
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule
from smalt.wire.encoding.envelope import Envelope
from smalt.wire.jobs.command import JOB, JOB_DEFAULTS
from smalt.wire.jobs.inputs import read_input, write_input
from smalt.wire.jobs.settings import SHARED

_DETAILS = {
    "task": "taskType",
    "model": "model",
    "model_provider": "modelProvider",
    "training_data": "trainingData",
    "validation_data": "validationData",
    "hyperparameters": "hyperParameters",
}


def write_data(value: Any, writing: Writing, type: str) -> Any:
    """Data that may be a bare path; an expression stays one."""
    if isinstance(value, str):
        return value if "${{" in value else write_input(Input(path=value, type=type), writing)
    return write_input(value, writing) if isinstance(value, Input) else value


class _FineTuning(Codec[FineTuningJob]):
    """Fine-tuning jobs, whose own fields stand in `fineTuningDetails`."""

    def write(self, noun: FineTuningJob, writing: Writing) -> Json:
        body = super().write(noun, writing)
        details = {key: body.pop(key) for key in _DETAILS.values() if key in body}
        if isinstance(noun.hyperparameters, AzureOpenAIHyperparameters):
            details["hyperParameters"] = {
                to_camel(key): value for key, value in noun.hyperparameters.to_dict().items() if value is not None
            }
        return {**body, "fineTuningDetails": details}

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat: Json = {}
        for key, value in body.items():
            if fold_case(str(key)) == "finetuningdetails" and isinstance(value, Mapping):
                flat.update(_named_as_outside(value))
            else:
                flat[key] = value
        return super().split_body(flat, path, reader)


def _named_as_outside(details: Mapping[str, Any]) -> Json:
    """The details, in which an Azure OpenAI model's hyperparameters have the names that programs give them."""
    given = details.get("hyperParameters")
    if fold_case(str(details.get("modelProvider"))) != "azureopenai" or not isinstance(given, Mapping):
        return dict(details)
    return {**details, "hyperParameters": {to_snake(str(key)): value for key, value in given.items()}}


def _make_data_rule(key: str) -> Rule:
    return Rule(key, lambda value, writing: write_data(value, writing, "uri_file"), read_input)


_PROVIDERS = {"azure_open_ai": "AzureOpenAI", "custom": "Custom"}
FINE_TUNING = _FineTuning(
    FineTuningJob,
    {
        **{name: rule for name, rule in JOB.items() if name in FineTuningJob._fields},
        **{name: rule for name, rule in SHARED.items() if name in ("queue_settings",)},
        "resources": make_nested_rule(Codec(JobResources), "resources"),
        "task": Rule("taskType", lambda value, writing: to_camel(to_snake(value))),
        "model": _make_data_rule("model"),
        "model_provider": Rule("modelProvider", lambda value, writing: _PROVIDERS.get(value, value)),
        "training_data": _make_data_rule("trainingData"),
        "validation_data": _make_data_rule("validationData"),
        "hyperparameters": Rule("hyperParameters"),
    },
    constants={"jobType": "FineTuning"},
    defaults={key: value for key, value in JOB_DEFAULTS.items() if key != "inputs"},
)
RESOURCES = Envelope(FINE_TUNING)
