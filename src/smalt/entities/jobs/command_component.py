"""Command components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.assets.component import Component
from smalt.entities.assets.environment import LocalOrRemote
from smalt.entities.jobs.command import HasCommand
from smalt.entities.jobs.resources import ComponentResources, CountsInstances
from smalt.entities.rules import places
from smalt.entities.rules.expressions import check_own
from smalt.entities.rules.optional_inputs import check_optional
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import constant, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import List, Text

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


class CommandComponent(CountsInstances, HasCommand, Component):
    noun = "a command component"

    type = constant("command", "The type of component.")
    command = required(Text(), "The command line, run by the shell.", effect=ACTED)
    resources = optional(Nested(ComponentResources), "The machines that it asks for.", effect=ACTED)
    additional_includes = optional(
        List(LocalOrRemote(must_exist=False)),
        "Files and folders that are added to the code.",
        effect=ACTED,
    )

    def _check(self, path: Path, reader: Reader, data: Any) -> None:
        super()._check(path, reader, data)
        check_own(self, "this component", places.OF_COMPONENT, path, reader)
        check_optional(self, path, reader)
