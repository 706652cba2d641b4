"""Pipeline components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.pipeline_settings import SettingsField
from smalt.entities.rules.pipeline import check_pipeline
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import constant, mapping, optional
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Map, Text
from smalt.entities.steps.nodes import Step

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class PipelineComponent(Component):
    noun = "a pipeline component"

    type = constant("pipeline", "The type of component.")
    jobs = mapping(Map(Step(), "steps"), "The steps, by name.", effect=ACTED)
    settings: Any = SettingsField()
    source_job_id = optional(Text(), "The pipeline job that it was made from.", effect=KEPT)

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check(path, reader, data)
        check_pipeline(self, data, path, reader)
