"""Command jobs, steps and components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from smalt.entities.assets.component import Component
from smalt.entities.assets.environment import ENVIRONMENT, LocalOrRemote
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import (
    DISTRIBUTION,
    CommandJobLimits,
    ComponentResources,
    CountsInstances,
    JobResourceConfiguration,
    QueueSettings,
)
from smalt.entities.jobs.services import SERVICES
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.rules.optional_inputs import check_optional
from smalt.entities.rules.overrides import OF_COMPONENT, describe_override
from smalt.entities.schema.effects import ACTED, NONE
from smalt.entities.schema.entity import Entity, constant, from_service, mapping, merge_values, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.operations import load_operation
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import describe_path
from smalt.entities.schema.shapes import Anything, AsText, List, Map, Text
from smalt.entities.schema.travel import BODY, SETTING, SHARED, Travel
from smalt.entities.steps.nodes import ComponentNode, OverridingField
from smalt.entities.syntax.references import is_reference, to_reference
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller

if TYPE_CHECKING:
    from smalt.entities.jobs.sweep import SweepNode
    from smalt.entities.schema.reader import Reader


class CodePath(Text):
    """A local folder or file, or a reference to code elsewhere."""

    words = "a local path, a URL, 'git+…' or 'azureml:…'"

    def read_value(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = super().read_value(value, path, reader)
        if text is None or is_reference(text) or text.startswith("git+") or reader.is_binding(text):
            return text
        if "://" in text and not text.startswith("file://"):
            return text
        if not text.strip() and not reader.is_answer:  # it would be the whole folder of the file
            reader.add_problem(
                path, f"{describe_path(path)} is empty; name a folder such as './src', or remove the key"
            )
            return text
        return reader.resolve_path(text, path)


class Variables(Map[str]):
    """A mapping of environment variables; one without a value is empty."""

    def make_empty(self) -> str:
        return ""


VARIABLES = Variables(AsText())


class HasCommand(Entity):
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, to_reference(value) if name == "environment" else value)

    code = optional(CodePath(), "The folder or file that the command runs in a copy of.", effect=ACTED, travels=BODY)
    environment = optional(ENVIRONMENT, "The environment that it runs in.", effect=ACTED, travels=BODY)
    environment_variables = mapping(VARIABLES, "Environment variables.", effect=ACTED, travels=SETTING | Travel.JOINED)
    distribution = optional(
        DISTRIBUTION,
        "The distribution of processes over machines.",
        effect=ACTED,
        travels=SHARED | Travel.SPEC | Travel.STEP,
    )
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.", effect=NONE)


class ParameterizedCommand(HasCommand):
    noun = "a command"

    command = optional(Text(), "The command line.", effect=ACTED, travels=BODY)
    resources = optional(
        Nested(JobResourceConfiguration), "The machines that it asks for.", effect=ACTED, travels=SHARED
    )


class CommandJob(HasCommand, Job):
    noun = "a command job"

    type = constant("command", "The type of job.")
    command = required(Text(), "The command line, run by the shell.", effect=ACTED)
    inputs = mapping(JOB_INPUTS, "The inputs of the command, by name.", effect=ACTED)
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.", effect=ACTED)
    identity = optional(IDENTITY, "The identity that it runs as.", effect=ACTED)
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.", effect=ACTED)
    limits = optional(Nested(CommandJobLimits), "The limits, after which it is ended.", effect=ACTED)
    parameters = from_service(Anything(), "The parameters, as the service keeps them.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        check_own(self, "this command job", places.OF_JOB, path, reader, data=data)


class CommandComponent(CountsInstances, HasCommand, Component):
    noun = "a command component"

    type = constant("command", "The type of component.")
    command = required(Text(), "The command line, run by the shell.", effect=ACTED, travels=BODY)
    resources = optional(Nested(ComponentResources), "The machines that it asks for.", effect=ACTED, travels=SHARED)
    additional_includes = optional(
        List(LocalOrRemote(must_exist=False)),
        "Files and folders that are added to the code.",
        effect=ACTED,
    )

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_own(self, "this component", places.OF_COMPONENT, path, reader, data=data)
        check_optional(self, path, reader)


class CommandNode(HasCommand, ComponentNode):
    noun = "a command job"

    type = constant("command", "The type of step.")
    command: Any = OverridingField(Text(), "The command line, in place of a component.", effect=ACTED, travels=BODY)
    code: Any = OverridingField(
        CodePath(), "The folder or file that the command runs in a copy of.", effect=ACTED, travels=BODY
    )
    environment: Any = OverridingField(ENVIRONMENT, "The environment that it runs in.", effect=ACTED, travels=BODY)
    resources = optional(
        Nested(JobResourceConfiguration), "The machines that it asks for.", effect=ACTED, travels=SHARED
    )
    limits = optional(Nested(CommandJobLimits), "The limits, after which it is ended.", effect=ACTED)
    identity = optional(IDENTITY, "The identity that it runs as.", effect=ACTED)
    services = mapping(SERVICES, "Interactive services beside the step.", effect=NONE)
    parent_job_name = from_service(Text(), "The job that this is a part of.")

    _alternatives = ("component", "command")

    def __setattr__(self, name: str, value: Any) -> None:
        component = vars(self).get("component") if name in OF_COMPONENT else None
        if component is not None and (isinstance(component, str) or value != vars(component).get(name)):
            raise UserErrorException(f"{name}: {describe_override(name)}", find_caller())
        super().__setattr__(name, value)

    def set_limits(self, *, timeout: int, **_: Any) -> None:
        """Set the limits; `timeout` is in seconds."""
        self.limits = CommandJobLimits(timeout=timeout)

    def set_resources(
        self,
        *,
        instance_type: str | None = None,
        instance_count: int | None = None,
        locations: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        docker_args: str | list[str] | None = None,
        shm_size: str | None = None,
        **more: Any,
    ) -> None:
        """Set the given resources and keep the others; `more` takes further fields of `JobResourceConfiguration`."""
        given = {name: value for name, value in locals().items() if name not in ("self", "more")}
        self.resources = JobResourceConfiguration(**merge_values(self.resources, {**given, **more}))

    def set_queue_settings(self, *, job_tier: str | None = None, priority: str | None = None) -> None:
        given = {"job_tier": job_tier, "priority": priority}
        self.queue_settings = QueueSettings.from_dict(merge_values(self.queue_settings, given))

    def sweep(
        self,
        *,
        primary_metric: str,
        goal: str,
        sampling_algorithm: Any = "random",
        compute: str | None = None,
        max_concurrent_trials: int | None = None,
        max_total_trials: int | None = None,
        timeout: int | None = None,
        trial_timeout: int | None = None,
        early_termination_policy: Any = None,
        search_space: Mapping[str, Any] | None = None,
        identity: Any = None,
        queue_settings: Any = None,
        job_tier: str | None = None,
        priority: str | None = None,
    ) -> SweepNode:
        """Return a sweep step whose trials are this step; this step leaves the pipeline.

        The sweep varies the inputs given as distributions and those in `search_space`.
        `timeout` and `trial_timeout` are in seconds.
        """
        given = {name: value for name, value in locals().items() if name != "self"}
        return cast("SweepNode", load_operation("make_sweep")(self, **given))

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        if "component" not in data:
            check_own(self, "this step", places.OF_BODY, path, reader, data=data)
