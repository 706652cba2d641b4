"""Pipeline components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.component import Component
from smalt.entities.effect import ACTED, KEPT
from smalt.entities.entity import constant, mapping, optional
from smalt.entities.nodes import Step
from smalt.entities.pipeline_settings import SettingsField
from smalt.entities.problems import Path
from smalt.entities.rules.pipeline import check_pipeline
from smalt.entities.shapes import Map, Text

if TYPE_CHECKING:
    from smalt.entities.reader import Reader


class PipelineComponent(Component):
    noun = "a pipeline component"

    type = constant("pipeline", "The type of component.")
    jobs = mapping(Map(Step(), "steps"), "The steps, by name.", effect=ACTED)
    settings: Any = SettingsField()
    source_job_id = optional(Text(), "The pipeline job that it was made from.", effect=KEPT)

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check(path, reader, data)
        check_pipeline(self, data, path, reader)
