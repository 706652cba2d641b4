"""The JSON Schema of any noun, for editors."""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.entity import Entity, Field
from smalt.entities.schema.kinds import KINDS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.shapes import JSON, build_words_schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_EXPRESSION: JSON = {"type": "string", "pattern": r"\$\{\{"}


def json_schema(kind: str | None = None) -> JSON:
    """Return the schema of documents of a kind, such as "job", or of all kinds."""
    definitions = SchemaDefinitions()
    kinds = [kind] if kind else list(KINDS)
    roots = [_build_root(name, definitions) for name in kinds]
    root = roots[0] if kind else {"anyOf": roots}
    return {"$schema": DIALECT, "title": kind or "smalt", **root, "$defs": definitions.found}


def _build_root(kind: str, definitions: SchemaDefinitions) -> JSON:
    table = KINDS[kind]
    if isinstance(table, str):
        return definitions.add_root(load_noun(table))
    given = {tag: {"properties": {"type": build_words_schema([tag])}, "required": ["type"]} for tag in table}
    cases = [{"if": given[tag], "then": definitions.add_root(load_noun(where))} for tag, where in table.items()]
    untyped = [definitions.add_root(load_noun(where)) for where in dict.fromkeys(table.values())]
    known: JSON = {"properties": {"type": build_words_schema(table)}}
    return {"type": "object", **known, "allOf": [*cases, {"if": {"required": ["type"]}, "else": {"anyOf": untyped}}]}


class SchemaDefinitions:
    """The nouns met on the way, each described once and referred to after that."""

    def __init__(self) -> None:
        self.found: dict[str, JSON] = {}
        self._in_step = False

    def add_root(self, noun: type[Entity]) -> JSON:
        """Return a reference to a noun that a whole file can be."""
        reference = self.add_reference(noun)
        self.found[noun.__name__]["properties"].setdefault("$schema", {"type": "string"})
        return reference

    def add_reference(self, noun: type[Entity], only: tuple[str, ...] = (), place: str = "") -> JSON:
        """Return a reference to a noun; to `only` some of its keys if the `place` allows fewer."""
        was_in_step = self._in_step
        self._in_step = was_in_step or getattr(noun, "_is_step", False)
        name = noun.__name__ + "".join(word.title() for word in place.split() if len(word) > 1)
        name += "InStep" if was_in_step else ""
        if name not in self.found:
            self.found[name] = {}
            self.found[name].update(self._build_noun(noun, only or tuple(noun._fields)))
        self._in_step = was_in_step
        return {"$ref": f"#/$defs/{name}"}

    def _build_noun(self, noun: type[Entity], keys: tuple[str, ...]) -> JSON:
        properties = {name: self._build_property(noun._fields[name]) for name in keys}
        required = [name for name in keys if noun._fields[name].required]
        described: JSON = {"type": "object", "title": noun.noun, "properties": properties}
        if required:
            described["required"] = required
        if not noun._is_open:
            described["additionalProperties"] = False
        return described

    def _build_property(self, field: Field) -> JSON:
        shape: JSON = field.shape.build_schema(self)
        if self._in_step and field.default is None and not _takes_text(shape):
            shape = {"anyOf": [shape, _EXPRESSION]}
        more: dict[str, Any] = {"readOnly": True} if field.from_service else {}
        return {"description": field.doc, **(shape if field.required else _add_null(shape)), **more}


def _add_null(shape: JSON) -> JSON:
    """Return the shape, or null: a key without a value counts as absent."""
    if not shape:
        return shape
    return {"anyOf": [*(shape["anyOf"] if [*shape] == ["anyOf"] else [shape]), {"type": "null"}]}


def _takes_text(shape: JSON) -> bool:
    """Return True if the shape takes any text, and so expressions too."""
    types = shape.get("type", ())
    if ("string" in types and "pattern" not in shape) or not shape:
        return True
    return any(_takes_text(one) for one in shape.get("anyOf", ()))
