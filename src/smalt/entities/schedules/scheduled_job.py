"""The job of a schedule: a job file with some settings overridden."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.environment import ENVIRONMENT
from smalt.entities.jobs.command import VARIABLES
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.entities.jobs.resources import DISTRIBUTION, CommandJobLimits, JobResourceConfiguration, QueueSettings
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import mapping, optional, required
from smalt.entities.schema.kinds import JOBS
from smalt.entities.schema.nested import Named, Nested, TaggedNoun
from smalt.entities.schema.problems import Path, did_you_mean
from smalt.entities.schema.shapes import Anything, Enum, Map, Shape

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_TYPES: Shape[Job] = TaggedNoun(Job, "type", JOBS)
JOB = Named[Job]("job") | _TYPES


class ScheduledJob(Job):
    noun = "the job of a schedule"
    _effect = ACTED

    type = optional(Enum("command", "pipeline", "spark"), "The type of job.")
    job = required(JOB, "The job: a file, a registered one, or one in place.")
    inputs = mapping(JOB_INPUTS, "Inputs that differ, by name.")
    outputs = mapping(JOB_OUTPUTS, "Outputs that differ, by name.")
    settings = optional(Nested(PipelineJobSettings), "Settings that differ.")
    environment = optional(ENVIRONMENT, "The environment that it runs in.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.")
    distribution = optional(DISTRIBUTION, "The distribution of processes over machines.")
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.")
    limits = optional(Nested(CommandJobLimits), "The limits, after which it is ended.")
    conf = mapping(Map(Anything()), "Spark's configuration.")

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        """Refuse inputs and outputs that the job, where it is known here, does not have."""
        job = vars(self).get("job")
        if not isinstance(job, Job) or job._partial:
            return
        for key in ("inputs", "outputs"):
            known = getattr(job, key, {})
            for name in vars(self).get(key) or {}:
                if name not in known:
                    words = f"the job has no {key[:-1]} '{name}'{did_you_mean(name, known)}"
                    reader.add_problem((*path, key, name), words, at_key=True)
