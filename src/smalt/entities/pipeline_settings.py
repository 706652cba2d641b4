"""The settings of pipelines: of jobs, components and nested steps."""

from __future__ import annotations

from smalt.entities.effect import ACTED
from smalt.entities.entity import Entity, Field, optional
from smalt.entities.nested import Nested
from smalt.entities.shapes import Boolean, Text


class PipelineJobSettings(Entity):
    """Open: other keys are kept, and mean nothing here."""

    noun = "the settings of a pipeline"
    _is_open = True

    default_compute = optional(Text(), "Where steps run that do not say.", effect=ACTED)
    default_datastore = optional(Text(), "Where outputs are written that do not say.", effect=ACTED)
    continue_on_step_failure = optional(Boolean(), "Whether other steps go on when one fails.", effect=ACTED)
    force_rerun = optional(Boolean(), "Whether steps run though an earlier run could be reused.", effect=ACTED)
    on_init = optional(Text(), "The step that runs before all others.", effect=ACTED)
    on_finalize = optional(Text(), "The step that runs after all others, whatever happened.", effect=ACTED)


class SettingsField(Field):
    """Settings that are there to be set: `job.settings.default_compute = …`; without any they are not written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(
            Nested(PipelineJobSettings), "Settings of the whole.", factory=PipelineJobSettings, effect=ACTED
        )
