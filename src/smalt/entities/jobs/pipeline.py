"""Pipeline jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import COMPONENT
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.jobs.pipeline_settings import PipelineJobSettings as PipelineJobSettings
from smalt.entities.jobs.pipeline_settings import SettingsField
from smalt.entities.rules.bindings import component_of
from smalt.entities.rules.pipeline import check_component_job, check_pipeline
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import Field, constant, mapping
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Map
from smalt.entities.steps.nodes import Step

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class StepsField(Field):
    """The steps; to programs those of the component where the job names one. smalt itself reads `vars(job)`."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is not None and (component := component_of(instance)) is not None:
            return getattr(component, "jobs", {})
        return super().__get__(instance, owner)


class ComponentField(Field):
    """The component; to programs that of the function which made the job, too. smalt itself reads `vars(job)`."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        build = vars(instance).get("_build_component") if instance is not None else None
        return super().__get__(instance, owner) if build is None else build()


class PipelineJob(Job):
    noun = "a pipeline job"

    type = constant("pipeline", "The type of job.")
    inputs = mapping(JOB_INPUTS, "What the pipeline is given, by name.", effect=ACTED)
    outputs = mapping(JOB_OUTPUTS, "What it writes, by name.", effect=ACTED)
    jobs: Any = StepsField(Map(Step(), "steps"), "The steps, by name.", factory=dict, effect=ACTED)
    component: Any = ComponentField(COMPONENT, "A pipeline component, in place of steps.", effect=ACTED)
    settings: Any = SettingsField()

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        check_pipeline(self, data, path, reader)
        component = component_of(self)
        if component is not None:
            check_component_job(self, component, path, reader)

    def to_dict(self) -> dict[str, Any]:
        """As in YAML; of a job that ran the steps of a component only these, so that it can be submitted again."""
        document = super().to_dict()
        if vars(self).get("_ran_component"):
            document.pop("component", None)
        return document

    def _repr_html_(self) -> str:
        from smalt.entities.jobs.notebook import graph

        return super()._repr_html_() + graph(self.jobs)
