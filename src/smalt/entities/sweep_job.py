"""Sweep jobs."""

from __future__ import annotations

from smalt.entities.command import HasCommand
from smalt.entities.component import Component
from smalt.entities.entity import constant, mapping, optional, required
from smalt.entities.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.job import Job
from smalt.entities.nested import Named, Nested
from smalt.entities.resources import JobResourceConfiguration, QueueSettings
from smalt.entities.shapes import Text
from smalt.entities.sweep import Sweep


class Trial(HasCommand):
    noun = "the trial of a sweep"

    command = required(Text(), "The command line of each trial.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that each asks for.")


TRIAL = Named[Component]("component") | Nested(Trial)


class SweepJob(Sweep, Job):
    noun = "a sweep job"

    type = constant("sweep", "The type of job.")
    trial = required(TRIAL, "What is run for each point of the space.")
    inputs = mapping(JOB_INPUTS, "What the trials read, by name.")
    outputs = mapping(JOB_OUTPUTS, "What they write, by name.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that a trial asks for.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")
