"""Outbound rules of a workspace's network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.reader import Reader
from smalt.entities.workspaces import workspace as nouns
from smalt.wire.encoding.codec import Codec, Json, TaggedCodec, Writing, make_nested_rule
from smalt.wire.encoding.envelope import HIDDEN

_RULES = {"name": HIDDEN, "type": HIDDEN}
_TO_ENDPOINT = make_nested_rule(Codec(nouns.PrivateEndpointTarget), "destination")
_TO_SERVICE = make_nested_rule(Codec(nouns.ServiceTag), "destination")
_BY_TYPE = TaggedCodec(
    "type",
    {
        "FQDN": Codec(nouns.FqdnDestination, _RULES),
        "PrivateEndpoint": Codec(nouns.PrivateEndpointDestination, {**_RULES, "destination": _TO_ENDPOINT}),
        "ServiceTag": Codec(nouns.ServiceTagDestination, {**_RULES, "destination": _TO_SERVICE}),
    },
)


class _Rules:
    def write(self, noun: nouns.OutboundRule, writing: Writing) -> Json:
        return {"properties": {"category": "UserDefined", **_BY_TYPE.write(noun, writing)}}

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        properties = body.get("properties")
        if not isinstance(properties, Mapping):
            reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
            return None
        known = {key: value for key, value in properties.items() if key != "provisioningState"}
        found = _BY_TYPE.read({**known, "name": body.get("name")}, (), reader)
        if isinstance(found, dict):
            reader.add_problem(("properties", "type"), "an outbound rule's type is FQDN, PrivateEndpoint or ServiceTag")
            return None
        return found


RESOURCES = _Rules()
