"""The settings of pipelines: of jobs, components and nested steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import Entity, Field, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path, nearest
from smalt.entities.schema.shapes import Boolean, Text
from smalt.machine.source_lines import warn

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader

_PUBLISHED = "default_datestore"
"""A slip that Azure's own published examples have, and that its service keeps."""


class PipelineJobSettings(Entity):
    """Open: other keys are kept, as the service keeps them, and the job's log says that they do nothing here."""

    noun = "the settings of a pipeline"
    _is_open = True

    default_compute = optional(Text(), "Where steps run that do not say.", effect=ACTED)
    default_datastore = optional(Text(), "Where outputs are written that do not say.", effect=ACTED)
    continue_on_step_failure = optional(Boolean(), "Whether other steps go on when one fails.", effect=ACTED)
    force_rerun = optional(Boolean(), "Whether steps run though an earlier run could be reused.", effect=ACTED)
    on_init = optional(Text(), "The step that runs before all others.", effect=ACTED)
    on_finalize = optional(Text(), "The step that runs after all others, whatever happened.", effect=ACTED)

    def __setattr__(self, name: str, value: Any) -> None:
        """Set a field; a name that is nearly a field's is refused, and of another one a program is warned."""
        if name not in self._fields and not name.startswith("_") and not hasattr(type(self), name):
            if name != _PUBLISHED:
                self._misnamed(name)
            warn(f"{type(self).__name__} has no '{name}', so it has no effect")
        super().__setattr__(name, value)

    @classmethod
    def _unknown(cls, keys: list[Any], data: Any, entity: Entity, path: Path, reader: Reader) -> set[str]:
        """Keep the keys that are not fields, but refuse one that was meant to be a field."""
        for key in keys:
            near = nearest(key, [name for name in cls._fields if name not in data])
            if near and key != _PUBLISHED and not reader.on_wire:
                words = f"unknown key '{key}' in {cls.noun}; did you mean '{near}'?"
                reader.problem((*path, key), words, at_key=True)
        return super()._unknown(keys, data, entity, path, reader)


class SettingsField(Field):
    """Settings that are there to be set: `job.settings.default_compute = …`; without any they are not written."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(
            Nested(PipelineJobSettings), "Settings of the whole.", factory=PipelineJobSettings, effect=ACTED
        )
