"""`parallel_for()`: a step that is run for each of several items."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.control_flow import ParallelFor, get_gathered_type
from smalt.entities.jobs.inputs import Output
from smalt.entities.schema.problems import did_you_mean, format_value, join_words
from smalt.entities.steps.bindings import Promise, StepOutputs, StepPromise, find_component
from smalt.entities.steps.collector import add_step
from smalt.entities.steps.nodes import Node
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller

Where = tuple[str, int]


def parallel_for(*, body: Any, items: Any, max_concurrency: int | None = None, **more: Any) -> ParallelFor:
    """Run the body for each of the items: a list or mapping of its inputs, JSON text, or what a step or an input has.

    What the items give need not be given to the body. `outputs` of the step are those of all iterations: an mltable, or
    for text and numbers JSON text.
    """
    where = find_caller()
    for name in more:
        if name not in ("outputs", "name", "display_name", "description", "tags", "properties", "comment", "type"):
            hint = did_you_mean(name, ("body", "items", "max_concurrency", "outputs"))
            raise UserErrorException(f"parallel_for has no argument '{name}'{hint}", where)
    if not isinstance(body, Node):
        raise UserErrorException(f"the body of parallel_for must be a step, not {format_value(body)}", where)
    component = find_component(body)
    node = ParallelFor.__new__(ParallelFor)
    values = vars(node)
    values["body"] = StepPromise(body)
    _check_items(items, component, where)
    values["items"] = items if isinstance(items, (str, Promise)) else _copy_items(items)
    if max_concurrency is not None:
        if isinstance(max_concurrency, bool) or not isinstance(max_concurrency, int) or max_concurrency < 1:
            words = f"max_concurrency must be an integer of at least 1, not {format_value(max_concurrency)}"
            raise UserErrorException(words, where)
        values["max_concurrency"] = max_concurrency
    values.update({key: value for key, value in more.items() if key not in ("outputs", "type")})
    values["_collects"] = _declare_gathered(component)
    values["outputs"] = StepOutputs(node, more.get("outputs") or {})
    values["_line"] = where
    vars(body)["_loop"] = node
    add_step(node)
    return node


def _copy_items(items: Any) -> Any:
    """A copy, in which promises can be replaced."""
    if isinstance(items, Mapping):
        return {key: _copy_items(item) for key, item in items.items()}
    return [_copy_items(item) for item in items] if isinstance(items, (list, tuple)) else items


def _check_items(items: Any, component: Component | None, where: Where) -> None:
    if isinstance(items, Promise) or (isinstance(items, str) and "${{" in items):
        return
    if isinstance(items, str):
        try:
            items = json.loads(items)
        except ValueError:
            raise UserErrorException(f"the items of parallel_for are no JSON: {format_value(items)}", where) from None
    each = list(items.values()) if isinstance(items, Mapping) else items
    if not isinstance(each, (list, tuple)):
        words = f"the items of parallel_for must be a list or mapping of inputs of the body, not {format_value(items)}"
        raise UserErrorException(words, where)
    if not each:
        raise UserErrorException("parallel_for has no items; give at least one", where)
    for item in each:
        if not isinstance(item, Mapping):
            words = f"each item of parallel_for must be a mapping of inputs of the body, not {format_value(item)}"
            raise UserErrorException(words, where)
        if item.keys() != each[0].keys():
            first, other = (join_words(found, "and") if found else "nothing" for found in (each[0], item))
            raise UserErrorException(f"the items of parallel_for differ: one gives {first}, another {other}", where)
    names = component.inputs if component is not None else each[0]
    for name in each[0]:
        if name not in names:
            words = did_you_mean(name, names) or (f"; it has {join_words(names, 'and')}" if names else "; it has none")
            raise UserErrorException(f"the items give '{name}', but the body has no such input{words}", where)


def _declare_gathered(component: Component | None) -> Component | None:
    """Return the component that stands for the gathered outputs of all iterations."""
    if component is None:
        return None
    return Component(
        name=component.name,
        outputs={name: Output(type=get_gathered_type(found.type)) for name, found in component.outputs.items()},
    )
