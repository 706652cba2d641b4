"""A command: what command jobs, steps and components have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.environment import ENVIRONMENT
from smalt.entities.jobs.resources import DISTRIBUTION, JobResourceConfiguration, QueueSettings
from smalt.entities.schema.effects import ACTED, NONE
from smalt.entities.schema.entity import Entity, mapping, optional
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import AsText, Map, Text
from smalt.entities.syntax.references import is_reference, qualified

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class Code(Text):
    """A local folder or file, or code elsewhere."""

    words = "a local path, a URL, 'git+…' or 'azureml:…'"

    def read(self, value: Any, path: Path, reader: Reader) -> str | None:
        text = super().read(value, path, reader)
        if text is None or is_reference(text) or text.startswith("git+") or reader.is_binding(text):
            return text
        if "://" in text and not text.startswith("file://"):
            return text
        return reader.local(text, path)


class Variables(Map[str]):
    """Environment variables; one without a value is empty."""

    def nothing(self) -> str:
        return ""


VARIABLES = Variables(AsText())


class HasCommand(Entity):
    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, qualified(value) if name == "environment" else value)

    code = optional(Code(), "The folder or file that the command runs in a copy of.", effect=ACTED)
    environment = optional(ENVIRONMENT, "What it runs in.", effect=ACTED)
    environment_variables = mapping(VARIABLES, "Environment variables.", effect=ACTED)
    distribution = optional(DISTRIBUTION, "How processes are laid out over machines.", effect=ACTED)
    queue_settings = optional(Nested(QueueSettings), "The tier and place in the queue.", effect=NONE)


class ParameterizedCommand(HasCommand):
    noun = "a command"

    command = optional(Text(), "The command line.", effect=ACTED)
    resources = optional(Nested(JobResourceConfiguration), "The machines that it asks for.", effect=ACTED)
