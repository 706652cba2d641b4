"""The ways that a field's value takes when one noun becomes another; each field declares its own.

A value goes from one noun to another if both have a field of that name and the source's declaration allows it.
docs/internals/fields.md follows one field through all of this.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from enum import Flag, auto
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.entities.schema.entity import Entity


class Travel(Flag):
    """The ways that a value can take beyond its own noun; reading, dumping and the wire are open to every field."""

    NOWHERE = 0
    JOB = auto()
    """From a step, or from its component where the step sets nothing, to the job that runs for the step."""
    JOINED = auto()
    """With JOB, of a mapping: the job has the keys of both, and the step's value where both have a key."""
    LITERAL = auto()
    """With JOB: a text for people, in which nothing is filled in."""
    COPY = auto()
    """From a step to a new step that is made by calling it: `train(lr=0.1)`."""
    CALL = auto()
    """From a component to each step that calls it, so that a program can change the step's own copy."""
    COMPONENT = auto()
    """From a step with its command in place to the component that programs see as `step.component`."""
    SPEC = auto()
    """From such a step to the anonymous component that is sent for it, in place of the step."""
    STEP = auto()
    """With SPEC: the step that is sent has it as well."""
    CLIENT = auto()
    """Nowhere, nor into a REST body under its name: the client acts on it, or the URL has it."""


SETTING = Travel.JOB | Travel.COPY
"""A field that says how something runs: the step sets it, else its component does. The default."""

BODY = Travel.JOB | Travel.COMPONENT | Travel.SPEC
"""A field that says what runs: a step that has it in place is sent as a component and a step that refers to it."""

SHARED = SETTING | Travel.CALL | Travel.COMPONENT
"""A setting of a component that each of its steps gets as its own."""


def list_values(noun: Entity, way: Travel) -> Iterator[tuple[str, Any]]:
    """Yield name and value of each field that is set and whose declaration names the way."""
    names = _find_fields(type(noun), way)
    for name, value in vars(noun).items():
        if name in names and value is not None:
            yield name, value


def _find_fields(noun: type[Entity], way: Travel) -> frozenset[str]:
    """Return the fields of a class of nouns whose declarations name the way."""
    known = _FIELDS.get((noun, way))
    if known is None:
        known = frozenset(name for name, field in noun._fields.items() if way in field.travels)
        _FIELDS[noun, way] = known
    return known


_FIELDS: dict[tuple[type[Entity], Travel], frozenset[str]] = {}


def build_job_values(
    job: type[Entity],
    step: Entity,
    component: Entity | None,
    without: Container[str] = (),
    fill: Callable[[Any], Any] = lambda value: value,
) -> dict[str, Any]:
    """Return the fields of the job that runs for a step, but those in `without`.

    `fill` puts the pipeline's values into what the step sets; a component cannot name them.
    """
    fields = job._fields
    values: dict[str, Any] = {}
    if component is not None and component is not step:
        for name, value in list_values(component, Travel.JOB):
            if name in fields and name not in without and not is_unset(value):
                values[name] = value
    literal, joined = (_find_fields(type(step), way) for way in (Travel.LITERAL, Travel.JOINED))
    for name, value in list_values(step, Travel.JOB):
        if name in fields and name not in without and not is_unset(value):
            own = dict(value) if name in literal else fill(value)
            is_joined = name in joined and isinstance(values.get(name), Mapping)
            values[name] = {**values[name], **own} if is_joined else own
    return values


def is_unset(value: Any) -> bool:
    """True if a field with this value sets nothing."""
    return value is None or value == "" or (isinstance(value, Mapping) and not value)
