"""Pipeline jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.component import COMPONENT
from smalt.entities.entity import Entity, constant, mapping, optional
from smalt.entities.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.job import Job
from smalt.entities.nested import Nested
from smalt.entities.nodes import Step
from smalt.entities.problems import Path
from smalt.entities.rules.pipeline import check_given, check_pipeline, component_of
from smalt.entities.shapes import Boolean, Map, Text

if TYPE_CHECKING:
    from smalt.entities.reader import Reader


class PipelineJobSettings(Entity):
    """Open: other keys are kept, and mean nothing here."""

    noun = "the settings of a pipeline"
    _is_open = True

    default_compute = optional(Text(), "Where steps run that do not say.")
    default_datastore = optional(Text(), "Where outputs are written that do not say.")
    continue_on_step_failure = optional(Boolean(), "Whether other steps go on when one fails.")
    force_rerun = optional(Boolean(), "Whether steps run though an earlier run could be reused.")
    on_init = optional(Text(), "The step that runs before all others.")
    on_finalize = optional(Text(), "The step that runs after all others, whatever happened.")


class PipelineJob(Job):
    noun = "a pipeline job"

    type = constant("pipeline", "The type of job.")
    inputs = mapping(JOB_INPUTS, "What the pipeline is given, by name.")
    outputs = mapping(JOB_OUTPUTS, "What it writes, by name.")
    jobs = mapping(Map(Step(), "steps"), "The steps, by name.")
    component = optional(COMPONENT, "A pipeline component, in place of steps.")
    settings = optional(Nested(PipelineJobSettings), "Settings of the whole.")

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        check_pipeline(self, data, path, reader)
        component = component_of(self)
        if component is not None:
            check_given(self, component, path, reader)

    def _repr_html_(self) -> str:
        from smalt.entities.notebook import graph

        component = component_of(self)
        return super()._repr_html_() + graph(self.jobs or getattr(component, "jobs", None) or {})
