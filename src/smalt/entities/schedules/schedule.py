"""Schedules of jobs, monitors and imports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.asset import Resource
from smalt.entities.assets.data_import import DataImport
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.schedules.monitor import MonitorDefinition
from smalt.entities.schedules.triggers import TRIGGER
from smalt.entities.schema.effects import ACTED, KEPT, SERVICE
from smalt.entities.schema.entity import Entity, from_service, mapping, optional, required
from smalt.entities.schema.kinds import JOBS, find_job_type
from smalt.entities.schema.nested import Named, Nested, TaggedNoun
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Boolean, Integer, List, Number, Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


_ACTIONS = ("create_job", "create_monitor", "import_data", "invoke_batch_endpoint")


class CreateJob(TaggedNoun[Entity]):
    """A job written in place, or a job file with some settings overridden."""

    def __init__(self) -> None:
        super().__init__(Entity, "type", {**JOBS, "": "schedules.scheduled_job:ScheduledJob"})
        self.words = "a job, the path of one, or 'azureml:NAME'"

    def choose_tag(self, value: Mapping[str, Any], path: Path, reader: Reader) -> str | None:
        if "job" in value:
            return ""
        return super().choose_tag(value, path, reader) if value.get("type") is not None else find_job_type(value)


CREATE_JOB = Named[Entity]("job") | CreateJob()
IMPORT_DATA = Named[DataImport]("data_import") | Nested(DataImport)


class BatchEndpointInvocation(Entity):
    """The invocation of a batch endpoint that a schedule makes; Azure's REST API has it, and its YAML does not."""

    noun = "an invocation of a batch endpoint"
    _effect = ACTED

    endpoint_name = required(Text(), "The batch endpoint.")
    deployment_name = optional(Text(), "The deployment; the endpoint's default at that time where unset.")
    inputs = mapping(JOB_INPUTS, "The inputs, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.")
    experiment_name = optional(Text(), "The experiment of its jobs.")


class ScheduleTick(Entity):
    """A time at which a schedule was due, and what came of it."""

    noun = "a tick of a schedule"
    _effect = SERVICE

    time = from_service(Text(), "The time at which it was due, in UTC.")
    cause = from_service(Text(), "The cause: `trigger`, `request` where a user asked for it, or `change` of files.")
    status = from_service(Text(), "The outcome: `fired`, `skipped`, `failed`, or `due` while its job is made.")
    job = from_service(Text(), "The name of the job that it made.")
    late = from_service(Number(), "The seconds from its time until its job was made.")
    changed = from_service(Text(), "The file that was added or changed; of several the first, and how many there are.")
    reason = from_service(Text(), "The reason why it made no job.")
    until = from_service(Text(), "The time of the last one of several that were skipped together.")
    count = from_service(Integer(), "The number of ticks that were skipped together.")


class Schedule(Resource):
    noun = "a schedule"
    _effect = ACTED

    name = required(Text(), "The name.")
    display_name = optional(Text(), "The name that people see.", effect=KEPT)
    trigger = optional(TRIGGER, "The trigger.")
    create_job = optional(CREATE_JOB, "The job that is made each time.")
    create_monitor = optional(Nested(MonitorDefinition), "The monitor; it is kept, and smalt runs none.", effect=KEPT)
    import_data = optional(IMPORT_DATA, "The data that is imported each time.")
    invoke_batch_endpoint = optional(
        Nested(BatchEndpointInvocation), "The batch endpoint that is invoked each time; smalt's own key."
    )
    is_enabled = optional(Boolean(), "Whether it is on.")
    provisioning_state = from_service(Text(), "The state.")
    next_times = from_service(List(Text()), "The next five times, in UTC; only where one schedule is shown.")
    last_ticks = from_service(
        List(Nested(ScheduleTick)), "The last ticks, newest first; only where one schedule is shown."
    )

    @classmethod
    def _read_data(cls, data: Any, path: Path, reader: Reader) -> Any:
        outside, reader.in_schedule = reader.in_schedule, True
        try:
            return super()._read_data(data, path, reader)
        finally:
            reader.in_schedule = outside

    @classmethod
    def _resolve_class(cls, data: Mapping[str, Any]) -> Any:
        if cls is not Schedule:
            return cls
        if data.get("create_monitor") is not None:
            return MonitorSchedule
        return (
            JobSchedule
            if data.get("create_job") is not None
            else ImportDataSchedule
            if data.get("import_data")
            else cls
        )

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        super()._check_required(given, path, reader)
        if given.isdisjoint(_ACTIONS):
            words = "'create_job', 'import_data', 'invoke_batch_endpoint' or 'create_monitor'"
            reader.add_problem(path, f"{cls.noun} needs {words}", at_key=True)
        chosen = [key for key in _ACTIONS if key in given]
        for key in chosen[1:] if not reader.on_wire else ():
            words = f"{cls.noun} does one thing, and '{chosen[0]}' is given as well; remove one of them"
            reader.add_problem((*path, key), words, at_key=True)


class JobSchedule(Schedule):
    noun = "a schedule"


class ImportDataSchedule(Schedule):
    noun = "a schedule of an import"


class MonitorSchedule(Schedule):
    noun = "a schedule of a monitor"
