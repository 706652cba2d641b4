"""Code assets."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset
from smalt.entities.jobs.command import CodePath
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import optional


class Code(Asset):
    noun = "a code asset"
    _effect = KEPT

    path = optional(CodePath(), "The path of the code, local or a URI.", effect=ACTED)
