"""Command components."""

from __future__ import annotations

from smalt.entities.command import HasCommand
from smalt.entities.component import Component
from smalt.entities.entity import constant, optional, required
from smalt.entities.nested import Nested
from smalt.entities.resources import ComponentResources
from smalt.entities.shapes import List, Text


class CommandComponent(HasCommand, Component):
    noun = "a command component"

    type = constant("command", "The type of component.")
    command = required(Text(), "The command line, run by the shell.")
    resources = optional(Nested(ComponentResources), "The machines that it asks for.")
    additional_includes = optional(List(Text()), "Files and folders that are added to the code.")
