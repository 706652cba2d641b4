"""Prompt flows as components. smalt keeps them unchanged and checks only the keys that it reads."""

from __future__ import annotations

from smalt.entities.assets.asset import TAGS
from smalt.entities.assets.component import Component
from smalt.entities.assets.environment import LocalOrRemote
from smalt.entities.jobs.command import VARIABLES
from smalt.entities.schema.effects import KEPT
from smalt.entities.schema.entity import constant, mapping, optional
from smalt.entities.schema.shapes import Anything, List, Map


class FlowComponent(Component):
    noun = "a flow"
    _effect = KEPT
    _is_open = True

    type = constant("promptflow_parallel", "The type of component.")
    inputs = mapping(Map(Anything()), "The inputs of the flow.")
    outputs = mapping(Map(Anything()), "The outputs of the flow.")
    flow = optional(LocalOrRemote(), "The folder of the flow, where this is a run of one.")
    environment = optional(Anything(), "The packages of the flow.")
    environment_variables = mapping(VARIABLES, "Environment variables.")
    additional_includes = optional(List(LocalOrRemote()), "Files and folders that are added to the flow.")
    tags = mapping(TAGS, "Labels, for people and searches.")
