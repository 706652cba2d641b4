"""Parallel steps and components, which process mini-batches of data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component
from smalt.entities.assets.environment import ENVIRONMENT
from smalt.entities.jobs.command import VARIABLES, CodePath
from smalt.entities.jobs.resources import ComponentResources, CountsInstances, JobResourceConfiguration
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.rules.parallel import check_parallel
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import Entity, constant, mapping, merge_values, optional, required
from smalt.entities.schema.keyed import Keyed
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import AsText, Boolean, Enum, Integer, List, Text
from smalt.entities.schema.travel import SHARED, Travel
from smalt.entities.steps.nodes import ComponentNode

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class ParallelTask(Keyed, Entity):
    """The task of a parallel step. Unknown keys are kept, as the service keeps them."""

    noun = "the task of a parallel step"
    _effect = ACTED
    _is_open = True

    type = required(Enum("run_function", "model", "function"), "The code that is called for each mini-batch.")
    code = optional(CodePath(), "The folder with the entry script.")
    entry_script = optional(Text(), "The script with `init` and `run`.")
    program_arguments = optional(Text(), "Its arguments.")
    model = optional(Text(), "The model that is applied.")
    append_row_to = optional(Text(), "The output that gets a line for each result.")
    environment = optional(ENVIRONMENT, "The environment that it runs in.")


class RetrySettings(Keyed, Entity):
    noun = "retry settings"
    _effect = ACTED
    _is_open = True

    timeout = optional(Integer(at_least=1, at_most=259_200), "Seconds for one mini-batch.")
    max_retries = optional(Integer(at_least=0), "The largest number of retries of a mini-batch.")


class Parallel(Entity):
    """The fields that parallel steps and components share."""

    noun = "a parallel step"
    _effect = ACTED

    task = optional(Nested(ParallelTask), "The task for each mini-batch.", travels=SHARED | Travel.SPEC)
    mini_batch_size = optional(AsText(), "Files, or of a table bytes such as `10kb`, in a mini-batch.", travels=SHARED)
    partition_keys = optional(List(Text()), "The columns that a mini-batch has the same values of.", travels=SHARED)
    input_data = optional(
        Text(),
        "The input that is cut into mini-batches, as `${{inputs.NAME}}`.",
        travels=SHARED | Travel.SPEC | Travel.STEP,
    )
    logging_level = optional(Enum("DEBUG", "INFO", "WARNING"), "The level of logging.", travels=SHARED)
    retry_settings = optional(Nested(RetrySettings), "The settings of retries.", travels=SHARED)
    max_concurrency_per_instance = optional(Integer(at_least=1), "Processes on each machine.", travels=SHARED)
    error_threshold = optional(Integer(at_least=-1), "Items that may fail; -1 for any number.", travels=SHARED)
    mini_batch_error_threshold = optional(
        Integer(at_least=-1), "Mini-batches that may fail; -1 for any number.", travels=SHARED
    )
    append_row_check = optional(
        Boolean(),
        "Whether fewer elements returned than items are failed items; not in Azure ML.",
        travels=SHARED,
    )


class ParallelNode(Parallel, ComponentNode):
    noun = "a parallel step"
    _effect = ACTED

    type = constant("parallel", "The type of step.")
    environment = optional(ENVIRONMENT, "The environment that it runs in.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.", travels=SHARED)

    _alternatives = ("component", "task")

    def set_resources(
        self,
        *,
        instance_type: str | list[str] | None = None,
        instance_count: int | None = None,
        properties: dict[str, Any] | None = None,
        docker_args: str | None = None,
        shm_size: str | None = None,
        **more: Any,
    ) -> None:
        """Set the given resources and keep the others; `more` takes further fields of `JobResourceConfiguration`."""
        given = {name: value for name, value in locals().items() if name not in ("self", "more")}
        self.resources = JobResourceConfiguration(**merge_values(self.resources, {**given, **more}))

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        if "component" not in data:
            check_own(self, "this step", places.OF_BODY, path, reader, data=data)
            check_parallel(self, data, path, reader)


class ParallelComponent(CountsInstances, Parallel, Component):
    noun = "a parallel component"

    type = constant("parallel", "The type of component.")
    resources = optional(Nested(ComponentResources), "The machines that it asks for.", travels=SHARED)

    @property
    def code(self) -> str | None:
        """Return the folder with the entry script, `task.code`."""
        return self.task.code if isinstance(self.task, ParallelTask) else None

    @code.setter
    def code(self, path: str) -> None:
        if not isinstance(self.task, ParallelTask):
            self.task = ParallelTask(type="run_function")
        self.task.code = path

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_own(self, "this component", places.OF_COMPONENT, path, reader, data=data)
        check_parallel(self, data, path, reader)
