"""Description of forms: the keys of each type of step, with kinds, choices and bounds, as JSON."""

from __future__ import annotations

from typing import Any

from smalt.entities.schema.json_schema import SchemaDefinitions
from smalt.entities.schema.kinds import STEPS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.shapes import JSON

_DEEPEST = 4
_WHOLE_DOCUMENTS = ("Component", "Node")
"""Nouns with forms of their own, which no form of a step has within it."""


def describe_steps() -> dict[str, dict[str, JSON]]:
    """Return the fields of each type of step by key."""
    definitions = SchemaDefinitions()
    names = {tag: _name_reference(definitions.add_reference(load_noun(where))) for tag, where in STEPS.items()}
    return {tag: _describe_fields(definitions.found, name, 0) for tag, name in names.items()}


def _name_reference(schema: JSON) -> str:
    return str(schema["$ref"]).rpartition("/")[2]


def _describe_fields(found: dict[str, JSON], name: str, depth: int) -> dict[str, JSON]:
    noun = found[name]
    needed = noun.get("required", ())
    return {
        key: {**_describe_field(found, schema, depth), **({"required": True} if key in needed else {})}
        for key, schema in noun["properties"].items()
        if not schema.get("readOnly")
    }


def _describe_field(found: dict[str, JSON], schema: JSON, depth: int) -> JSON:
    sides = _list_sides(schema)
    field: JSON = {"kind": _find_kind(sides)}
    if schema.get("description"):
        field["doc"] = schema["description"]
    if field["kind"] in ("choice", "text"):
        field["choices"] = [word for side in sides for word in side.get("enum", ())]
    for side in sides:
        field.update({short: side[key] for short, key in (("min", "minimum"), ("max", "maximum")) if key in side})
        if isinstance(side.get("additionalProperties"), dict) and depth < _DEEPEST:
            field["item"] = _describe_field(found, side["additionalProperties"], depth + 1)
    names = [_name_reference(side) for side in sides if "$ref" in side]
    nouns = [name for name in names if not name.removesuffix("InStep").endswith(_WHOLE_DOCUMENTS)]
    if nouns and depth < _DEEPEST:
        fields = [_describe_fields(found, name, depth + 1) for name in nouns]
        if len(nouns) == 1:
            field["fields"] = fields[0]
        else:
            field["variants"] = {tag: one for one in fields for tag in one.get("type", {}).get("choices", ())}
    return {key: value for key, value in field.items() if value not in ([], {})}


def _list_sides(schema: JSON) -> list[JSON]:
    """Return the alternatives of a schema; no null, no expression, and no text that stands for another type."""
    if "anyOf" in schema:
        return [side for one in schema["anyOf"] for side in _list_sides(one)]
    return [] if schema.get("type") == "null" or "pattern" in schema else [schema]


def _find_kind(sides: list[JSON]) -> str:
    types: list[Any] = [side.get("type") for side in sides]
    if any(isinstance(one, list) for one in types):
        return "any"
    if "string" in types:
        return "any" if {"boolean", "integer", "number"} & set(types) else "text"
    for kind in ("boolean", "integer", "number"):
        if kind in types:
            return kind
    if any("enum" in side for side in sides):
        return "choice"
    if any("$ref" in side for side in sides):
        return "group"
    return {"object": "map", "array": "list"}.get(next((one for one in types if one), ""), "any")
