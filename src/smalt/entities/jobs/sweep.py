"""Sweep jobs and steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import COMPONENT, Component, InlineComponent
from smalt.entities.jobs.command import HasCommand
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import JobResourceConfiguration, QueueSettings
from smalt.entities.jobs.search_space import Objective, Sweep, SweepJobLimits
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.schema.effects import ACTED, REFUSED
from smalt.entities.schema.entity import constant, mapping, merge_values, optional, required
from smalt.entities.schema.nested import Named, Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Text
from smalt.entities.steps.nodes import Node

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


class TypedComponent(InlineComponent):
    """A component written in place with its `type`; a mapping without one is a trial."""

    def has_type(self, value: object) -> bool:
        return isinstance(value, Component) or (isinstance(value, Mapping) and "type" in value)


TRIAL = Named[Component]("component") | TypedComponent() | Nested(Trial)


class SweepJob(SweepSetters, Sweep, Job):
    noun = "a sweep job"
    _effect = REFUSED

    type = constant("sweep", "The type of job.")
    trial = required(TRIAL, "The trial, which runs for each point of the space.")
    inputs = mapping(JOB_INPUTS, "The inputs of the trials, by name.")
    outputs = mapping(JOB_OUTPUTS, "The outputs of the trials, by name.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        if isinstance(self.trial, Trial):
            check_own(self, "this sweep", places.OF_JOB, path, reader, self.search_space or {})


class SweepNode(SweepSetters, Sweep, Node):
    noun = "a sweep step"
    _effect = REFUSED

    type = constant("sweep", "The type of step.")
    trial = required(COMPONENT, "The command component that is run for each point of the space.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")
