"""The actions of schedules: the REST properties of the job that a tick makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from smalt import wire
from smalt.entities.endpoints.invocation import BatchInvocation
from smalt.entities.schema.problems import did_you_mean
from smalt.entities.steps.data_imports import build_import_job
from smalt.exceptions import LocatedProblem, RefusedError, ValidationException
from smalt.service.endpoints.batch import invocations as batch
from smalt.service.engine import Engine
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import acceptance
from smalt.service.records import jobs, resources
from smalt.service.records.jobs import Job
from smalt.service.records.resources import ResourceRecord
from smalt.service.records.workspaces import Workspace
from smalt.service.schedules.zones import UTC
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.ids import parse_id
from smalt.wire.workspaces.schedules import read_import

SCHEDULE, SCHEDULE_TIME = "smalt.schedule", "smalt.schedule-time"
"""The properties of a schedule's job: the schedule's name, and the time of its tick."""

CHANGED = "smalt.changed-file"
"""The property of the job of a schedule that watches a folder: the file that was added or changed."""

TRIGGER_TIME = "${{creation_context.trigger_time}}"

IMPORT, INVOKE = "importdata", "invokebatchendpoint"
_DEFINITIONS = {"createjob": "jobDefinition", IMPORT: "dataImportDefinition", INVOKE: "endpointInvocationDefinition"}
"""The actions that make jobs, and the keys of their definitions."""
_KEYS = {"createjob": "create_job", IMPORT: "import_data", INVOKE: "invoke_batch_endpoint"}
_MERGED = ("inputs", "outputs", "settings", "tags", "properties", "environmentVariables")
"""Keys of a schedule's changes to an earlier job that are added to the job's own."""
_WHOLE = ("jobs", "command", "componentId", "trial", "taskDetails")
"""Keys of a job that stands for itself, although it says which job it was made from."""
_HAS_PATH = re.compile(r"[^\s:]+: ")
_IMPORT_STEP = re.compile(r"^jobs\.data_import_[^.:]*\.")

Body = dict[str, Any]


class DueTick(NamedTuple):
    """A time of a schedule, and the name of its job."""

    schedule: str
    time: float
    job: str
    changed: str = ""
    """The URI of the file that was added or changed, where the schedule watches a folder."""
    input: str | None = None
    """The input of the job that gets this URI."""

    @property
    def display_name(self) -> str:
        return f"{self.schedule}-{format_stamp(self.time)}"

    @property
    def notes(self) -> dict[str, str]:
        """The properties by which the job tells its schedule."""
        notes = {SCHEDULE: self.schedule, SCHEDULE_TIME: format_time(self.time)}
        return {**notes, CHANGED: self.changed} if self.changed else notes


def get_action_type(properties: Mapping[str, Any]) -> str:
    """Return the type of a schedule's action: CreateJob, ImportData, CreateMonitor, …"""
    action = properties.get("action")
    return str(action.get("actionType") or "") if isinstance(action, Mapping) else ""


def explain_idle(name: str, properties: Mapping[str, Any]) -> str:
    """Return why a schedule makes no jobs; "" if it makes some."""
    kind = get_action_type(properties)
    if fold_case(kind) == "createmonitor":
        return f"schedule '{name}' is kept, but smalt runs no monitors: it has no ticks"
    if fold_case(kind) not in _DEFINITIONS:
        return f"schedule '{name}' is kept, but smalt does not run its action '{kind}': it has no ticks"
    return ""


def check_action(engine: Engine, workspace: Workspace, tick: DueTick, properties: Body) -> list[str]:
    """Raise what is wrong with the job that a schedule makes; return the lines that its log begins with."""
    context = engine.context
    action, kind = _find_action(tick.schedule, properties)
    if kind == INVOKE:
        target, invocation, _ = _read_invocation(engine, workspace, tick, action)
        job = batch.build_job_body(engine, workspace, target, invocation)
    else:
        job = _build_job(context, workspace, tick, action, kind)
    try:
        return acceptance.check_submission(context, workspace, tick.job, job)
    except ValidationException as error:
        raise ValidationException([_name_action(kind, problem) for problem in error.problems]) from None


def _name_action(kind: str, problem: LocatedProblem) -> LocatedProblem:
    """Return a problem of a schedule's job with its path in the schedule."""
    message = _IMPORT_STEP.sub("", problem.message) if kind == IMPORT else problem.message
    return problem._replace(message=f"{_KEYS[kind]}{'.' if _HAS_PATH.match(message) else ': '}{message}")


def submit_job(
    engine: Engine, workspace: Workspace, tick: DueTick, properties: Body, principal: str, record: Callable[[Job], None]
) -> None:
    """Submit the job of a tick; `record` is called in the transaction that accepts it, or after that."""
    action, kind = _find_action(tick.schedule, properties)
    if kind == INVOKE:
        _, _, body = _read_invocation(engine, workspace, tick, action)
        endpoint, deployment = _find_endpoint(engine, workspace, action), action.get("deploymentName")
        batch.invoke_endpoint(engine, workspace, endpoint, body, principal, deployment=deployment, record=record)
        return
    job = _build_job(engine.context, workspace, tick, action, kind)
    engine.submit(workspace, tick.job, job, principal, record=record)


def _find_action(name: str, properties: Body) -> tuple[Body, str]:
    """Return the definition of what a schedule does, and its type; raise RefusedError if it makes no jobs."""
    why = explain_idle(name, properties)
    if why:
        raise RefusedError(why)
    kind = fold_case(get_action_type(properties))
    found = properties["action"].get(_DEFINITIONS[kind])
    return dict(found) if isinstance(found, Mapping) else {}, kind


def _build_job(context: EngineContext, workspace: Workspace, tick: DueTick, action: Body, kind: str) -> Body:
    """Return the REST properties of the job of a tick."""
    if kind == IMPORT:
        job: Body = wire.to_rest(build_import_job(read_import(action)))["properties"]
        if tick.input:
            raise ValidationException("trigger.input: an import takes no file; remove it")
    else:
        job = _build_created(context, workspace, action)
        _check_input(tick, job)
        job = _give_changed_file(tick, job, "inputs")
    filled: Body = _fill_in(job, format_time(tick.time))
    notes = {**(filled.get("properties") or {}), **tick.notes}
    return {**filled, "displayName": tick.display_name, "properties": notes}


def _find_endpoint(engine: Engine, workspace: Workspace, action: Body) -> ResourceRecord:
    name = str(action.get("endpointName") or "")
    found = resources.get_resource(engine.context.db, workspace.id, "batchEndpoints", name)
    if found is None:
        words = f"there is no batch endpoint '{name}' in workspace '{workspace.name}'"
        raise ValidationException(f"invoke_batch_endpoint.endpoint_name: {words}")
    return found


def _read_invocation(
    engine: Engine, workspace: Workspace, tick: DueTick, action: Body
) -> tuple[batch.BatchTarget, BatchInvocation, Body]:
    """Return the deployment that a tick invokes, and the invocation, read and as it is sent."""
    endpoint = _find_endpoint(engine, workspace, action)
    target = batch.find_target(engine, workspace, endpoint, action.get("deploymentName"))
    written = _give_changed_file(tick, dict(action.get("properties") or {}), "inputData")
    given: Body = _fill_in(written, format_time(tick.time))
    notes = {**(given.get("properties") or {}), **tick.notes}
    body = {"properties": {**given, "name": tick.job, "displayName": tick.display_name, "properties": notes}}
    return target, batch.read_invocation(body), body


def _check_input(tick: DueTick, job: Body) -> None:
    """Raise ValidationException if the job has no input of the name that gets the changed file."""
    known = job.get("inputs") or {}
    if tick.input and tick.input not in known and not job.get("componentId"):
        hint = did_you_mean(tick.input, known)
        raise ValidationException(f"trigger.input: the job has no input '{tick.input}'{hint}")


def _give_changed_file(tick: DueTick, job: Body, key: str) -> Body:
    """Return the job with the changed file as the input that is to get it: its path, where the input is text."""
    if not tick.input:
        return job
    inputs = job.get(key) or {}
    before = inputs.get(tick.input)
    is_text = isinstance(before, Mapping) and fold_case(str(before.get("jobInputType"))) == "literal"
    given = {"jobInputType": "literal", "value": tick.changed} if is_text else {
        "jobInputType": "uri_file", "uri": tick.changed
    }  # fmt: skip
    return {**job, key: {**inputs, tick.input: given}}


def format_time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def format_stamp(at: float) -> str:
    """Return a time as the service writes it in the names of schedules' jobs."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def _build_created(context: EngineContext, workspace: Workspace, action: Body) -> Body:
    given = {key: value for key, value in action.items() if value is not None}
    source = given.pop("sourceJobId", None)
    if source is None or any(given.get(key) for key in _WHOLE):
        return given
    parsed = parse_id(str(source))
    name = (parsed.name if parsed else None) or str(source).removeprefix("azureml:")
    found = jobs.find_by_name(context.db, workspace.id, name)
    if found is None:
        raise ValidationException(f"create_job: there is no job '{name}' in workspace '{workspace.name}'")
    body = jobs.read_properties(context.db, found.id)
    problems = [
        LocatedProblem("", 0, 0, f"create_job.{ports}.{port}: job '{name}' has no such {ports[:-1]}{hint}")
        for ports in ("inputs", "outputs")
        for port in (given.get(ports) or {})
        if port not in (known := body.get(ports) or {})
        for hint in [did_you_mean(port, known)]
    ]
    if problems:
        raise ValidationException(problems)
    return _merge_changes(body, given)


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
