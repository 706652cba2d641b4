"""`@group`: a class whose fields are inputs that travel together."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from enum import Enum
from typing import Any, TypeVar

from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.schema.attributes import Attributes
from smalt.entities.schema.problems import did_you_mean, join_words
from smalt.entities.steps.bindings import PipelineInput
from smalt.exceptions import MissingPositionalArgsError, UnexpectedKeywordError, UserErrorException
from smalt.machine.source_lines import find_caller

T = TypeVar("T")


class Group:
    """The declared fields of a group class, with their defaults; a field may be a group."""

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self.fields = dict(fields)

    def flat(self, prefix: str) -> dict[str, Input]:
        """`group.field` to what it is."""
        found: dict[str, Input] = {}
        for name, field in self.fields.items():
            path = f"{prefix}.{name}"
            found.update(field.flat(path) if isinstance(field, Group) else {path: field})
        return found

    def promised(self, prefix: str, given: Mapping[str, Any]) -> GroupValues:
        """Return the values that the pipeline's function sees."""
        values = GroupValues()
        for name, field in self.fields.items():
            path = f"{prefix}.{name}"
            if isinstance(field, Group):
                dict.__setitem__(values, name, field.promised(path, given))
            else:
                dict.__setitem__(values, name, PipelineInput(path, given.get(path), field.default, field.type))
        return values


class GroupValues(Attributes):
    """The inputs of a group, by name."""

    __slots__ = ()
    word = "field of the group"


def group(cls: type[T]) -> type[T]:
    """Gives the class an `__init__` with its fields, and makes it usable as the type of a pipeline's input."""
    declared = _read_fields(cls)
    cls._smalt_group = Group(declared)  # type: ignore[attr-defined]

    def __init__(self: Any, *args: Any, **given: Any) -> None:
        where = find_caller()
        values = dict(zip(declared, args, strict=False))
        for name in given:
            if name not in declared:
                hint = did_you_mean(name, declared) or f"; it has {join_words(declared, 'and')}"
                raise UnexpectedKeywordError(f"{cls.__name__} has no field '{name}'{hint}", where)
        values.update(given)
        for name, field in declared.items():
            default = field.default if isinstance(field, Input) else getattr(cls, name, None)
            value = values.get(name, default)
            if value is None and name not in values and isinstance(field, Input) and not field.optional:
                raise MissingPositionalArgsError(f"{cls.__name__} is called without {name}", where)
            setattr(self, name, value)

    cls.__init__ = __init__  # type: ignore[method-assign]
    return cls


def is_group(value: Any) -> bool:
    """A class with @group, or an instance of one."""
    return isinstance(getattr(value, "_smalt_group", None), Group)


def find_group(cls: Any, instance: Any = None) -> Group:
    found: Group = cls._smalt_group
    if instance is None:
        return found
    fields = {
        name: find_group(type(value), value)
        if is_group(value := getattr(instance, name))
        else Input(**{**vars(field), **({} if value is None else {"default": value})})
        for name, field in found.fields.items()
    }
    return Group(fields)


def flatten_groups(given: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments with each group's fields apart: `group.field`."""
    values: dict[str, Any] = {}
    for name, value in given.items():
        if is_group(value):
            inner = vars(value)
        elif isinstance(value, GroupValues):
            inner = value
        else:
            values[name] = value
            continue
        values.update(flatten_groups({f"{name}.{key}": item for key, item in inner.items() if item is not None}))
    return values


def _read_fields(cls: type) -> dict[str, Any]:
    from smalt.dsl.parameters import _declare_input, _read_hints

    fields: dict[str, Any] = {}
    for base in reversed(cls.__mro__[1:]):
        if is_group(base):
            fields.update(base._smalt_group.fields)  # type: ignore[attr-defined]
    where = find_caller()
    own = inspect.get_annotations(cls)
    hints = _read_hints(cls) if own else {}
    names = dict.fromkeys((*own, *(key for key, value in vars(cls).items() if _is_default(key, value))))
    for name in names:
        default = vars(cls).get(name, inspect.Parameter.empty)
        output = _read_output(hints.get(name))
        if output is not None:
            fields[name] = output
            continue
        declared = _declare_input(name, hints.get(name, inspect.Parameter.empty), default, where)
        if isinstance(declared, Input) and declared.type is None:
            raise UserErrorException(f"the field '{name}' of {cls.__name__} needs a type, such as '{name}: int'", where)
        fields[name] = declared
    return fields


def _read_output(hint: Any) -> Output | None:
    """Return the output that an annotation in a returned group declares; None if it declares none."""
    if isinstance(hint, type) and issubclass(hint, Output):
        return hint()
    return hint if isinstance(hint, Output) else None


def _is_default(name: str, value: Any) -> bool:
    return not name.startswith("_") and (isinstance(value, (str, int, float, Enum, Input)) or is_group(value))
