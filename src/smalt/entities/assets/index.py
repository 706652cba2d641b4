"""Indexes of text for retrieval."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset
from smalt.entities.jobs.inputs import DataPath
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import optional, required
from smalt.entities.schema.shapes import Text
from smalt.entities.schema.travel import Travel


class Index(Asset):
    noun = "an index"
    _effect = KEPT

    name = required(Text(), "The name.")
    path = required(DataPath(), "Where it is: a local path or a URI.")
    datastore = optional(
        Text(), "The datastore that a local index is uploaded to.", effect=ACTED, travels=Travel.CLIENT
    )
