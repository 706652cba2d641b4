"""The parameters of a pipeline function, as the inputs of the pipeline."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

from smalt.dsl import groups
from smalt.entities.jobs.inputs import Input
from smalt.entities.rules.values import check_literal
from smalt.entities.schema.problems import Problem, did_you_mean, join_words
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.bindings import PipelineInput, Promise, find_type
from smalt.entities.syntax.literals import PRIMITIVES, Literal, convert
from smalt.exceptions import (
    MultipleValueError,
    TooManyPositionalArgsError,
    UnexpectedKeywordError,
    UnsupportedParameterKindError,
    UserErrorException,
)
from smalt.machine.source_lines import get_scope

_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_EMPTY = inspect.Parameter.empty
Where = tuple[str, int]


class Signature:
    """Read once, at the decorator."""

    def __init__(self, function: Callable[..., Any], plain: list[str]) -> None:
        inner = inspect.unwrap(function)
        self.name = function.__name__
        self.code = getattr(inner, "__code__", None)
        self.where: Where = (self.code.co_filename, self.code.co_firstlineno) if self.code else ("", 0)
        self.parameters: dict[str, inspect.Parameter] = {}
        self.takes_more = False
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is parameter.VAR_POSITIONAL:
                words = f"{self.name} has '*{name}', which cannot be inputs; name its parameters"
                raise UnsupportedParameterKindError(words, self.where)
            if parameter.kind is parameter.VAR_KEYWORD:
                self.takes_more = True
            else:
                self.parameters[name] = parameter
        hints = _read_hints(inner)
        self.declared = {
            name: _declare_input(name, hints.get(name, _EMPTY), parameter.default, self.where)
            for name, parameter in self.parameters.items()
            if name not in plain
        }

    def bind(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], where: Where) -> dict[str, Any]:
        """The arguments by name; raises at the caller's line."""
        names = list(self.parameters)
        if len(args) > len(names):
            words = f"{self.name} takes {len(names)} inputs and is given {len(args)}"
            raise TooManyPositionalArgsError(words, where)
        given = dict(zip(names, args, strict=False))
        for name, value in kwargs.items():
            if name in given:
                raise MultipleValueError(f"{self.name} is given '{name}' twice", where)
            if name not in self.parameters and not self.takes_more:
                hint = did_you_mean(name, names)
                known = f"its inputs are {join_words(names, 'and')}" if names else "it has no inputs"
                raise UnexpectedKeywordError(f"{self.name} has no input '{name}'{hint}; {known}", where)
            given[name] = value
        return {name: self._convert_value(name, value, where) for name, value in given.items()}

    def _convert_value(self, name: str, value: Any, where: Where) -> Any:
        if name not in self.declared and name in self.parameters:
            return value
        if groups.is_group(value) or isinstance(value, groups.GroupValues):
            return value
        from smalt.entities.steps.calls import convert_input

        declared = self.declared.get(name)
        return convert_input(name, value, declared if isinstance(declared, Input) and declared.type else None, where)

    def inputs(self, given: Mapping[str, Any]) -> tuple[dict[str, Input], dict[str, Any]]:
        """The inputs of the pipeline as declared or as given, and the arguments of the function."""
        declared: dict[str, Input] = {}
        arguments: dict[str, Any] = {}
        for name, found in self.declared.items():
            if isinstance(found, groups.Group):
                arguments[name] = found.promised(name, given)
                declared.update(found.flat(name))
            else:
                value = given.get(name)
                declared[name] = _read_type(found, value)
                arguments[name] = PipelineInput(name, value, found.default, declared[name].type)
        for name, value in given.items():
            if name not in declared and name.partition(".")[0] not in self.declared:
                declared[name] = _read_type(Input(), value)
                arguments[name] = PipelineInput(name, value)
        return declared, arguments


def _read_type(declared: Input, value: Any) -> Input:
    """Return the input with the type of the given value where the signature leaves the type open."""
    if declared.type is not None:
        return declared
    given = find_type(value)
    if given is None:
        return declared
    kept = {key: item for key, item in vars(declared).items() if item is not None}
    return Input(**{**kept, "type": given})


def _read_hints(thing: Any) -> dict[str, Any]:
    """The annotations of a function or class; those that are text, by what the program's names mean."""
    hints: dict[str, Any] = {}
    for name, hint in inspect.get_annotations(thing).items():
        if not isinstance(hint, str):
            hints[name] = hint
            continue
        module = sys.modules.get(thing.__module__)
        names = getattr(thing, "__globals__", None) or (vars(module) if module is not None else {})
        try:
            hints[name] = eval(hint, names, get_scope())
        except Exception:  # a name that only a type checker knows
            hints[name] = hint
    return hints


def read_annotation(name: str, hint: Any, where: Where) -> Any:
    """An annotation as an Input or a group; None where it says nothing."""
    if hint is _EMPTY or hint is None:
        return None
    if typing.get_origin(hint) is typing.Annotated:
        inputs = [extra for extra in typing.get_args(hint)[1:] if isinstance(extra, Input)]
        return _copy_input(inputs[0]) if inputs else read_annotation(name, typing.get_args(hint)[0], where)
    if isinstance(hint, Input):
        return _copy_input(hint)
    if hint is Input:
        return Input(type="uri_folder")
    if groups.is_group(hint):
        return groups.find_group(hint)
    inner = [each for each in typing.get_args(hint) if each is not type(None)]
    if len(inner) == 1 and type(None) in typing.get_args(hint):
        found = read_annotation(name, inner[0], where)
        return Input(**{**vars(found), "optional": True}) if isinstance(found, Input) else found
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Input(type="string", enum=[member.value for member in hint])
    kind = _TYPES.get(getattr(hint, "__name__", str(hint)))
    return Input(type=kind) if kind else None


def _declare_input(name: str, hint: Any, default: Any, where: Where) -> Any:
    if groups.is_group(default):
        return groups.find_group(type(default), default)
    found = read_annotation(name, hint, where)
    if isinstance(found, groups.Group):
        return found
    if isinstance(default, Enum):
        default = default.value
    declared = found if isinstance(found, Input) else Input()
    if default is _EMPTY or isinstance(default, Promise):
        return declared
    if default is None:
        declared.optional = True
        return declared
    if isinstance(default, Input):
        return Input(**{**vars(default), **vars(declared)})
    if not isinstance(default, (str, int, float)):
        words = f"the default of '{name}' must be text, a number or a boolean, not {type(default).__name__}"
        raise UserErrorException(words, where)
    declared.type = declared.type or find_type(default)
    declared.default = _convert_default(name, default, declared, where)
    return declared


def _convert_default(name: str, default: Literal, declared: Input, where: Where) -> Literal:
    """Return a default as a value of its type: text is read as Azure's client reads it."""
    if declared.type not in PRIMITIVES:
        return default
    reader = Reader()
    check_literal(default, declared, (name,), reader, f"the default of '{name}'")
    if reader.problems:
        raise UserErrorException(reader.problems[0].message, where)
    converted = convert(default, declared.type) if isinstance(default, str) else default
    return default if isinstance(converted, Problem) else converted


def _copy_input(declared: Input) -> Input:
    return Input(**{key: value for key, value in vars(declared).items() if key != "path"})
