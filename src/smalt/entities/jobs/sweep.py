"""Sweep jobs and steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component, InlineComponent
from smalt.entities.jobs.command import CommandComponent, CommandJob, HasCommand
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS, Input, Output
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import ComponentResources, JobResourceConfiguration, QueueSettings
from smalt.entities.jobs.search_space import Objective, Sweep, SweepJobLimits
from smalt.entities.rules import places
from smalt.entities.rules.bindings import PipelineNames
from smalt.entities.rules.expressions import OwnNames, check_fields, check_own, find_empty_inputs, find_texts
from smalt.entities.rules.sweep import check_declared_ports, check_space, check_sweep, check_trial_component
from smalt.entities.schema.effects import ACTED, NONE
from smalt.entities.schema.entity import constant, mapping, merge_values, optional, required
from smalt.entities.schema.nested import Named, Nested
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Boolean, Either, Shape, Text
from smalt.entities.schema.travel import SHARED, Travel
from smalt.entities.steps.nodes import ComponentNode
from smalt.entities.syntax.expression import find_expressions
from smalt.entities.syntax.literals import find_literal_type
from smalt.entities.syntax.references import is_reference

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class SweepSetters:
    """Setters of sweeps. Arguments that are not given leave their settings unchanged."""

    resources: Any

    def set_limits(
        self: Any,
        *,
        max_concurrent_trials: int | None = None,
        max_total_trials: int | None = None,
        timeout: int | None = None,
        trial_timeout: int | None = None,
    ) -> None:
        """Set the given limits; `timeout` and `trial_timeout` are in seconds."""
        given = _list_given(locals())
        self.limits = SweepJobLimits(**merge_values(vars(self).get("limits"), given))

    def set_objective(self: Any, *, goal: str | None = None, primary_metric: str | None = None) -> None:
        given = _list_given(locals())
        self.objective = Objective(**merge_values(vars(self).get("objective"), given))

    def set_resources(
        self: Any,
        *,
        instance_type: str | None = None,
        instance_count: int | None = None,
        locations: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        docker_args: str | None = None,
        shm_size: str | None = None,
    ) -> None:
        given = _list_given(locals())
        self.resources = JobResourceConfiguration(**merge_values(self.resources, given))


def _list_given(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in arguments.items() if name != "self"}


class Trial(HasCommand):
    noun = "the trial of a sweep"

    command = required(Text(), "The command line of each trial.", effect=ACTED)
    resources = optional(Nested(JobResourceConfiguration), "The machines that each asks for.", effect=ACTED)
    is_deterministic = optional(
        Boolean(), "Whether an earlier trial of the same point can be reused; not in Azure ML.", effect=ACTED
    )


class TypedComponent(InlineComponent):
    """A component written in place with its `type`; a mapping without one is a trial."""

    def has_type(self, value: object) -> bool:
        return isinstance(value, Component) or (isinstance(value, Mapping) and "type" in value)


class TrialReference(Named[Component]):
    """A component, registered or in a file; or the file of a command job, which is read as a component."""

    def __init__(self) -> None:
        super().__init__("component")

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        text = as_text(value)
        if not isinstance(text, str) or is_reference(text) or reader.is_binding(text) or not reader.is_job_file(text):
            return super().read_value(value, path, reader)
        job = reader.load_entity(text, "job", path)
        if isinstance(job, CommandJob):
            return make_trial_component(job)
        if isinstance(job, Job):
            from smalt.entities.jobs.pipeline import PipelineJob

            words = f"the trial of a sweep is a command job or a component, and this is {job.noun}"
            hint = "; make it a pipeline component" if isinstance(job, PipelineJob) else ""
            reader.add_problem(path, f"{words}{hint}")
        return None


def make_trial_component(job: CommandJob) -> CommandComponent:
    """Return the component that runs what a command job runs; the job's inputs become defaults of its inputs."""
    values: dict[str, Any] = {}
    for name in ("command", *HasCommand._fields):
        if vars(job).get(name):
            values[name] = vars(job)[name]
    if job.resources is not None:
        values["resources"] = ComponentResources.from_dict(job.resources.to_dict())
    component = CommandComponent(
        **values,
        display_name=job.display_name,
        description=job.description,
        inputs={name: _declare_input(value) for name, value in job.inputs.items()},
        outputs={name: Output(type=one.type or "uri_folder", mode=one.mode) for name, one in job.outputs.items()},
    )
    component.source_path = job.source_path
    vars(component)["_job"] = job
    return component


def _declare_input(value: Any) -> Input:
    if isinstance(value, Input):
        return Input(type=value.type or "uri_folder", mode=value.mode, default=value.path)
    return Input(type=find_literal_type(value), default=value)


def take_settings(sweep: Any) -> None:
    """Give a sweep whose trial is the file of a job what that says of the sweep and the sweep does not."""
    job = vars(vars(sweep).get("trial") or sweep).get("_job") if not isinstance(vars(sweep).get("trial"), str) else None
    if job is None:
        return
    own = vars(sweep)
    for name in ("compute", "experiment_name", "queue_settings"):
        if name in sweep._fields and own.get(name) is None and vars(job).get(name) is not None:
            own[name] = vars(job)[name]
    timeout = job.limits.timeout if job.limits is not None else None
    limits = own.get("limits")
    if timeout is not None and limits is not None and limits.trial_timeout is None:
        own["limits"] = SweepJobLimits(**{**limits._get_set_values(), "trial_timeout": timeout})


TRIAL = TrialReference() | TypedComponent() | Nested(Trial)


class SweepJob(SweepSetters, Sweep, Job):
    noun = "a sweep job"

    type = constant("sweep", "The type of job.")
    trial = required(TRIAL, "The trial, which runs for each point of the space: a command or a component.")
    inputs = mapping(JOB_INPUTS, "The inputs of the trials, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs of the best trial, by name.")
    identity = optional(IDENTITY, "The identity that the trials run as.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.", effect=NONE)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        take_settings(self)
        check_sweep(self, data, path, reader)
        if isinstance(self.trial, Trial):
            check_trial_command(self, "this sweep", places.OF_JOB, path, reader, data, data.get("search_space"))
        else:
            own = {key: place for key, place in places.OF_JOB.items() if not key.startswith("trial.")}
            check_own(self, "this sweep", own, path, reader, data=data)
        if isinstance(self.trial, Component):
            check_trial_component(self, self.trial, path, reader)


def check_trial_command(
    sweep: Any,
    words: str,
    table: Mapping[str, places.TextPlace],
    path: Path,
    reader: Reader,
    data: Mapping[str, Any],
    written: Any,
) -> None:
    """Check the texts of a sweep whose trial is a command in place, which may name the space's parameters as inputs.

    `written` is the search space as it is written: of a parameter that cannot be read only that is said.
    """
    if written is not None and not isinstance(written, Mapping):
        return
    space = {**dict.fromkeys(map(str, written or ())), **(vars(sweep).get("search_space") or {})}
    if not space:  # told by itself, not of each text that names a parameter
        texts = find_texts(vars(sweep.trial), ())
        space = {one.name: None for _, text in texts for one in find_expressions(text) if one.kind == "search_space"}
    ports = {"inputs": {**space, **sweep.inputs}, "outputs": sweep.outputs, "search_space": space}
    check_fields(sweep, table, OwnNames(words, ports, find_empty_inputs(data, path, reader)), path, reader)


class SweepComponent(Sweep, Component):
    """A sweep as a component; not in Azure ML, which has such a component without saying how it is written."""

    noun = "a sweep component"

    type = constant("sweep", "The type of component.")
    trial = required(TRIAL, "The trial, which runs for each point of the space: a command or a component.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.", travels=SHARED)
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.", effect=NONE)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        take_settings(self)
        check_sweep(self, data, path, reader)
        if isinstance(self.trial, Trial):
            check_trial_command(self, "this component", places.OF_COMPONENT, path, reader, {}, data.get("search_space"))
        elif isinstance(self.trial, Component):
            check_declared_ports(self, self.trial, path, reader)
            check_space(self, self.trial, PipelineNames({}, {}, {}, {}), path, reader)


STEP_TRIAL: Shape[Any] = Either([TrialReference(), InlineComponent()])


class SweepNode(SweepSetters, Sweep, ComponentNode):
    noun = "a sweep step"

    type = constant("sweep", "The type of step.")
    trial: Any = optional(
        STEP_TRIAL, "The component that runs for each point of the space.",
        travels=Travel.JOB,
    )  # fmt: skip
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    identity = optional(IDENTITY, "The identity that the trials run as.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.", effect=NONE)
    is_deterministic: Any = None

    _alternatives = ("component", "trial")

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        of_component = {"objective", "limits"} if "component" in given else set()
        super()._check_required(given | of_component, path, reader)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        if data.get("trial") is not None and data.get("component") is not None:
            words = "a sweep step has either a 'trial' or a sweep component; remove one of them"
            reader.add_problem((*path, "trial"), words, at_key=True)
        take_settings(self)
        check_sweep(self, data, path, reader)
