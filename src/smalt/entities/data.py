"""Data assets."""

from __future__ import annotations

from smalt.entities.asset import Asset
from smalt.entities.entity import optional
from smalt.entities.inputs import DataPath
from smalt.entities.shapes import Enum, Text


class Data(Asset):
    noun = "a data asset"

    type = optional(Enum("uri_file", "uri_folder", "mltable"), "The type; uri_folder where unset.")
    path = optional(DataPath(), "Where it is: a local path or a URI.")
    datastore = optional(Text(), "The datastore that local data is uploaded to.")
