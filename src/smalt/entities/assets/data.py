"""Data assets."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset
from smalt.entities.jobs.inputs import DataPath
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import optional
from smalt.entities.schema.shapes import Enum, Text
from smalt.entities.schema.travel import Travel


class Data(Asset):
    noun = "a data asset"
    _effect = KEPT

    type = optional(Enum("uri_file", "uri_folder", "mltable"), "The type; uri_folder where unset.", effect=ACTED)
    path = optional(DataPath(), "Where it is: a local path or a URI.", effect=ACTED)
    datastore = optional(Text(), "The datastore that local data is uploaded to.", effect=ACTED, travels=Travel.CLIENT)
