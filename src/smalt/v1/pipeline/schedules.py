"""`azureml.pipeline.core.schedule`: submissions of a published pipeline or pipeline endpoint at certain times."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.constants import TimeZone as ZoneNames
from smalt.entities.endpoints import published
from smalt.entities.schema.problems import join_words
from smalt.exceptions import NotFound
from smalt.v1.data.locations import make_uri, split_uri
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.pipeline.published import ACTIVE, DISABLED, PublishedPipeline

if TYPE_CHECKING:
    from builtins import list as List

    from smalt.v1.pipeline.run import PipelineRun
    from smalt.v1.workspace import Workspace

TimeZone = Enum(  # type: ignore[misc]
    "TimeZone", {re.sub(r"[^A-Za-z0-9]", "", zone.value): zone.value for zone in ZoneNames}, module=__name__
)
"""The time zones by v1's names of them, such as `TimeZone.PacificStandardTime`."""


class ScheduleRecurrence:
    """The times of a schedule."""

    def __init__(
        self,
        frequency: str,
        interval: int,
        start_time: Any = None,
        time_zone: Any = None,
        hours: Sequence[int] | None = None,
        minutes: Sequence[int] | None = None,
        week_days: Sequence[str] | None = None,
        time_of_day: str | None = None,
    ) -> None:
        if time_of_day is not None and (hours is not None or minutes is not None):
            raise UserErrorException("a ScheduleRecurrence takes time_of_day, or hours and minutes, not both")
        self.frequency, self.interval = str(frequency), interval
        self.start_time = start_time.strftime("%Y-%m-%dT%H:%M:%S") if isinstance(start_time, datetime) else start_time
        self.time_zone = time_zone.value if isinstance(time_zone, Enum) else time_zone
        self.hours, self.minutes, self.week_days, self.time_of_day = hours, minutes, week_days, time_of_day

    def __repr__(self) -> str:
        given = {key: value for key, value in vars(self).items() if value is not None}
        return f"ScheduleRecurrence({', '.join(f'{key}={value!r}' for key, value in given.items())})"

    def to_trigger(self) -> Any:
        """Return the trigger of v2."""
        from smalt.entities import RecurrencePattern, RecurrenceTrigger

        hours, minutes = self.hours, self.minutes
        if self.time_of_day is not None:
            found = re.fullmatch(r"(\d{1,2}):(\d\d)(?::\d\d)?", str(self.time_of_day))
            if found is None:
                raise UserErrorException(f"time_of_day is a time such as '22:30', not {self.time_of_day!r}")
            hours, minutes = [int(found[1])], [int(found[2])]
        given: dict[str, Any] = {"frequency": self.frequency.lower(), "interval": self.interval}
        if hours is None and (minutes is not None or self.week_days is not None):
            raise UserErrorException(
                "minutes and week_days need the hours; give hours and minutes, or time_of_day such as '22:30'"
            )
        if hours is not None:
            pattern: dict[str, Any] = {"hours": list(hours), "minutes": list(minutes or [0])}
            if self.week_days:
                pattern["week_days"] = [str(day).lower() for day in self.week_days]
            given["schedule"] = RecurrencePattern(**pattern)
        zone = {"start_time": self.start_time, "time_zone": self.time_zone}
        return RecurrenceTrigger(**given, **{key: value for key, value in zone.items() if value is not None})

    @classmethod
    def from_trigger(cls, trigger: Any) -> ScheduleRecurrence | None:
        """Return the times of a trigger of v2; None of a cron expression, which v1 does not have."""
        if trigger is None or trigger.type != "recurrence":
            return None
        pattern = trigger.schedule
        return cls(
            str(trigger.frequency).capitalize(),
            int(trigger.interval or 1),
            trigger.start_time,
            trigger.time_zone,
            _list_values(getattr(pattern, "hours", None)),
            _list_values(getattr(pattern, "minutes", None)),
            [day.capitalize() for day in _list_values(getattr(pattern, "week_days", None)) or ()] or None,
        )


def _list_values(value: Any) -> Any:
    return None if value in (None, []) else [value] if isinstance(value, (int, str)) else list(value)


class Schedule:
    """A schedule; `id` is its name in v2."""

    def __init__(
        self,
        workspace: Workspace,
        id: str,
        name: str,
        description: str | None,
        pipeline_id: str | None,
        status: str,
        recurrence: ScheduleRecurrence | None,
        datastore_name: str | None = None,
        polling_interval: int | None = None,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
        _schedule_provider: object = None,
        pipeline_endpoint_id: str | None = None,
        **kwargs: Any,
    ) -> None:
        self._workspace, self._schedules = workspace, workspace.client.schedules
        self.id, self.name, self.description, self.status = id, name, description, status
        self.pipeline_id, self.pipeline_endpoint_id, self.recurrence = pipeline_id, pipeline_endpoint_id, recurrence
        self.datastore_name, self.polling_interval = datastore_name, polling_interval
        self.path_on_datastore, self.data_path_parameter_name = path_on_datastore, data_path_parameter_name
        self.continue_on_step_failure = continue_on_step_failure
        self.schedule_type = "Recurrence" if datastore_name is None else "DataStore"

    @classmethod
    def from_entity(cls, workspace: Workspace, found: Any) -> Schedule:
        """Return the schedule of v2 as one of v1."""
        notes = found.properties or {}
        return cls(
            workspace,
            str(found.name),
            str(found.display_name or found.name),
            found.description,
            notes.get(published.PIPELINE),
            ACTIVE if found.is_enabled is not False else DISABLED,
            ScheduleRecurrence.from_trigger(found.trigger),
            **_read_watch(found.trigger),
            pipeline_endpoint_id=notes.get(published.ENDPOINT),
        )

    def __repr__(self) -> str:
        times = f"Recurrence: {self.recurrence}"
        if self.datastore_name is not None:
            times = f"Datastore: {self.datastore_name},\nPath on Datastore: {self.path_on_datastore or ''}"
        return f"Schedule(Name: {self.name},\nId: {self.id},\nStatus: {self.status},\n{times})"

    @staticmethod
    def create(
        workspace: Workspace,
        name: str,
        pipeline_id: str,
        experiment_name: str,
        recurrence: ScheduleRecurrence | None = None,
        description: str | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        wait_for_provisioning: bool = False,
        wait_timeout: int = 3600,
        datastore: Any = None,
        polling_interval: int = 5,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> Schedule:
        """Submit a published pipeline at the times of the recurrence, or when files of a datastore change."""
        trigger = _make_trigger(recurrence, datastore, polling_interval, path_on_datastore, data_path_parameter_name)
        found = PublishedPipeline.get(workspace, pipeline_id)
        if continue_on_step_failure:
            _check_continues(found, f"the pipeline '{found.name}'")
        target = {"endpoint_name": found.batch_endpoint, "deployment_name": found.deployment}
        notes = {published.PIPELINE: found.id}
        return _create_schedule(
            workspace, name, description, trigger, experiment_name, pipeline_parameters, target, notes
        )

    @staticmethod
    def create_for_pipeline_endpoint(
        workspace: Workspace,
        name: str,
        pipeline_endpoint_id: str,
        experiment_name: str,
        recurrence: ScheduleRecurrence | None = None,
        description: str | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        wait_for_provisioning: bool = False,
        wait_timeout: int = 3600,
        datastore: Any = None,
        polling_interval: int = 5,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> Schedule:
        """Submit the version that is the default of a pipeline endpoint at each time."""
        from smalt.v1.pipeline.endpoints import PipelineEndpoint

        trigger = _make_trigger(recurrence, datastore, polling_interval, path_on_datastore, data_path_parameter_name)
        found = PipelineEndpoint.get(workspace, id=pipeline_endpoint_id)
        if continue_on_step_failure:
            _check_continues(found.get_pipeline(), f"the pipeline of '{found.name}'")
        target = {"endpoint_name": found.batch_endpoint}
        notes = {published.ENDPOINT: found.id}
        return _create_schedule(
            workspace, name, description, trigger, experiment_name, pipeline_parameters, target, notes
        )

    @staticmethod
    def get(
        workspace: Workspace, id: str, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> Schedule:
        with raise_as(UserErrorException):
            return Schedule.from_entity(workspace, workspace.client.schedules.get(id))

    @staticmethod
    def list(
        workspace: Workspace,
        active_only: bool = True,
        pipeline_id: str | None = None,
        pipeline_endpoint_id: str | None = None,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> List[Schedule]:
        """Return the schedules of published pipelines and pipeline endpoints."""
        listed = workspace.client.schedules.list(list_view_type="EnabledOnly" if active_only else "All")
        found = [Schedule.from_entity(workspace, one) for one in listed]
        return [
            one
            for one in found
            if (one.pipeline_id or one.pipeline_endpoint_id)
            and pipeline_id in (None, one.pipeline_id)
            and pipeline_endpoint_id in (None, one.pipeline_endpoint_id)
        ]

    get_all = list

    @staticmethod
    def get_schedules_for_pipeline_id(
        workspace: Workspace, pipeline_id: str, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> List[Schedule]:
        return Schedule.list(workspace, False, pipeline_id)

    @staticmethod
    def get_schedules_for_pipeline_endpoint_id(
        workspace: Workspace,
        pipeline_endpoint_id: str,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> List[Schedule]:
        return Schedule.list(workspace, False, None, pipeline_endpoint_id)

    @staticmethod
    def load_yaml(workspace: Workspace, filename: str, _workflow_provider: object = None) -> NoReturn:
        raise UserErrorException("Schedule.load_yaml is not served; write it as YAML of v2: docs/schedules.md")

    def get_last_pipeline_run(self) -> PipelineRun | None:
        """Return the run of the last tick that made one; None before the first."""
        from smalt.v1.pipeline.run import PipelineRun

        ticks = self._schedules.get(self.id).last_ticks or ()
        job = next((tick.job for tick in ticks if tick.job), None)
        return None if job is None else PipelineRun.get(self._workspace, str(job))

    def get_pipeline_runs(self) -> List[PipelineRun]:
        """Return the runs, the newest first."""
        from smalt.v1.pipeline.run import PipelineRun

        invocation: Any = self._schedules.get(self.id).invoke_batch_endpoint
        experiment = invocation.experiment_name
        jobs = self._workspace.client.jobs.list(experiment_name=experiment)
        own = [job for job in jobs if (job.properties or {}).get("smalt.schedule") == self.id]
        return [PipelineRun.get(self._workspace, str(job.name)) for job in own]

    def enable(self, wait_for_provisioning: bool = False, wait_timeout: int = 3600) -> None:
        with raise_as(UserErrorException):
            self._schedules.begin_enable(self.id).result()
        self.status = ACTIVE

    activate = enable

    def disable(self, wait_for_provisioning: bool = False, wait_timeout: int = 3600) -> None:
        with raise_as(UserErrorException):
            self._schedules.begin_disable(self.id).result()
        self.status = DISABLED

    def update(
        self,
        name: str | None = None,
        description: str | None = None,
        recurrence: ScheduleRecurrence | None = None,
        pipeline_parameters: Mapping[str, Any] | None = None,
        status: str | None = None,
        wait_for_provisioning: bool = False,
        wait_timeout: int = 3600,
        datastore: Any = None,
        polling_interval: int | None = None,
        data_path_parameter_name: str | None = None,
        continue_on_step_failure: bool | None = None,
        path_on_datastore: str | None = None,
    ) -> None:
        """Change what is given."""
        if status not in (None, ACTIVE, DISABLED):
            raise UserErrorException(f"the status of a schedule is '{ACTIVE}' or '{DISABLED}', not {status!r}")
        if continue_on_step_failure:
            raise UserErrorException("continue_on_step_failure belongs to the published pipeline; publish it with that")
        there: Any = self._schedules.get(self.id)
        if name is not None:
            there.display_name = name
        if description is not None:
            there.description = description
        watch = (datastore, polling_interval, path_on_datastore, data_path_parameter_name)
        if recurrence is not None:
            there.trigger = _make_trigger(recurrence, *watch)
        elif any(one is not None for one in watch):
            there.trigger = self._change_watch(*watch)
        if pipeline_parameters is not None:
            there.invoke_batch_endpoint.inputs = _make_inputs(self._workspace, pipeline_parameters)
        if status is not None:
            there.is_enabled = status == ACTIVE
        with raise_as(UserErrorException):
            stored = self._schedules.begin_create_or_update(there).result()
        vars(self).update(vars(Schedule.from_entity(self._workspace, stored)))

    def _change_watch(self, datastore: Any, interval: int | None, path: str | None, parameter: str | None) -> Any:
        """Return the trigger with what is given in place of what it was."""
        return _make_trigger(
            None,
            datastore if datastore is not None else self.datastore_name,
            interval if interval is not None else self.polling_interval,
            path if path is not None else self.path_on_datastore,
            parameter if parameter is not None else self.data_path_parameter_name,
        )


def _make_trigger(
    recurrence: ScheduleRecurrence | None, datastore: Any, interval: int | None, path: str | None, parameter: str | None
) -> Any:
    """Return the trigger of v2: the times of the recurrence, or the datastore that is watched."""
    from smalt.entities.schedules.triggers import DatastoreTrigger

    if recurrence is not None:
        given = {"datastore": datastore, "path_on_datastore": path, "data_path_parameter_name": parameter}
        if wrong := [name for name, value in given.items() if value is not None]:
            raise UserErrorException(
                f"a schedule has a recurrence, or watches a datastore; leave out recurrence, or {join_words(wrong)}"
            )
        return recurrence.to_trigger()
    if datastore is None:
        raise UserErrorException("a schedule needs recurrence, a ScheduleRecurrence, or the datastore that it watches")
    name = datastore if isinstance(datastore, str) else datastore.name
    watched = DatastoreTrigger(path=make_uri(name, path or ""), polling_interval=interval)
    if parameter is not None:
        watched.input = parameter
    return watched


def _read_watch(trigger: Any) -> dict[str, Any]:
    """Return the properties of a schedule that watches a datastore; none of any other."""
    if trigger is None or trigger.type != "datastore":
        return {}
    name, path = split_uri(trigger.path) or (trigger.path, "")
    return {
        "datastore_name": name,
        "path_on_datastore": path or None,
        "polling_interval": trigger.polling_interval,
        "data_path_parameter_name": trigger.input,
    }


def _make_inputs(workspace: Workspace, parameters: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        name: value.to_input(None, workspace.client) if hasattr(value, "to_input") else value
        for name, value in (parameters or {}).items()
    }


def _check_continues(pipeline: PublishedPipeline, what: str) -> None:
    """Raise where steps would not go on after a failure: that is decided when a pipeline is published."""
    if not pipeline.continue_on_step_failure:
        raise UserErrorException(f"{what} was published without continue_on_step_failure; publish it with that")


def _create_schedule(
    workspace: Workspace,
    name: str,
    description: str | None,
    trigger: Any,
    experiment: str,
    parameters: Mapping[str, Any] | None,
    target: Mapping[str, str],
    notes: Mapping[str, str],
) -> Schedule:
    from smalt.entities import Schedule as Definition
    from smalt.entities.schedules.schedule import BatchEndpointInvocation

    inputs = _make_inputs(workspace, parameters)
    definition = Definition(
        name=_choose_name(workspace, name),
        display_name=name,
        description=description,
        trigger=trigger,
        invoke_batch_endpoint=BatchEndpointInvocation(**target, inputs=inputs, experiment_name=experiment),
        properties=dict(notes),
    )
    with raise_as(UserErrorException):
        stored = workspace.client.schedules.begin_create_or_update(definition).result()
    return Schedule.from_entity(workspace, stored)


def _choose_name(workspace: Workspace, name: str) -> str:
    """Return a name for the schedule in v2: v1's, with a number where there is one of that name."""
    base = re.sub(r"[^\w-]+", "-", name, flags=re.ASCII).strip("-_")[:200] or "schedule"
    number, chosen = 1, base
    while True:
        try:
            workspace.client.schedules.get(chosen)
        except NotFound:
            return chosen
        number += 1
        chosen = f"{base}-{number}"
