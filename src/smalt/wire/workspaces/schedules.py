"""Schedules: a trigger, and what it does each time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.data_import import DataImport
from smalt.entities.jobs import data_transfer
from smalt.entities.jobs.job import Job
from smalt.entities.schedules import triggers
from smalt.entities.schedules.schedule import Schedule
from smalt.entities.schedules.scheduled_job import ScheduledJob
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.nodes import Node
from smalt.entities.steps.standalone_jobs import to_job
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Rule, TaggedCodec, Writing, make_nested_rule, to_plain
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, HIDDEN, RESOURCE, Envelope

_TYPE = {"type": HIDDEN}
_TRIGGER = TaggedCodec(
    "triggerType",
    {
        "Recurrence": Codec(
            triggers.RecurrenceTrigger,
            {**_TYPE, "schedule": make_nested_rule(Codec(triggers.RecurrencePattern), "schedule")},
        ),
        "Cron": Codec(triggers.CronTrigger, _TYPE),
    },
)
_ACTIONS = {
    "create_job": ("CreateJob", "jobDefinition"),
    "create_monitor": ("CreateMonitor", "monitorDefinition"),
    "import_data": ("ImportData", "dataImportDefinition"),
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
    """Return the trigger of a schedule that was stored; raise ValidationException with its problems."""
    from smalt.exceptions import LocatedProblem, ValidationException

    reader = Reader()
    reader.on_wire = True
    found: Any = _TRIGGER.read(body, ("trigger",), reader)
    if not isinstance(found, triggers.Trigger) or reader.problems:
        problems = [str(problem) for problem in reader.problems] or ["trigger: a schedule needs one to have ticks"]
        raise ValidationException([LocatedProblem("", 0, 0, problem) for problem in problems])
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
                    flat[name] = _DEFINITIONS.get(name, _AS_IT_IS).read(found, (*path, name), reader)
        return super().split_body(flat, path, reader)


def _write_job(value: Any, writing: Writing) -> Any:
    from smalt.wire import to_rest

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
    if isinstance(value.get("sourceJobId"), str) and "jobType" not in value:
        return value["sourceJobId"]
    from smalt.wire import read_with

    return read_with({"properties": value}, "job", reader)


def _write_import(value: Any, writing: Writing) -> Any:
    return DATA_IMPORT.write(value, writing) if isinstance(value, DataImport) else to_plain(value)


def _read_import(value: Any, path: Path, reader: Reader) -> Any:
    is_there = isinstance(value, Mapping) and any(fold_case(str(key)) == "datauri" for key in value)
    return DATA_IMPORT.read(value, path, reader) if is_there else value


_AS_IT_IS = Rule("")
_DEFINITIONS = {
    "create_job": Rule("", _write_job, _read_job),
    "import_data": Rule("", _write_import, _read_import),
}

RESOURCES = Envelope(
    _Schedules(
        Schedule,
        {**RESOURCE, "trigger": make_nested_rule(_TRIGGER, "trigger"), **dict.fromkeys(_ACTIONS, HIDDEN)},
        defaults={"tags": {}, "properties": {}},
    )
)
