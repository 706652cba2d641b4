"""Steps of a pipeline, in snake_case except for `componentId` and `computeId`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.control_flow import ControlFlowNode, ParallelFor, find_gatherers, parse_items
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.schema.entity import Entity
from smalt.entities.schema.kinds import STEPS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.problems import Path
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import parse_binding
from smalt.wire.encoding.casing import fold_case
from smalt.wire.encoding.codec import Codec, Json, Rule, Writing, make_nested_rule, to_plain
from smalt.wire.jobs import components, settings
from smalt.wire.jobs.command import COMPUTE
from smalt.wire.jobs.inline_steps import is_inline, split_step
from smalt.wire.jobs.inputs import DEFAULT_TYPE, INPUTS, OUTPUTS, read_input, write_input, write_output

_MORE = {"sweep": "sweep", "automl": "automl", "spark": "spark", "data_transfer": "data_jobs"}
"""Types of steps that have more to say than their component, and the modules that know it."""


def write_nodes(jobs: Mapping[str, Node], writing: Writing) -> Json:
    loops = find_gatherers(jobs)
    return {name: _write_node(name, node, writing, _find_loop(name, jobs, loops)) for name, node in jobs.items()}


def _find_loop(name: str, jobs: Mapping[str, Node], loops: Mapping[str, str]) -> ParallelFor | None:
    loop = jobs.get(loops.get(name, ""))
    return loop if isinstance(loop, ParallelFor) else None


def _write_node(name: str, node: Node, writing: Writing, loop: ParallelFor | None) -> Json:
    """Return the body of one step, which `loop` repeats; `writing.parent` is the pipeline that it stands in."""
    built_in = _name_built_in(node)
    if built_in is not None:
        body = {**find_codec(type(node)).write(node, writing), "componentId": built_in}
    elif is_inline(node) and not writing.refs.keeps_inline:
        component = split_step(node, writing.parent, loop)
        body = find_codec(type(node)).write(component.rest, writing)
        body["componentId"] = _write_component_id(writing.refs.component(component.made), writing)
        node = component.rest
    else:
        body = find_codec(type(node)).write(node, writing)
    if not isinstance(node, ControlFlowNode):
        body.setdefault("name", name)
    body["type"] = node.type
    return body


def _name_built_in(node: Node) -> str | None:
    """Return the component of Azure's own that stands for a step which has none; None for most."""
    if node.type != "data_transfer":
        return None
    from smalt.wire.jobs.data_jobs import name_built_in

    return name_built_in(node)


def _write_component_id(value: Any, writing: Writing) -> Any:
    return value if isinstance(value, str) else components.write_spec(value, writing)


def read_nodes(body: Any, path: Path, reader: Reader) -> Any:
    if not isinstance(body, Mapping):
        return body
    outside, reader.in_step = reader.in_step, True
    try:
        return {name: read_node(name, node, (*path, name), reader) for name, node in body.items()}
    finally:
        reader.in_step = outside


def read_node(name: str, body: Any, path: Path, reader: Reader) -> Any:
    """The step, or what is not a step as it is, for the pipeline to say what is wrong with it."""
    if not isinstance(body, Mapping):
        return body
    given = body.get("type", "command")
    where = _list_steps().get(fold_case(given)) if isinstance(given, str) else None
    if where is None:
        return body
    read = find_codec(load_noun(where)).read(body, path, reader)
    if read is not None and vars(read).get("name") == name:
        del read.name
    return read


def _write_component(value: Any, writing: Writing) -> Any:
    return _write_component_id(writing.refs.component(value), writing)


def _read_component(value: Any, path: Path, reader: Reader) -> Any:
    return components.read_spec(value, path, reader) if isinstance(value, Mapping) else value


COMPONENT = Rule("componentId", _write_component, _read_component, "component")


def _write_environment(value: Any, writing: Writing) -> Any:
    return (
        components.write_environment(value, writing) if not isinstance(value, str) else writing.refs.environment(value)
    )


def _write_items(value: Any, writing: Writing) -> Any:
    """Return the items of a parallel_for as text; data among them is `{"uri": …, "job_input_type": …}`."""

    def written(item: Any) -> Any:
        return write_input(item, writing) if isinstance(item, Input) else to_plain(item)

    def inputs(item: Any) -> Any:
        return {name: written(each) for name, each in item.items()} if isinstance(item, dict) else to_plain(item)

    if isinstance(value, str):
        return value
    return json.dumps({k: inputs(v) for k, v in value.items()} if isinstance(value, dict) else [*map(inputs, value)])


def _read_items(value: Any, path: Path, reader: Reader) -> Any:
    try:
        found = parse_items(value)
    except ValueError:  # a rule says so
        return value

    def inputs(item: Any) -> Any:
        if not isinstance(item, dict):
            return item
        return {
            name: read_input(each, (*path, name), reader) if isinstance(each, dict) else each
            for name, each in item.items()
        }

    if isinstance(found, dict):
        return {key: inputs(item) for key, item in found.items()}
    return [inputs(item) for item in found] if isinstance(found, list) else value


STEP = {
    **settings.SHARED,
    "compute": COMPUTE,
    "inputs": INPUTS,
    "outputs": OUTPUTS._replace(write=lambda value, writing: None),  # StepCodec does it
    "component": COMPONENT,
    "code": Rule("code", components.write_code),
    "environment": Rule("environment", _write_environment),
    "task": Rule("task", components.write_task),
    "mini_batch_size": Rule("miniBatchSize", components.write_batch_size),
    "partition_keys": Rule("partitionKeys", components.write_keys, components.read_keys),
    "items": Rule("items", _write_items, _read_items),
    "settings": Rule("settings", lambda value, writing: to_plain(value) or None),
}


_OF_SWEEP = {"type": "sweep"}
"""The mark of a sweep step's component, which Azure's clients read only where the trial stands."""


class StepCodec(Codec[Any]):
    """A step's outputs that have no type of their own have the component's.

    The sweep component of a step stands where other sweep steps have their trial.
    """

    def split_body(self, body: Mapping[str, Any], path: Path, reader: Reader) -> tuple[Json, Json]:
        trial = body.get("trial") if "trial" in self.noun._fields else None
        if isinstance(trial, Mapping) and trial.get("type") == _OF_SWEEP["type"]:
            body = {**body, **trial, "type": body.get("type"), "trial": None}
        return super().split_body(body, path, reader)

    def write(self, noun: Any, writing: Writing) -> Json:
        body = super().write(noun, writing)
        if "trial" in self.noun._fields:
            found: Json = {key: body.pop(key) for key in ("componentId", "component") if key in body}
            if found:
                body["trial"] = {**found, **_OF_SWEEP}
        outputs = vars(noun).get("outputs")
        if outputs:
            body["outputs"] = {
                name: write_output(value, writing, _find_declared_type(noun, name))
                for name, value in outputs.items()
                if value is not None
            }
        return body


def _find_declared_type(step: Any, output: str) -> str:
    component = vars(step).get("component") or vars(step).get("_collects")
    if isinstance(step, ParallelFor) and component is None:
        return "mltable"
    found = component.outputs.get(output) if isinstance(component, Component) else None
    return (found.type if isinstance(found, Output) else None) or DEFAULT_TYPE


_codecs: dict[type[Entity], Codec[Any]] = {}


def find_codec(noun: type[Entity]) -> Codec[Any]:
    """The codec of a class of steps."""
    if noun not in _codecs:
        _codecs[noun] = _make_codec(noun)
    return _codecs[noun]


def _make_codec(noun: type[Entity]) -> Codec[Any]:
    names = {base.__name__ for base in noun.__mro__}
    kind = next((word for word, where in STEPS.items() if where.rpartition(":")[2] in names), "")
    rules = dict(STEP)
    if kind == "command":
        rules["limits"] = make_nested_rule(settings.COMMAND_LIMITS, "limits")
    if kind in _MORE:
        rules.update(import_module(f"smalt.wire.jobs.{_MORE[kind]}").STEP)
    return StepCodec(noun, {name: rule for name, rule in rules.items() if name in noun._fields})


@lru_cache(maxsize=1)
def _list_steps() -> dict[str, str]:
    return {fold_case(word): where for word, where in STEPS.items()}


def find_output_types(jobs: Mapping[str, Node]) -> dict[str, str]:
    """Return by name the types of a pipeline's outputs, taken from the steps' outputs that are bound to them."""
    found: dict[str, str] = {}
    for node in jobs.values():
        for name, value in vars(node).get("outputs", {}).items():
            text = value if isinstance(value, str) else value.path
            binding = parse_binding(text)
            if binding is None or binding.kind != "parent.outputs":
                continue
            own = value.type if isinstance(value, Output) else None
            declared = own or _find_declared_type(node, name)
            found.setdefault(binding.name, declared)
    return found
