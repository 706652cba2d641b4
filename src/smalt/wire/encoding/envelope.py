"""The envelope of every resource: `{"id", "name", "systemData", "properties": {…}}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.schema.entity import Entity
from smalt.entities.schema.reader import Reader
from smalt.entities.syntax.references import parse_reference
from smalt.wire.encoding.casing import to_snake
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing
from smalt.wire.encoding.ids import parse_id

HIDDEN = Rule("")
RESOURCE = {"id": HIDDEN, "name": HIDDEN, "creation_context": HIDDEN}
ASSET = {**RESOURCE, "version": HIDDEN, "latest_version": HIDDEN}
ASSET_DEFAULTS: Json = {"isAnonymous": False, "isArchived": False}


class Envelope:
    """A resource's codec and the keys of it that stand beside `properties`."""

    def __init__(self, codec: Codec[Any], outside: tuple[str, ...] = ()) -> None:
        self.codec = codec
        self.outside = outside

    def write(self, noun: Any, writing: Writing) -> Json:
        """The body of a PUT."""
        properties = self.codec.write(noun, writing)
        body = {key: properties.pop(key) for key in self.outside if key in properties}
        return {**body, "properties": properties}

    def read(self, body: Mapping[str, Any], reader: Reader) -> Any:
        """A resource as the service answers it, or as a PUT has it."""
        properties = body.get("properties")
        if not isinstance(properties, Mapping):
            reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
            return None
        outside = {key: body[key] for key in self.outside if key in body}
        return self.codec.read({**properties, **outside, **read_identity(body, self.codec.noun)}, (), reader)


def read_identity(body: Mapping[str, Any], noun: type[Entity]) -> Json:
    """Id, name, version and who made it; of an asset's version the `name` is the version, so the id is asked."""
    id, made = body.get("id"), body.get("systemData")
    parsed = parse_id(id) or parse_reference(id) if isinstance(id, str) else None
    found: Json = {"id": id, "name": (parsed and parsed.name) or body.get("name")}
    if parsed is not None and parsed.version is not None:
        found["version"] = parsed.version
    elif isinstance(body.get("version"), str):
        found["version"] = body["version"]
    if isinstance(made, Mapping):
        found["creation_context"] = {to_snake(str(key)): value for key, value in made.items()}
    return {key: value for key, value in found.items() if key in noun._fields and value is not None}
