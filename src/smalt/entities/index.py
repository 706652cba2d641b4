"""Indexes of text for retrieval."""

from __future__ import annotations

from smalt.entities.asset import Asset
from smalt.entities.effect import ACTED, KEPT
from smalt.entities.entity import optional, required
from smalt.entities.inputs import DataPath
from smalt.entities.shapes import Text


class Index(Asset):
    noun = "an index"
    _effect = KEPT

    name = required(Text(), "The name.")
    path = required(DataPath(), "Where it is: a local path or a URI.")
    datastore = optional(Text(), "The datastore that a local index is uploaded to.", effect=ACTED)
