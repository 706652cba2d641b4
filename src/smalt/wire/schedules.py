"""Schedules: a trigger, and what it does each time."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from smalt.entities import triggers
from smalt.entities.entity import Entity
from smalt.entities.job import Job
from smalt.entities.problems import Path
from smalt.entities.reader import Reader
from smalt.entities.schedule import Schedule
from smalt.entities.scheduled_job import ScheduledJob
from smalt.wire.casing import fold
from smalt.wire.codec import Codec, Json, Tagged, Writing, nested, plain
from smalt.wire.envelope import HIDDEN, RESOURCE, Envelope

_TYPE = {"type": HIDDEN}
_TRIGGER = Tagged(
    "triggerType",
    {
        "Recurrence": Codec(
            triggers.RecurrenceTrigger, {**_TYPE, "schedule": nested(Codec(triggers.RecurrencePattern), "schedule")}
        ),
        "Cron": Codec(triggers.CronTrigger, _TYPE),
    },
)
_ACTIONS = {
    "create_job": ("CreateJob", "jobDefinition"),
    "create_monitor": ("CreateMonitor", "monitorDefinition"),
    "import_data": ("ImportData", "dataImportDefinition"),
}


class _Schedules(Codec[Schedule]):
    """What it does stands in `action`."""

    def write(self, noun: Schedule, writing: Writing) -> Json:
        body = super().write(noun, writing)
        for name, (kind, key) in _ACTIONS.items():
            value = getattr(noun, name)
            if value is not None:
                definition = _write_job(value, writing) if name == "create_job" else plain(value)
                body["action"] = {"actionType": kind, key: definition}
        return body

    def split(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        flat = dict(body)
        action = flat.pop("action", None)
        if isinstance(action, Mapping):
            for name, (kind, key) in _ACTIONS.items():
                if fold(str(action.get("actionType"))) == fold(kind):
                    found = action.get(key)
                    flat[name] = _read_job(found, (*path, name), reader) if name == "create_job" else found
        return super().split(flat, path, reader)


def _write_job(value: Any, writing: Writing) -> Any:
    from smalt.wire import to_rest

    if isinstance(value, ScheduledJob):
        value = _changed(value)
    if isinstance(value, Job) and not isinstance(value, ScheduledJob):
        return to_rest(value, writing.refs)["properties"]
    if isinstance(value, str):
        return {"sourceJobId": writing.refs.asset(value, "jobs")}
    return plain(value)


def _changed(scheduled: ScheduledJob) -> Any:
    """The job with what the schedule says otherwise; a registered one stays what it is."""
    if not isinstance(scheduled.job, Entity):
        return scheduled
    job = copy.copy(scheduled.job)
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


RESOURCES = Envelope(
    _Schedules(
        Schedule,
        {**RESOURCE, "trigger": nested(_TRIGGER, "trigger"), **dict.fromkeys(_ACTIONS, HIDDEN)},
        defaults={"tags": {}, "properties": {}},
    )
)
