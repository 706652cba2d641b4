"""Command jobs."""

from __future__ import annotations

from smalt.entities.command import HasCommand
from smalt.entities.entity import constant, from_service, mapping, optional, required
from smalt.entities.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.job import Job
from smalt.entities.nested import Nested
from smalt.entities.resources import CommandJobLimits, JobResourceConfiguration
from smalt.entities.shapes import Anything, Text


class CommandJob(HasCommand, Job):
    noun = "a command job"

    type = constant("command", "The type of job.")
    command = required(Text(), "The command line, run by the shell.")
    inputs = mapping(JOB_INPUTS, "What the command reads, by name.")
    outputs = mapping(JOB_OUTPUTS, "What it writes, by name.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.")
    limits = optional(Nested(CommandJobLimits), "When it is ended.")
    parameters = from_service(Anything(), "As the service has them.")
