"""The actions of schedules: the REST properties of the job that a tick makes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from smalt.exceptions import NotFound, RefusedError
from smalt.service.engine.context import EngineContext
from smalt.service.records import jobs
from smalt.service.records.workspaces import Workspace
from smalt.service.schedules.zones import UTC
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.ids import parse_id

SCHEDULE, SCHEDULE_TIME = "smalt.schedule", "smalt.schedule-time"
"""The properties of a schedule's job: the schedule's name, and the time of its tick."""

TRIGGER_TIME = "${{creation_context.trigger_time}}"
_MERGED = ("inputs", "outputs", "settings", "tags", "properties", "environmentVariables")
"""Keys of a schedule's changes to an earlier job that are added to the job's own."""
_WHOLE = ("jobs", "command", "componentId", "trial", "taskDetails")
"""Keys of a job that stands for itself, although it says which job it was made from."""

Body = dict[str, Any]


def get_action_type(properties: Mapping[str, Any]) -> str:
    """Return the type of a schedule's action: CreateJob, ImportData, CreateMonitor, …"""
    action = properties.get("action")
    return str(action.get("actionType") or "") if isinstance(action, Mapping) else ""


def explain_idle(name: str, properties: Mapping[str, Any]) -> str:
    """Return why a schedule makes no jobs; "" if it makes some."""
    kind = get_action_type(properties)
    if fold_case(kind) == "createmonitor":
        return f"schedule '{name}' is kept, but smalt runs no monitors: it has no ticks"
    if fold_case(kind) not in _BUILDERS:
        return f"schedule '{name}' is kept, but smalt does not run its action '{kind}': it has no ticks"
    return ""


def build_job(context: EngineContext, workspace: Workspace, name: str, properties: Body, at: float) -> Body:
    """Return the properties of the job of a tick; raise what is wrong with the schedule."""
    why = explain_idle(name, properties)
    if why:
        raise RefusedError(why)
    action = properties["action"]
    found = _BUILDERS[fold_case(get_action_type(properties))](context, workspace, name, action)
    time = format_time(at)
    filled: Body = _fill_in(found, time)
    notes = {**(filled.get("properties") or {}), SCHEDULE: name, SCHEDULE_TIME: time}
    return {**filled, "displayName": f"{name}-{format_stamp(at)}", "properties": notes}


def format_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_stamp(at: float) -> str:
    """Return a time as the service writes it in the names of schedules' jobs."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def _build_created(context: EngineContext, workspace: Workspace, name: str, action: Mapping[str, Any]) -> Body:
    definition = action.get("jobDefinition")
    given = {key: value for key, value in dict(definition or {}).items() if value is not None}
    source = given.pop("sourceJobId", None)
    if source is None or any(given.get(key) for key in _WHOLE):
        return given
    parsed = parse_id(str(source))
    job = parsed.name if parsed else str(source).removeprefix("azureml:")
    found = jobs.find_by_name(context.db, workspace.id, job)
    if found is None:
        raise NotFound(f"schedule '{name}' runs job '{job}' again, which is not in workspace '{workspace.name}'")
    return _merge_changes(jobs.read_properties(context.db, found.id), given)


def _merge_changes(body: Body, changes: Body) -> Body:
    merged = dict(body)
    for key, value in changes.items():
        if key == "jobType" or value in ("", {}, []) or (key, value) == ("isArchived", False):
            continue
        old = merged.get(key)
        merged[key] = {**old, **value} if key in _MERGED and isinstance(old, dict) else value
    return merged


def _fill_in(value: Any, time: str) -> Any:
    if isinstance(value, str):
        return value.replace(TRIGGER_TIME, time)
    if isinstance(value, dict):
        return {key: _fill_in(each, time) for key, each in value.items()}
    return [_fill_in(each, time) for each in value] if isinstance(value, list) else value


_BUILDERS = {"createjob": _build_created}
