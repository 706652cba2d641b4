"""Pipeline jobs, steps and components, with their settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import COMPONENT, Component
from smalt.entities.jobs.control_flow import find_item_inputs
from smalt.entities.jobs.inputs import JOB_INPUTS, JOB_OUTPUTS
from smalt.entities.jobs.job import Job
from smalt.entities.rules.bindings import find_whole_component
from smalt.entities.rules.pipeline import check_component_job, check_pipeline
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import Entity, Field, constant, mapping, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path, find_nearest
from smalt.entities.schema.shapes import Boolean, Map, Text
from smalt.entities.schema.travel import Travel
from smalt.entities.steps.nodes import ComponentNode, StepShape
from smalt.machine.source_lines import warn_caller

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


_PUBLISHED = "default_datestore"
"""A typo in Azure's published examples, which its service keeps."""


class PipelineJobSettings(Entity):
    """Settings of a pipeline. Unknown keys are kept, as the service keeps them, and the job's log lists them."""

    noun = "the settings of a pipeline"
    _is_open = True

    default_compute = optional(Text(), "The compute of steps that name none.", effect=ACTED)
    default_datastore = optional(Text(), "The datastore of outputs that name none.", effect=ACTED)
    continue_on_step_failure = optional(Boolean(), "Whether other steps continue after one fails.", effect=ACTED)
    force_rerun = optional(Boolean(), "Whether every step runs even if an earlier run could be reused.", effect=ACTED)
    on_init = optional(Text(), "The step that runs before all others.", effect=ACTED)
    on_finalize = optional(Text(), "The step that runs after all others, whatever happened.", effect=ACTED)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; a misspelt name raises, and any other unknown name is warned of."""
        if name not in self._fields and not name.startswith("_") and not hasattr(type(self), name):
            if name != _PUBLISHED:
                self._check_spelling(name)
            warn_caller(f"{type(self).__name__} has no '{name}', so it has no effect")
        super().__setattr__(name, value)

    @classmethod
    def _handle_unknown_keys(cls, keys: list[Any], data: Any, entity: Entity, path: Path, reader: Reader) -> set[str]:
        """Keep keys that are not fields, and report those that misspell one."""
        for key in keys:
            near = find_nearest(key, [name for name in cls._fields if name not in data])
            if near and key != _PUBLISHED and not reader.on_wire:
                words = f"unknown key '{key}' in {cls.noun}; did you mean '{near}'?"
                reader.add_problem((*path, key), words, at_key=True)
        return super()._handle_unknown_keys(keys, data, entity, path, reader)


class SettingsField(Field):
    """Settings that exist once read, so that `job.settings.default_compute = …` works; empty ones are not written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(
            Nested(PipelineJobSettings), "Settings of the whole.", factory=PipelineJobSettings, effect=ACTED,
            travels=Travel.COPY,
        )  # fmt: skip


class StepsField(Field):
    """The steps of the job. Programs get those of the component if the job names one; smalt reads `vars(job)`."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is not None and (component := find_whole_component(instance)) is not None:
            return getattr(component, "jobs", {})
        return super().__get__(instance, owner)


class JobComponentField(Field):
    """The component of the job. Programs get that of the function which made the job; smalt reads `vars(job)`."""

    __slots__ = ()

    def __get__(self, instance: Any, owner: type) -> Any:
        build = vars(instance).get("_build_component") if instance is not None else None
        return super().__get__(instance, owner) if build is None else build()


class StepMap(Map[Any]):
    """The steps by name; one that a loop repeats may name the inputs that the loop's items give."""

    def __init__(self) -> None:
        super().__init__(StepShape(), "steps")

    def read_value(self, value: Any, path: Path, reader: Reader) -> Any:
        if isinstance(value, Mapping):
            reader.item_inputs.update({(*path, name): given for name, given in find_item_inputs(value).items()})
        return super().read_value(value, path, reader)


class PipelineJob(Job):
    noun = "a pipeline job"

    type = constant("pipeline", "The type of job.")
    inputs = mapping(JOB_INPUTS, "The inputs of the pipeline, by name.", effect=ACTED)
    outputs = mapping(JOB_OUTPUTS, "The outputs, by name.", effect=ACTED)
    jobs: Any = StepsField(StepMap(), "The steps, by name.", factory=dict, effect=ACTED)
    component: Any = JobComponentField(COMPONENT, "A pipeline component, in place of steps.", effect=ACTED)
    settings: Any = SettingsField()

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        check_pipeline(self, data, path, reader)
        component = find_whole_component(self)
        if component is not None:
            check_component_job(self, component, path, reader)

    def to_dict(self) -> dict[str, Any]:
        """Return the job as in YAML.

        A job that ran a component's steps has only the steps, so that it can be resubmitted.
        """
        document = super().to_dict()
        if vars(self).get("_ran_component"):
            document.pop("component", None)
        return document

    def _repr_html_(self) -> str:
        from smalt.entities.jobs.notebook import render_graph

        return super()._repr_html_() + render_graph(self.jobs)


class PipelineComponent(Component):
    noun = "a pipeline component"

    type = constant("pipeline", "The type of component.")
    jobs = mapping(StepMap(), "The steps, by name.", effect=ACTED)
    settings: Any = SettingsField()
    source_job_id = optional(Text(), "The pipeline job that it was made from.", effect=KEPT)

    def _check_rules(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check_rules(path, reader, data)
        check_pipeline(self, data, path, reader)


class PipelineNode(ComponentNode):
    noun = "a pipeline step"

    type = constant("pipeline", "The type of step.")
    settings: Any = SettingsField()
