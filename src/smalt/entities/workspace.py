"""Workspaces."""

from __future__ import annotations

from smalt.entities.asset import Resource
from smalt.entities.entity import optional
from smalt.entities.shapes import Text


class Workspace(Resource):
    noun = "a workspace"

    display_name = optional(Text(), "The name that people see.")
    location = optional(Text(), "The region.")
