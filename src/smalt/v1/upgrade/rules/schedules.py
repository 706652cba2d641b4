"""Schedules: each makes a job of v2, where v1 submitted a published pipeline."""

from __future__ import annotations

from smalt.v1.upgrade.calls import Call
from smalt.v1.upgrade.rules import rule
from smalt.v1.upgrade.rules.pipelines import write_parameters
from smalt.v1.upgrade.texts import make_call, quote
from smalt.v1.upgrade.values import Value

_GIVEN = (
    "experiment_name recurrence description pipeline_parameters wait_for_provisioning wait_timeout datastore "
    "polling_interval data_path_parameter_name continue_on_step_failure path_on_datastore **"
)


@rule("ScheduleRecurrence", takes="frequency interval start_time time_zone hours minutes week_days time_of_day")
def _make_recurrence(call: Call) -> Value:
    frequency = call.require("frequency")
    word = quote(frequency.constant.lower()) if frequency.is_text else f"{frequency.code}.lower()"
    arguments = [("frequency", word), ("interval", call.require("interval").code)]
    pattern = _write_pattern(call)
    arguments += [("schedule", pattern)] if pattern else []
    arguments += [(key, call.arguments[key].code) for key in ("start_time", "time_zone") if call.get(key) is not None]
    return call.build(call.entity("RecurrenceTrigger"), arguments, "Recurrence")


def _write_pattern(call: Call) -> str:
    """Return the code of the times of the day; empty where a schedule has none."""
    time = call.get("time_of_day")
    if time is not None:
        if not time.is_text or ":" not in time.constant:
            raise call.refuse("the text does not tell its time_of_day")
        hours, _, minutes = time.constant.partition(":")
        parts = [("hours", str(int(hours))), ("minutes", str(int(minutes)))]
    else:
        parts = [(key, call.arguments[key].code) for key in ("hours", "minutes") if call.get(key) is not None]
    if not parts and call.get("week_days") is None:
        return ""
    names = dict(parts)
    parts = [("hours", names.get("hours", "0")), ("minutes", names.get("minutes", "0"))]
    parts += [("week_days", _write_days(call))] if call.get("week_days") is not None else []
    return make_call(call.entity("RecurrencePattern"), parts, call.indent + "    ")


def _write_days(call: Call) -> str:
    days = call.arguments["week_days"]
    if isinstance(days.constant, list):
        return "[" + ", ".join(quote(str(one).lower()) for one in days.constant) + "]"
    return f"[day.lower() for day in {days.code}]"


@rule("Schedule.create", takes=f"workspace name pipeline_id {_GIVEN}")
def _rewrite_create(call: Call) -> Value:
    return _create_schedule(call, call.require("pipeline_id"))


@rule(
    "Schedule.create_for_pipeline_endpoint", takes=f"workspace name pipeline_endpoint_id {_GIVEN.removeprefix('name ')}"
)
def _create_for_endpoint(call: Call) -> Value:
    return _create_schedule(call, call.require("pipeline_endpoint_id"))


def _create_schedule(call: Call, id: Value) -> Value:
    recurrence = call.get("recurrence")
    if recurrence is None:
        raise call.refuse("v2 has no schedule that watches a datastore: give it a recurrence, or a CronTrigger")
    pipeline = _find_pipeline(call, id)
    given = call.get("pipeline_parameters")
    job = pipeline.code
    if given is not None:
        job = f"{call.target or 'schedule'}_job"
        call.rewriter.before.append(f"{job} = {write_parameters(call, pipeline, given)}")
    call.rewriter.before.append(f"{job}.experiment_name = {call.require('experiment_name').code}")
    arguments = [("name", call.require("name").code), ("trigger", recurrence.code), ("create_job", job)]
    arguments += [("description", call.arguments["description"].code)] if call.get("description") is not None else []
    schedule = make_call(call.entity("JobSchedule"), arguments, call.indent + "    ", 4)
    code = f"{call.client}.schedules.begin_create_or_update(\n{call.indent}    {schedule}\n{call.indent}).result()"
    return call.make(code, "Schedule", differs="v2's schedule has the job itself, not a published pipeline")


def _find_pipeline(call: Call, id: Value) -> Value:
    held = id.facts.get("published")
    found: Value | None = held.facts.get("pipeline") if held is not None else None
    if found is None and len(call.rewriter.memory.published) == 1:
        found = call.rewriter.scope.find(next(iter(call.rewriter.memory.published)))
        if found is not None:
            call.note(f"its job is '{found.code}', the one pipeline that this program publishes")
    if found is None or found.kind != "Pipeline":
        raise call.refuse("v2's schedule has the job itself: give it, as create_job, the pipeline that was published")
    return found


@rule("Schedule.get", takes="workspace id **")
def _get_schedule(call: Call) -> Value:
    return call.make(f"{call.client}.schedules.get({call.require('id').code})", "Schedule")


@rule(
    "Schedule.list",
    "Schedule.get_all",
    "Schedule.get_schedules_for_pipeline_id",
    "Schedule.get_schedules_for_pipeline_endpoint_id",
    takes="workspace active_only pipeline_id pipeline_endpoint_id **",
)
def _list_schedules(call: Call) -> Value:
    differs = "all schedules of the workspace" if len(call.arguments) > 1 else ""
    return call.make(f"list({call.client}.schedules.list())", "Schedules", element="Schedule", differs=differs)


@rule("Schedule.id")
def _read_id(call: Call) -> Value:
    return call.make(f"{call.object.code}.name", differs="a schedule of v2 is got by its name")


@rule("Schedule.name")
def _read_name(call: Call) -> Value:
    return call.make(f"{call.object.code}.display_name or {call.object.code}.name")


@rule("Schedule.description")
def _read_description(call: Call) -> Value:
    return call.make(f"{call.object.code}.description")


@rule("Schedule.status")
def _read_status(call: Call) -> Value:
    return call.make(f'("Active" if {call.object.code}.is_enabled else "Disabled")')


@rule("Schedule.recurrence")
def _read_recurrence(call: Call) -> Value:
    return call.make(f"{call.object.code}.trigger", "Recurrence")


@rule("Recurrence.frequency", "Recurrence.interval", "Recurrence.start_time", "Recurrence.time_zone")
def _read_recurrence_field(call: Call) -> Value:
    return call.make(f"{call.object.code}.{call.name.split('.')[1]}")


@rule("Schedule.pipeline_id")
def _read_pipeline(call: Call) -> Value:
    return call.make(f"{call.object.code}.create_job", differs="the job that it makes, where v1 had a pipeline's id")


@rule("Schedule.enable", "Schedule.disable", takes="wait_for_provisioning wait_timeout")
def _switch_schedule(call: Call) -> Value:
    verb = call.name.split(".")[1]
    return call.make(f"{call.client}.schedules.begin_{verb}({call.object.code}.name).result()")


@rule(
    "Schedule.update",
    takes="name description recurrence pipeline_parameters status wait_for_provisioning wait_timeout datastore "
    "polling_interval data_path_parameter_name continue_on_step_failure path_on_datastore",
)
def _update_schedule(call: Call) -> Value:
    call.check_no_others("name", "description", "recurrence", "status", "wait_for_provisioning", "wait_timeout")
    names = {"name": "display_name", "description": "description", "recurrence": "trigger"}
    lines = [f"{call.object.code}.{names[key]} = {value.code}" for key, value in call.arguments.items() if key in names]
    status = call.get("status")
    if status is not None:
        enabled = str(status.constant == "Active") if status.is_text else f'{status.code} == "Active"'
        lines.append(f"{call.object.code}.is_enabled = {enabled}")
    call.rewriter.before += lines
    return call.make(f"{call.client}.schedules.begin_create_or_update({call.object.code}).result()")
