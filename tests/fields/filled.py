"""Nouns with one field filled, from the field's own shape."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalt.entities.assets.environment import CondaFile, LocalOrRemote
from smalt.entities.jobs.command import CodePath
from smalt.entities.jobs.inputs import DataPath
from smalt.entities.schema.entity import Entity, Field
from smalt.entities.schema.nested import Named, Nested, TaggedNoun, load_noun
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.shapes import Anything, Boolean, Either, Enum, Integer, List, Map, Number, Shape

TEXT = "local"
"""What every text is: so it is also the name of a compute that is there."""
REFERENCES = {"environment": "azureml:host@latest"}
_EXCLUSIVE = ("slack_amount",)
"""Fields that exclude another one of their noun."""
PATH = "azureml://datastores/workspaceblobstore/paths/p"


def fill_shape(shape: Shape[Any], depth: int = 4) -> Any:
    """Return plain data that the shape reads and that is not its default."""
    if isinstance(shape, Either):
        sides = (side for kind in (Named, Nested) for side in shape.shapes if isinstance(side, kind))
        return fill_shape(next(sides, shape.shapes[0]), depth)
    if isinstance(shape, TaggedNoun):
        tag = next(iter(shape.table))
        return {**fill_noun(load_noun(shape.table[tag]), depth - 1), **({shape.key: tag} if shape.key else {})}
    if isinstance(shape, Nested):
        filled = fill_noun(shape.noun, depth - 1)
        return {key: filled[key] for key in filled if key in (shape.only or filled)}
    if isinstance(shape, List):
        return [fill_shape(shape.item, depth)]
    if isinstance(shape, Map):
        return {"a": fill_shape(shape.item, depth)}
    if isinstance(shape, Enum):
        return shape.allowed[0]
    if isinstance(shape, Integer):
        return max(shape.at_least or 0, 1)
    if isinstance(shape, Number):
        return shape.at_most or 1
    if isinstance(shape, Boolean):
        return False
    if isinstance(shape, Named):
        return REFERENCES.get(shape.kind, "azureml:a:1")
    if isinstance(shape, (CodePath, DataPath, LocalOrRemote)):
        return PATH
    return {"a": TEXT} if isinstance(shape, (Anything, CondaFile)) else TEXT


def fill_noun(noun: type[Entity], depth: int = 4) -> dict[str, Any]:
    """Return a document with the required fields, and where there is depth left all others."""
    return {
        name: field.default or fill_shape(field.shape, depth)
        for name, field in noun._fields.items()
        if field.required or (depth > 2 and not field.from_service and name not in _EXCLUSIVE)
    }


def fill_fields(noun: type[Entity]) -> Iterator[tuple[str, Field, Any]]:
    """Yield each field that a user can set with a noun that has it and what it must have."""
    needed = {
        name: field.default or fill_shape(field.shape)
        for name, field in noun._fields.items()
        if field.required or field.default is not None
    }
    for name, field in noun._fields.items():
        if not field.from_service:
            document = {name: field.default or fill_shape(field.shape), **needed}
            yield name, field, noun._read_data(document, (), Reader())
