"""A JSON Schema of any noun, for editors."""

from __future__ import annotations

from smalt.entities.entity import Entity
from smalt.entities.shapes import JSON


class Definitions:
    """The nouns met on the way; each is described once and referred to after that."""

    def __init__(self) -> None:
        self.found: dict[str, JSON] = {}

    def reference(self, noun: type[Entity], only: tuple[str, ...] = (), place: str = "") -> JSON:
        """`only` some keys, where the noun has fewer in this `place`."""
        name = noun.__name__ + "".join(word.title() for word in place.split() if len(word) > 1)
        if name not in self.found:
            self.found[name] = {}
            self.found[name] = self._describe(noun, only or tuple(noun._fields))
        return {"$ref": f"#/$defs/{name}"}

    def _describe(self, noun: type[Entity], keys: tuple[str, ...]) -> JSON:
        properties: dict[str, JSON] = {}
        for name in keys:
            field = noun._fields[name]
            properties[name] = {"description": field.doc, **field.shape.schema(self)}
            if field.from_service:
                properties[name]["readOnly"] = True
        required = [name for name in keys if noun._fields[name].required]
        described: JSON = {"type": "object", "title": noun.noun, "properties": properties}
        if required:
            described["required"] = required
        if not noun._is_open:
            described["additionalProperties"] = False
        return described
