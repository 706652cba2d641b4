"""Data assets."""

from __future__ import annotations

from smalt.entities.assets.data import Data
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, Envelope
from smalt.wire.jobs.inputs import DEFAULT_TYPE


class _Data(Codec[Data]):
    """Local data is kept in the datastore that the asset names."""

    def write(self, noun: Data, writing: Writing) -> Json:
        body = super().write(noun, writing)
        if noun.path is not None:
            body["dataUri"] = writing.refs.stored(noun.path, noun.datastore)
        return body


DATA = _Data(
    Data,
    {**ASSET, "type": Rule("dataType"), "path": Rule("dataUri")},
    defaults={**ASSET_DEFAULTS, "dataType": DEFAULT_TYPE, "properties": {}, "tags": {}},
)
RESOURCES = Envelope(DATA)
