"""Batch deployments of models and of pipeline components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import COMPONENT
from smalt.entities.assets.environment import ENVIRONMENT
from smalt.entities.endpoints.deployment import MODEL, CodeConfiguration, Deployment
from smalt.entities.jobs.command import VARIABLES
from smalt.entities.jobs.pipeline import PipelineJobSettings
from smalt.entities.jobs.resources import CountsInstances, JobResourceConfiguration
from smalt.entities.schema.effects import ACTED, KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, mapping, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Anything, AsText, Enum, Integer, Map, Text
from smalt.entities.steps.nodes import StepShape

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class BatchRetrySettings(Entity):
    noun = "retry settings"
    _effect = ACTED

    max_retries = optional(Integer(at_least=0), "The largest number of retries of a mini-batch.")
    timeout = optional(Integer(at_least=1), "Seconds for one mini-batch.")


class ModelBatchDeploymentSettings(Entity):
    """Settings of mini-batches and of their results."""

    noun = "settings of a batch deployment"
    _effect = ACTED

    mini_batch_size = optional(Integer(at_least=1), "Files in a mini-batch.")
    max_concurrency_per_instance = optional(Integer(at_least=1), "Processes on each machine.")
    instance_count = optional(Integer(at_least=1), "The number of machines.")
    error_threshold = optional(Integer(at_least=-1), "Items that may fail; -1 for any number.")
    retry_settings = optional(Nested(BatchRetrySettings), "The settings of retries.")
    logging_level = optional(Text(), "The level of logging.")
    output_action = optional(Enum("append_row", "summary_only"), "The output action.")
    output_file_name = optional(Text(), "The file that rows are appended to.")
    environment_variables = mapping(VARIABLES, "Environment variables.")


class ModelBatchDeployment(Deployment):
    """A batch deployment of a model. Older files have its settings beside `settings` instead of in it."""

    noun = "a batch deployment of a model"
    _effect = ACTED

    type = constant("model", "The type.")
    compute = optional(Text(), "The compute that it runs on.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.")
    settings = optional(Nested(ModelBatchDeploymentSettings), "The settings of mini-batches and their results.")
    mini_batch_size = optional(Integer(at_least=1), "Files in a mini-batch.")
    max_concurrency_per_instance = optional(Integer(at_least=1), "Processes on each machine.")
    error_threshold = optional(Integer(at_least=-1), "Items that may fail; -1 for any number.")
    retry_settings = optional(Nested(BatchRetrySettings), "The settings of retries.")
    logging_level = optional(Text(), "The level of logging.")
    output_action = optional(Enum("append_row", "summary_only"), "The output action.")
    output_file_name = optional(Text(), "The file that rows are appended to.")

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        super()._check_required(given, path, reader)
        if "compute" not in given:
            reader.add_problem(path, f"{cls.noun} needs 'compute'", at_key=True)

    def __eq__(self, other: object) -> bool:
        """Compare by fields; a BatchDeployment with the same fields is equal."""
        return isinstance(other, ModelBatchDeployment) and self._get_set_values() == other._get_set_values()

    __hash__ = None  # type: ignore[assignment]


class BatchDeployment(CountsInstances, ModelBatchDeployment):
    """A batch deployment that takes its settings as arguments of its own. Reading gives a ModelBatchDeployment."""


class JobDefinition(Entity):
    """A pipeline job that exists, by its name; the rest of the job is what was submitted."""

    noun = "a job definition"
    _effect = KEPT

    type = constant("pipeline", "The type of job.")
    name = optional(Text(), "The name of the job, which has been submitted.", effect=ACTED)
    display_name = optional(Text(), "The name that people see.")
    description = optional(Text(), "A description, for people.")
    tags = mapping(Map(AsText()), "Labels, for people and searches.")
    experiment_name = optional(Text(), "The experiment that it is listed under.")
    component = optional(COMPONENT, "The pipeline component.")
    inputs = mapping(Map(Anything()), "Its inputs.")
    outputs = mapping(Map(Anything()), "Its outputs.")
    jobs = mapping(Map(StepShape(), "steps"), "The steps, by name.")
    settings = mapping(Map(Anything()), "Settings of the pipeline.")


class PipelineSettingsMap(Map[Any]):
    """Settings of a pipeline that stay a mapping, as programs read them from a deployment by their keys."""

    def __init__(self) -> None:
        super().__init__(Anything())

    def read_value(self, value: Any, path: Path, reader: Reader) -> dict[str, Any] | None:
        if isinstance(value, Mapping) and not reader.on_wire:
            PipelineJobSettings._read_data(value, path, reader)
        return super().read_value(value, path, reader)


class PipelineComponentBatchDeployment(Deployment):
    noun = "a batch deployment of a pipeline component"
    _effect = ACTED

    type = constant("pipeline", "The type.")
    component = optional(COMPONENT, "The pipeline component.")
    job_definition = optional(Text() | Nested(JobDefinition), "A pipeline job, in place of a component.")
    settings = mapping(PipelineSettingsMap(), "Settings of the pipeline.")
    model = optional(MODEL, "Only deployments of models have one.", effect=REFUSED)
    code_configuration = optional(Nested(CodeConfiguration), "Only deployments of models have one.", effect=REFUSED)
    environment = optional(ENVIRONMENT, "Only deployments of models have one.", effect=REFUSED)
    environment_variables = mapping(VARIABLES, "Only deployments of models have some.", effect=REFUSED)

    @classmethod
    def _check_required(cls, given: set[str], path: Path, reader: Reader) -> None:
        super()._check_required(given, path, reader)
        if given.isdisjoint(("component", "job_definition")):
            reader.add_problem(path, f"{cls.noun} needs 'component' or 'job_definition'", at_key=True)
        elif not reader.on_wire and given.issuperset(("component", "job_definition")):
            words = f"{cls.noun} has either 'component' or 'job_definition', not both; remove one of them"
            reader.add_problem((*path, "job_definition"), words, at_key=True)
