"""Command jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.command import HasCommand
from smalt.entities.jobs.identity import IDENTITY
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.resources import CommandJobLimits, JobResourceConfiguration
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import constant, from_service, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Anything, Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class CommandJob(HasCommand, Job):
    noun = "a command job"

    type = constant("command", "The type of job.")
    command = required(Text(), "The command line, run by the shell.", effect=ACTED)
    inputs = mapping(JOB_INPUTS, "What the command reads, by name.", effect=ACTED)
    outputs = mapping(JOB_OUTPUTS, "What it writes, by name.", effect=ACTED)
    identity = optional(IDENTITY, "As whom it runs.", effect=ACTED)
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.", effect=ACTED)
    limits = optional(Nested(CommandJobLimits), "When it is ended.", effect=ACTED)
    parameters = from_service(Anything(), "As the service has them.")

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        check_own(self, "this command job", places.OF_JOB, path, reader, data=data)
