"""Data assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalt.entities.assets.asset import Asset
from smalt.entities.jobs.inputs import DataPath
from smalt.entities.schema.effects import ACTED, KEPT
from smalt.entities.schema.entity import optional
from smalt.entities.schema.problems import Path
from smalt.entities.schema.shapes import Enum, Text
from smalt.entities.schema.travel import Travel

if TYPE_CHECKING:
    from smalt.entities.schema.reader import Reader


_EARLIER = {
    "file": "a FileDataset is 'uri_folder' in v2, or 'uri_file' if it is one file",
    "tabular": "a TabularDataset is 'mltable' in v2, a folder with a file MLTable",
}
"""The types of datasets in files for SDK v1, each with what it is in v2."""


class DataKind(Enum):
    """The type of a data asset; those of SDK v1 are told what they are now."""

    def _report_unknown(self, value: str, path: Path, reader: Reader) -> str | None:
        advice = _EARLIER.get(value.lower())
        if advice is None:
            return super()._report_unknown(value, path, reader)
        reader.add_problem(path, f"'{value}' is a type of SDK v1: {advice}")
        return None


class Data(Asset):
    noun = "a data asset"
    _effect = KEPT

    type = optional(DataKind("uri_file", "uri_folder", "mltable"), "The type; uri_folder where unset.", effect=ACTED)
    path = optional(DataPath(), "Where it is: a local path or a URI.", effect=ACTED)
    datastore = optional(Text(), "The datastore that local data is uploaded to.", effect=ACTED, travels=Travel.CLIENT)
