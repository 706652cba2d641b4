"""Sweep jobs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component, InlineComponent
from smalt.entities.jobs.command import HasCommand
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import JobResourceConfiguration, QueueSettings
from smalt.entities.jobs.search_space import Sweep
from smalt.entities.jobs.sweep_methods import SweepMethods
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.schema.effects import ACTED, REFUSED
from smalt.entities.schema.entity import constant, mapping, optional, required
from smalt.entities.schema.nested import Named, Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class Trial(HasCommand):
    noun = "the trial of a sweep"

    command = required(Text(), "The command line of each trial.", effect=ACTED)
    resources = optional(Nested(JobResourceConfiguration), "The machines that each asks for.", effect=ACTED)


class WholeComponent(InlineComponent):
    """A component in place, which says its type; else it is a trial."""

    def takes(self, value: object) -> bool:
        return isinstance(value, Component) or (isinstance(value, Mapping) and "type" in value)


TRIAL = Named[Component]("component") | WholeComponent() | Nested(Trial)


class SweepJob(SweepMethods, Sweep, Job):
    noun = "a sweep job"
    _effect = REFUSED

    type = constant("sweep", "The type of job.")
    trial = required(TRIAL, "What is run for each point of the space.")
    inputs = mapping(JOB_INPUTS, "What the trials read, by name.")
    outputs = mapping(JOB_OUTPUTS, "What they write, by name.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        if isinstance(self.trial, Trial):
            check_own(self, "this sweep", places.OF_JOB, path, reader, self.search_space or {})
