"""A step that has its command in place, made into a component and a step that refers to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from smalt.entities.assets.component import Component
from smalt.entities.jobs.control_flow import (
    ParallelFor,
    find_body,
    get_gathered_type,
    list_items,
    parse_items,
)
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.rules.bindings import find_undeclared_inputs
from smalt.entities.schema.kinds import COMPONENTS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.travel import Travel
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import parse_binding

_BODY = {
    "command": ("command",),
    "parallel": ("task",),
    "spark": ("entry",),
    "data_transfer": ("task",),
}
"""By type of step, the keys of which one makes it one without a component."""

_LITERALS = {bool: "boolean", int: "integer", float: "number", str: "string"}


class InlineStep(NamedTuple):
    made: Component
    rest: Node


def is_inline(node: Node) -> bool:
    values = vars(node)
    return values.get("component") is None and any(
        values.get(key) is not None for key in _BODY.get(node.type or "", ())
    )


def split_step(node: Node, parent: Any, loop: ParallelFor | None = None) -> InlineStep:
    """The anonymous component of an inline step, which `loop` repeats, and what is left of the step.

    `parent` is its pipeline.
    """
    noun = load_noun(COMPONENTS[node.type or "command"])
    values: dict[str, Any] = {}
    rest = type(node).__new__(type(node))
    for key, value in vars(node).items():
        field = type(node)._fields.get(key)
        travels = field.travels if field is not None and key in noun._fields else Travel.STEP
        if Travel.SPEC in travels:
            values[key] = value
        if Travel.SPEC not in travels or Travel.STEP in travels:
            vars(rest)[key] = value
    inputs = vars(node).get("inputs") or {}
    outputs = vars(node).get("outputs") or {}
    made = noun(
        **values,
        inputs={
            **_declare_item_inputs(node, parent, loop),
            **{key: _declare_input(value, parent) for key, value in inputs.items()},
        },
        outputs={key: _declare_output(value, parent) for key, value in outputs.items()},
    )
    made.source_path = node.source_path
    return InlineStep(made, rest)  # type: ignore[arg-type]


def _declare_item_inputs(node: Node, parent: Any, loop: ParallelFor | None) -> dict[str, Input]:
    """Declare the inputs of a loop's body that only the items give; their types are strings if not known yet."""
    if loop is None:
        return {}
    items = parse_items(loop.items)
    known = [item for _, item in list_items(items)] if isinstance(items, (list, Mapping)) else []
    declared = {}
    for key in find_undeclared_inputs(node):
        found = [_declare_input(item[key], parent) for item in known if isinstance(item, Mapping) and key in item]
        types = {one.type for one in found}
        if types == {"integer", "number"}:
            declared[key] = Input(type="number")
        else:
            declared[key] = found[0] if len(types) == 1 else Input(type="string")
    return declared


def _declare_input(value: Any, parent: Any) -> Input:
    if isinstance(value, Input):
        return Input(type=value.type or _find_type(value.path, parent) or "uri_folder", mode=value.mode)
    binding = _find_type(value, parent) if isinstance(value, str) else None
    return Input(type=binding or _LITERALS.get(type(value), "string"))


def _declare_output(value: Any, parent: Any) -> Output:
    bound = _find_type(value if isinstance(value, str) else value.path, parent)
    own = value if isinstance(value, Output) else Output()
    return Output(type=own.type or bound or "uri_folder", mode=own.mode)


def _find_type(text: str | None, parent: Any) -> str | None:
    """The type of what an expression stands for, as far as the pipeline says."""
    binding = parse_binding(text)
    if binding is None or parent is None:
        return None
    if binding.kind == "parent.inputs":
        return _find_input_type(parent.inputs.get(binding.name))
    if binding.kind == "parent.outputs":
        return _find_output_type(parent.outputs.get(binding.name))
    if binding.job is None or binding.job not in parent.jobs:
        return None
    node = parent.jobs[binding.job]
    if binding.kind == "parent.jobs.inputs":
        found = node.inputs.get(binding.name)
        return _find_type(found, parent) if isinstance(found, str) and "${{" in found else _find_input_type(found)
    return _find_step_output_type(node, binding.name, parent) if binding.kind == "parent.jobs.outputs" else None


def _find_input_type(value: Any) -> str | None:
    if isinstance(value, Input):
        return value.type or "uri_folder"
    return None if value is None else _LITERALS.get(type(value))


def _find_output_type(value: Any) -> str | None:
    return value.type if isinstance(value, Output) else None


def _find_step_output_type(node: Node, name: str, parent: Any) -> str:
    component = vars(node).get("component")
    declared: Mapping[str, Output] = component.outputs if isinstance(component, Component) else {}
    if name in declared and declared[name].type:
        return str(declared[name].type)
    own = node.outputs.get(name)
    if isinstance(node, ParallelFor) and _find_output_type(own) is None:
        body = find_body(node, parent.jobs)
        return get_gathered_type(_find_step_output_type(body, name, parent)) if body is not None else "uri_folder"
    if isinstance(own, str):
        return _find_type(own, parent) or "uri_folder"
    return (_find_output_type(own) or (own and own.path and _find_type(own.path, parent))) or "uri_folder"
