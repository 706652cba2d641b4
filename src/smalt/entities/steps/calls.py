"""Calls of components and commands as functions: `train(data=…, lr=0.1)` returns a step."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping
from enum import Enum
from typing import Any

from smalt.entities.assets.asset import Asset
from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.jobs.search_space import SweepDistribution
from smalt.entities.rules.values import check_literal, check_types
from smalt.entities.schema.kinds import STEPS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.paths import as_text
from smalt.entities.schema.problems import did_you_mean, format_value, join_words
from smalt.entities.schema.reader import Reader
from smalt.entities.schema.travel import Travel, list_values
from smalt.entities.steps.bindings import (
    OPEN_INPUTS,
    PipelineInput,
    Promise,
    StepInputs,
    StepOutput,
    StepOutputs,
    find_component,
    find_declared_type,
    find_type,
)
from smalt.entities.steps.collector import add_step, current_collector
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.literals import PRIMITIVES, find_literal_type
from smalt.exceptions import (
    MissingPositionalArgsError,
    TooManyPositionalArgsError,
    UnexpectedKeywordError,
    UserErrorException,
)
from smalt.machine.source_lines import find_caller

Where = tuple[str, int]


def call_component(component: Component, args: tuple[Any, ...], given: Mapping[str, Any]) -> Node:
    """Return a step of the component; inside a pipeline function it joins that pipeline."""
    where = find_caller()
    if args:
        if len(args) == 1 and isinstance(args[0], Mapping) and not given:
            given = {str(key): value for key, value in args[0].items()}
        else:
            example = ", ".join(f"{name}=…" for name in component.inputs)
            words = f"{_get_name(component)} takes its inputs by name: {_get_name(component)}({example})"
            raise TooManyPositionalArgsError(words, where)
    values = _check_arguments(component, given, where)
    node = make_step(component, values)
    vars(node)["_line"] = where
    add_step(node)
    return node


def make_function(component: Component) -> Any:
    import inspect

    def make(**inputs: Any) -> Node:
        return call_component(component, (), inputs)

    make.__name__ = make.__qualname__ = component.name or component.type or "component"
    make.__doc__ = component.description
    empty = inspect.Parameter.empty
    make.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None if found.optional else empty if found.default is None else found.default,
                annotation=found.type or empty,
            )
            for name, found in component.inputs.items()
            if name.isidentifier()
        ]
    )
    return make


def make_step(component: Component, inputs: Mapping[str, Any]) -> Node:
    noun = load_noun(STEPS[(component.type or "command").removeprefix("promptflow_")])  # a flow is a parallel step
    node = noun.__new__(noun)
    values = vars(node)
    values["component"] = component
    values["inputs"] = StepInputs(node, inputs)  # type: ignore[arg-type]
    values["outputs"] = StepOutputs(node)  # type: ignore[arg-type]
    for name, value in list_values(component, Travel.CALL):
        if name in noun._fields:
            values[name] = copy.copy(value)  # the step's own: setting it leaves the component as it is
    return node  # type: ignore[return-value]


def call_step(node: Any, args: tuple[Any, ...], given: Mapping[str, Any]) -> Any:
    """Return a new step like `node` with other inputs, as in `command_job(lr=0.1)`."""
    if args:
        words = (
            f"a {node.type} is called with its inputs by name: {join_words((f'{key}=…' for key in node.inputs), 'and')}"
        )
        raise TooManyPositionalArgsError(words, find_caller())
    where = find_caller()
    component = find_component(node) or get_inline_component(node)
    kept = {name: value for name, value in node.inputs.items() if name not in given and _is_value(value)}
    values = _check_arguments(component, {**kept, **given}, where)
    new = make_step(component, values)
    for name, value in list_values(node, Travel.COPY):
        if name in type(new)._fields:
            vars(new)[name] = copy.deepcopy(value)
    if node.type in _KEEP_NAMES and node.name:
        new.name = node.name
    for name, value in node.outputs.items():
        dict.__setitem__(new.outputs, name, copy.copy(value))
    vars(new)["_line"] = where
    add_step(new)
    return new


_KEEP_NAMES = ("parallel", "spark")
"""Calls of these types keep the builder's name, as in the official SDK; a command takes its variable's name."""


def _is_value(value: Any) -> bool:
    """Return False for a mere declaration, such as `Input(type="uri_folder")`."""
    return value is not None and not (isinstance(value, Input) and value.path is None)


def get_inline_component(node: Any) -> Component:
    """Return the component of a step with an inline command; its inputs are declared from the step's values."""
    known = vars(node).get("_made_of")
    if known is None or known[0] != _list_field_ids(node):
        from smalt.entities.steps.inline_components import make_component

        known = _list_field_ids(node), make_component(node)
        vars(node)["_made_of"] = known
    return known[1]  # type: ignore[no-any-return]


def _list_field_ids(node: Any) -> list[Any]:
    return [id(value) for name, value in sorted(vars(node).items()) if not name.startswith("_")]


def _check_arguments(component: Component, given: Mapping[str, Any], where: Where) -> dict[str, Any]:
    """Return the given inputs after checking them against the component's declarations."""
    declared = component.inputs
    values: dict[str, Any] = {}
    is_open = component.type in OPEN_INPUTS
    for name, value in given.items():
        if name not in declared and not is_open and not _is_in_group(name, declared):
            known = f"; its inputs are {join_words(declared, 'and')}" if declared else "; it has no inputs"
            hint = did_you_mean(name, declared) + known if did_you_mean(name, declared) else known
            raise UnexpectedKeywordError(f"{_get_name(component)} has no input '{name}'{hint}", where)
        checked = convert_input(name, value, None if is_open else declared.get(name), where)
        if checked is not None:
            values[name] = checked
    if (
        current_collector.get() is None
    ):  # else when the pipeline's function has returned: what it sets afterwards counts too
        check_complete(component, values, where)
    return values


def check_complete(component: Component, given: Collection[str], where: Where) -> None:
    """Raise MissingPositionalArgsError unless every required input is given."""
    if component.type in OPEN_INPUTS:
        return
    missing = [
        name
        for name, found in component.inputs.items()
        if name not in given and not found.optional and found.default is None
    ]
    if missing:
        words = join_words((f"{name} ({component.inputs[name].type})" for name in missing), "and")
        raise MissingPositionalArgsError(f"{_get_name(component)} is called without {words}", where)


def _is_in_group(name: str, declared: Mapping[str, Any]) -> bool:
    return any(known.startswith(f"{name}.") for known in declared)


def _get_name(component: Component) -> str:
    return component.display_name or component.name or component.noun


def convert_input(name: str, value: Any, declared: Input | None, where: Where) -> Any:
    """Return a value in the form that inputs of steps have; raise UserErrorException if it cannot be one."""
    value = _to_plain_input(name, value, where)
    if value is None or isinstance(value, SweepDistribution) or declared is None:
        return value
    reader = Reader()
    path = (name,)
    if isinstance(value, Promise):
        source = _describe_source(value)
        given = find_type(value)
        if isinstance(value, PipelineInput) and isinstance(value.result(), (str, int, float)):
            if declared.type in PRIMITIVES:
                check_literal(value.result(), declared, path, reader)
        elif not isinstance(value, PipelineInput) or given in PRIMITIVES:
            check_types(given, declared.type, path, reader, source)
    elif isinstance(value, Input):
        if not isinstance(value.path, Promise) and "${{" not in (value.path or ""):
            check_types(value.type or "uri_folder", declared.type, path, reader, "what is given")
    elif not (isinstance(value, str) and "${{" in value):
        check_literal(value, declared, path, reader)
        if declared.type is not None and declared.type not in PRIMITIVES and isinstance(value, str):
            value = Input(type=declared.type, path=value)
    if reader.problems:
        raise UserErrorException(reader.problems[0].message, where)
    return value


def _describe_source(value: Promise) -> str:
    if isinstance(value, PipelineInput):
        return f"the pipeline's input '{value.name}'"
    return f"the output '{value._port}'" if isinstance(value, StepOutput) else "what is given"


def _to_plain_input(name: str, value: Any, where: Where) -> Any:
    """Return an asset as an Input, a step as its only output, an enum member as its value, a path as its text."""
    value = as_text(value)
    if isinstance(value, Input):
        return copy.copy(value)  # the program may use its own for another step, in another mode
    if isinstance(value, (Promise, str, int, float, SweepDistribution)) or value is None:
        return value.value if isinstance(value, Enum) else value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Node):
        return get_only_output(name, value, where)
    if isinstance(value, StepOutputs):
        return get_only_output(name, value._node, where)
    if isinstance(value, Asset) and "path" in type(value)._fields:
        kind: Any = value
        reference = kind.id or (f"azureml:{kind.name}:{kind.version}" if kind.name and kind.version else kind.path)
        return Input(type=kind.type, path=reference)
    if isinstance(value, Mapping):
        return Input.from_dict(value)
    if isinstance(value, (Component, type)) or callable(value):
        words = (
            f"the input '{name}' is given {_describe_value(value)} itself; call it first and pass one of its outputs"
        )
        raise UserErrorException(words, where)
    if isinstance(value, Output):
        return _convert_output(name, value, where)
    words = f"the input '{name}' must be Input(…), text, a number or a boolean, not {_describe_value(value)}"
    hint = "; pass a list as text, such as ','.join(values)" if isinstance(value, (list, tuple)) else ""
    raise UserErrorException(words + hint, where)


def _convert_output(name: str, output: Output, where: Where) -> Input:
    """Return the output of a finished job as an Input."""
    if not output.path or "${{" in output.path:
        words = f"the input '{name}' is given an Output(…) without a known path"
        raise UserErrorException(f"{words}; use an output of a finished job, from ml_client.jobs.get(NAME)", where)
    return Input(type=output.type or "uri_folder", path=output.path)


def _describe_value(value: Any) -> str:
    if isinstance(value, Component):
        return f"the component '{_get_name(value)}'"
    if callable(value) and hasattr(value, "__name__"):
        return f"the function '{value.__name__}'"
    return format_value(value)


def get_only_output(name: str, node: Any, where: Where) -> StepOutput:
    names = node.outputs.list_names()
    if len(names) != 1:
        words = join_words((f".outputs.{output}" for output in names), "or") if names else "no output"
        raise UserErrorException(f"the input '{name}' is given a step; name one of its outputs: {words}", where)
    return node.outputs[names[0]]  # type: ignore[no-any-return]


__all__ = [
    "call_component",
    "call_step",
    "convert_input",
    "find_declared_type",
    "find_literal_type",
    "get_inline_component",
    "make_step",
]
