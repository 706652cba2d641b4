"""Feature stores, feature sets and their entities; indexes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.index import Index
from smalt.entities.schedules import triggers
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.workspaces import feature_store as nouns
from smalt.wire.encoding.codec import Codec, Rule, Writing, make_nested_rule
from smalt.wire.encoding.envelope import ASSET, ASSET_DEFAULTS, RESOURCE, Envelope


def _write_columns(value: Any, writing: Writing) -> Any:
    return [{"columnName": each.name, "dataType": str(each.type).capitalize()} for each in value]


def _read_columns(value: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(value, list):
        return value
    facts = [each if isinstance(each, Mapping) else {} for each in value]
    return [{"name": each.get("columnName"), "type": str(each.get("dataType", "")).lower()} for each in facts]


_DEFAULTS = {**ASSET_DEFAULTS, "properties": {}, "tags": {}}
_SPECIFICATION = Codec(
    nouns.FeatureSetSpecification, {"path": Rule("path", lambda value, writing: writing.refs.stored(value, None))}
)
_SETTINGS = Codec(
    nouns.MaterializationSettings,
    {
        "resource": make_nested_rule(Codec(nouns.MaterializationComputeResource), "resource"),
        "schedule": make_nested_rule(
            Codec(
                triggers.RecurrenceTrigger,
                {
                    "type": Rule("triggerType"),
                    "schedule": make_nested_rule(Codec(triggers.RecurrencePattern), "schedule"),
                },
            ),
            "schedule",
        ),
        "notification": make_nested_rule(Codec(nouns.Notification), "notification"),
    },
)
FEATURE_SET = Envelope(
    Codec(
        nouns.FeatureSet,
        {
            **ASSET,
            "specification": make_nested_rule(_SPECIFICATION, "specification"),
            "materialization_settings": make_nested_rule(_SETTINGS, "materializationSettings"),
        },
        defaults=_DEFAULTS,
    )
)
FEATURE_STORE_ENTITY = Envelope(
    Codec(
        nouns.FeatureStoreEntity,
        {**ASSET, "index_columns": Rule("indexColumns", _write_columns, _read_columns)},
        defaults=_DEFAULTS,
    )
)
FEATURE_STORE = Envelope(
    Codec(nouns.FeatureStore, {**RESOURCE, "display_name": Rule("friendlyName")}),
    outside=("location", "tags", "kind", "identity"),
)


class _Indexes(Codec[Index]):
    """A local index is kept in the datastore that it names."""

    def write(self, noun: Index, writing: Writing) -> dict[str, Any]:
        body = super().write(noun, writing)
        if noun.path is not None:
            body["storageUri"] = writing.refs.stored(noun.path, noun.datastore)
        return body


INDEX = Envelope(_Indexes(Index, {**ASSET, "path": Rule("storageUri"), "datastore": Rule("")}, defaults=_DEFAULTS))
