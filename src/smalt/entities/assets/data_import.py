"""Data assets that are imported from a database or a bucket."""

from __future__ import annotations

from smalt.entities.assets.asset import Asset
from smalt.entities.jobs.data_transfer import EXTERNAL_DATA
from smalt.entities.schema.effects import ACTED
from smalt.entities.schema.entity import optional, required
from smalt.entities.schema.shapes import Enum, Text


class DataImport(Asset):
    noun = "a data import"
    _effect = ACTED

    type = optional(Enum("uri_file", "uri_folder", "mltable"), "The type; uri_folder where unset.")
    path = required(Text(), "The path that the data is written to.")
    source = required(EXTERNAL_DATA, "The source of the import.")
    datastore = optional(Text(), "The datastore that it is written to.")
