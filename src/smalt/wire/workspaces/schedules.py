"""Schedules: a trigger, and what it does each time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.data_import import DataImport
from smalt.entities.jobs import data_transfer
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.entities.schedules import triggers
from smalt.entities.schedules.schedule import BatchEndpointInvocation, Schedule
from smalt.entities.schedules.scheduled_job import ScheduledJob
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.nodes import Node
from smalt.entities.steps.standalone_jobs import to_job
from smalt.exceptions import LocatedProblem, ValidationException
from smalt.wire.encoding.casing import fold_case, to_pascal, to_snake
from smalt.wire.encoding.codec import (
    Codec,
    Json,
    Rule,
    TaggedCodec,
    Writing,
    make_nested_rule,
    to_plain,
)
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, HIDDEN, RESOURCE, Envelope
from smalt.wire.jobs.command import ENVIRONMENT_ID, JOB
from smalt.wire.jobs.inputs import INPUTS, OUTPUTS
from smalt.wire.jobs.settings import COMMAND_LIMITS, SHARED
from smalt.wire.workspaces.monitors import read_monitor, write_monitor

_TYPE = {"type": HIDDEN}
_TRIGGER = TaggedCodec(
    "triggerType",
    {
        "Recurrence": Codec(
            triggers.RecurrenceTrigger,
            {**_TYPE, "schedule": make_nested_rule(Codec(triggers.RecurrencePattern), "schedule")},
        ),
        "Cron": Codec(triggers.CronTrigger, _TYPE),
        "Datastore": Codec(triggers.DatastoreTrigger, _TYPE),
    },
)
_ACTIONS = {
    "create_job": ("CreateJob", "jobDefinition"),
    "create_monitor": ("CreateMonitor", "monitorDefinition"),
    "import_data": ("ImportData", "dataImportDefinition"),
    "invoke_batch_endpoint": ("InvokeBatchEndpoint", "endpointInvocationDefinition"),
}


_SOURCE = TaggedCodec(
    "sourceType",
    {"database": Codec(data_transfer.Database, _TYPE), "file_system": Codec(data_transfer.FileSystem, _TYPE)},
)
DATA_IMPORT = Codec(
    DataImport,
    {
        **ASSET,
        "name": Rule("assetName"),
        "type": Rule("dataType"),
        "path": Rule("dataUri"),
        "source": make_nested_rule(_SOURCE, "source"),
    },
    defaults={**ASSET_DEFAULTS, "properties": {}, "tags": {}},
)


def read_trigger(body: Any) -> triggers.Trigger:
    """Return the trigger of a schedule's body; raise ValidationException with its problems."""
    found: triggers.Trigger = _read_part(_TRIGGER, triggers.Trigger, body, "trigger")
    return found


def read_import(body: Any) -> DataImport:
    """Return the data import of a schedule's body; raise ValidationException with its problems."""
    found: DataImport = _read_part(DATA_IMPORT, DataImport, body, "import_data")
    return found


def _read_part(codec: Any, noun: type[Entity], body: Any, key: str) -> Any:
    reader = Reader()
    reader.on_wire = True
    found = codec.read(body, (key,), reader) if isinstance(body, Mapping) else None
    if reader.problems:
        raise ValidationException([LocatedProblem("", 0, 0, str(problem)) for problem in reader.problems])
    if not isinstance(found, noun):
        raise ValidationException(f"{key}: {noun.noun} is missing, without which the schedule makes no jobs")
    return found


class _Schedules(Codec[Schedule]):
    """Schedules, whose job or monitor stands in `action`."""

    def write(self, noun: Schedule, writing: Writing) -> Json:
        body = super().write(noun, writing)
        for name, (kind, key) in _ACTIONS.items():
            value = getattr(noun, name)
            if value is not None:
                definition = _DEFINITIONS.get(name, _AS_IT_IS).write(value, writing)
                body["action"] = {"actionType": kind, key: definition}
        return body

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat = dict(body)
        action = flat.pop("action", None)
        if isinstance(action, Mapping):
            for name, (kind, key) in _ACTIONS.items():
                if fold_case(str(action.get("actionType"))) == fold_case(kind):
                    found = action.get(key)
                    outside, reader.in_schedule = reader.in_schedule, True
                    flat[name] = _DEFINITIONS.get(name, _AS_IT_IS).read(found, (*path, name), reader)
                    reader.in_schedule = outside
        return super().split_body(flat, path, reader)


def _write_job(value: Any, writing: Writing) -> Any:
    from smalt.wire import to_rest

    if isinstance(value, ScheduledJob) and isinstance(value.job, str):
        return {"jobType": "Pipeline", **_CHANGES.write(value, writing)}
    if isinstance(value, ScheduledJob):
        value = _write_changes(value)
    if isinstance(value, Node):
        value = to_job(value)
    if isinstance(value, Job) and not isinstance(value, ScheduledJob):
        return to_rest(value, writing.refs)["properties"]
    if isinstance(value, str):
        return {"sourceJobId": writing.refs.asset(value, "jobs")}
    return to_plain(value)


def _write_changes(scheduled: ScheduledJob) -> Any:
    """The job with what the schedule says otherwise; a registered one stays what it is."""
    if not isinstance(scheduled.job, Entity):
        return scheduled
    job = copy.copy(to_job(scheduled.job))
    vars(job).update({key: copy.copy(value) for key, value in vars(job).items()})
    for key, value in vars(scheduled).items():
        if value is None or key in ("job", "type", "extra", "source_path"):
            continue
        old = vars(job).get(key)
        if isinstance(old, dict) and isinstance(value, dict):
            old.update(value)
        elif isinstance(old, Entity) and isinstance(value, Entity):
            vars(old).update({name: each for name, each in vars(value).items() if each is not None})
        else:
            vars(job)[key] = value
    return job


def _read_job(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, Mapping):
        return value
    if isinstance(value.get("sourceJobId"), str) and not any(value.get(key) for key in _WHOLE):
        changes = {key: each for key, each in value.items() if each not in (None, "", {}, [], False)}
        is_changed = bool(changes.keys() - {"jobType", "sourceJobId"})
        return _CHANGES.read(changes, path, reader) if is_changed else value["sourceJobId"]
    from smalt.wire import read_with

    return read_with({"properties": value}, "job", reader)


def _write_import(value: Any, writing: Writing) -> Any:
    return DATA_IMPORT.write(value, writing) if isinstance(value, DataImport) else to_plain(value)


def _read_import(value: Any, path: Path, reader: Reader) -> Any:
    is_there = isinstance(value, Mapping) and any(fold_case(str(key)) == "datauri" for key in value)
    return DATA_IMPORT.read(value, path, reader) if is_there else value


def _write_source(value: Any, writing: Writing) -> Any:
    return writing.refs.asset(value, "jobs") if isinstance(value, str) else None


_WHOLE = ("jobs", "command", "componentId", "trial", "taskDetails")
"""Keys of a job that stands for itself, although it says which job it was made from."""
_CHANGES = Codec(
    ScheduledJob,
    {
        **{name: rule for name, rule in {**SHARED, **JOB}.items() if name in ScheduledJob._fields},
        "type": Rule("jobType", lambda value, writing: to_pascal(value), lambda value, path, reader: to_snake(value)),
        "job": Rule("sourceJobId", _write_source),
        "settings": make_nested_rule(Codec(PipelineJobSettings), "settings"),
        "environment": ENVIRONMENT_ID,
        "limits": make_nested_rule(COMMAND_LIMITS, "limits"),
    },
)
"""The changes that a schedule makes to a job that is named."""


def _write_invocation(value: Any, writing: Writing) -> Any:
    if not isinstance(value, BatchEndpointInvocation):
        return to_plain(value)
    body = _INVOCATION.write(value, writing)
    named = {key: body.pop(key) for key in ("endpointName", "deploymentName") if key in body}
    return {**named, "properties": body}


def _read_invocation(value: Any, path: Path, reader: Reader) -> Any:
    given = (value.get("properties") or {}) if isinstance(value, Mapping) else None
    if not isinstance(given, Mapping):
        return value
    named = {key: each for key, each in value.items() if key != "properties"}
    return _INVOCATION.read({**given, **named}, path, reader)


_INVOCATION = Codec(
    BatchEndpointInvocation,
    {"inputs": INPUTS._replace(key="inputData"), "outputs": OUTPUTS._replace(key="outputData")},
)
_AS_IT_IS = Rule("")
_DEFINITIONS = {
    "create_job": Rule("", _write_job, _read_job),
    "import_data": Rule("", _write_import, _read_import),
    "create_monitor": Rule("", write_monitor, read_monitor),
    "invoke_batch_endpoint": Rule("", _write_invocation, _read_invocation),
}

RESOURCES = Envelope(
    _Schedules(
        Schedule,
        {**RESOURCE, "trigger": make_nested_rule(_TRIGGER, "trigger"), **dict.fromkeys(_ACTIONS, HIDDEN)},
        defaults={"tags": {}, "properties": {}},
    )
)
