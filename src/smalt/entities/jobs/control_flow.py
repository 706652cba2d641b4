"""Steps that decide which other steps run, and how often."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.inputs import JOB_INPUTS, STEP_OUTPUTS
from smalt.entities.schema.effects import ACTED, KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, mapping, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Boolean, Integer, List, Map, Text
from smalt.entities.schema.travel import Travel
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.expression import parse_binding
from smalt.entities.syntax.literals import PRIMITIVES


class ControlFlowNode(Node):
    noun = "a control flow step"

    inputs = mapping(JOB_INPUTS, "Those of the steps in its blocks count.", effect=REFUSED, travels=Travel.NOWHERE)
    outputs = mapping(STEP_OUTPUTS, "Those of the steps in its blocks count.", effect=REFUSED, travels=Travel.NOWHERE)


class IfElse(ControlFlowNode):
    noun = "an if_else step"

    type = constant("if_else", "The type of step.")
    condition = required(Boolean() | Text(), "The condition: true, false or an output of a step.", effect=ACTED)
    true_block = optional(
        Text() | List(Text()), "The steps that run if it is true, as `${{parent.jobs.NAME}}`.", effect=ACTED
    )
    false_block = optional(Text() | List(Text()), "The steps that run if it is false.", effect=ACTED)


class DoWhileLimits(Entity):
    noun = "limits of a do_while step"
    _effect = KEPT

    max_iteration_count = required(Integer(at_least=1, at_most=1000), "The largest number of iterations.", effect=ACTED)


class DoWhile(ControlFlowNode):
    noun = "a do_while step"

    type = constant("do_while", "The type of step.")
    body = required(Text(), "The step that is repeated, as `${{parent.jobs.NAME}}`.", effect=ACTED)
    condition = optional(
        Boolean() | Text(),
        "The output of the body that is true while it goes on; it always goes on if unset.",
        effect=ACTED,
    )
    mapping = required(Map(Text() | List(Text())), "Outputs of the body to the inputs that they become.", effect=ACTED)
    limits = required(Nested(DoWhileLimits), "The largest number of iterations.", effect=ACTED)


class ParallelFor(ControlFlowNode):
    noun = "a parallel_for step"

    type = constant("parallel_for", "The type of step.")
    body = required(Text(), "The step that runs for each item, as `${{parent.jobs.NAME}}`.", effect=ACTED)
    items = required(
        Text() | List(Map(JOB_INPUTS.item)) | Map(Map(JOB_INPUTS.item)),
        "The inputs of the body in each iteration: a list or mapping of them, JSON text, or an expression.",
        effect=ACTED,
    )
    max_concurrency = optional(Integer(at_least=1), "The largest number of iterations at a time.", effect=ACTED)
    outputs = mapping(
        STEP_OUTPUTS,
        "The outputs of the body, gathered from all iterations.",
        effect=ACTED,
        travels=Travel.NOWHERE,
    )


_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.([^.\s}]+)\s*\}\}")
_PORT = re.compile(r"\$\{\{\s*parent\.jobs\.[^.\s}]+\.(?:inputs|outputs)\.([^\s}]+)\s*\}\}")


def find_repeated_steps(jobs: Mapping[str, Any]) -> set[str]:
    """Return the names of the steps that a `parallel_for` repeats and gives inputs to."""
    bodies = (each.body for each in jobs.values() if isinstance(each, ParallelFor))
    return {name for body in bodies for name in _find_step_names(body)}


def list_item_inputs(items: Any) -> list[str] | None:
    """Return the inputs that items as they are written give; None if it is not known yet."""
    try:
        found = parse_items(items)
    except ValueError:
        return None
    first = next(iter(item for _, item in list_items(found)), None) if isinstance(found, (list, Mapping)) else None
    return [str(name) for name in first] if isinstance(first, Mapping) else None


def find_item_inputs(jobs: Mapping[str, Any]) -> dict[str, list[str] | None]:
    """Return by step that a loop repeats the inputs that its items give; `jobs` are as in the document."""
    return {
        name: list_item_inputs(each.get("items"))
        for each in jobs.values()
        if isinstance(each, Mapping) and each.get("type") == "parallel_for"
        for name in _find_step_names(each.get("body"))
    }


def parse_items(items: Any) -> Any:
    """Return the items of a `parallel_for`; those of JSON text as a list or mapping. ValueError if it is not JSON."""
    return parse_json_items(items) if isinstance(items, str) and parse_binding(items) is None else items


def parse_json_items(text: str) -> Any:
    """Return the items in JSON text; raise ValueError also for a key that is given twice, of which JSON keeps one.

    Numbers that JSON does not have, which Python reads, are errors, too: a command would be given `nan` or `inf`.
    """

    def make_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) < len(pairs):
            twice = next(key for number, (key, _) in enumerate(pairs) if key in dict(pairs[:number]))
            raise ValueError(f"the key {twice!r} is given twice")
        return made

    def refuse_constant(name: str) -> None:
        raise ValueError(f"{name} is no number of JSON")

    def parse_float(digits: str) -> float:
        if math.isinf(float(digits)):
            raise ValueError(f"the number {digits} is too large")
        return float(digits)

    return json.loads(text, object_pairs_hook=make_mapping, parse_constant=refuse_constant, parse_float=parse_float)


def list_items(items: list[Any] | Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return (key, item) of each item; the items of a list are numbered from 1."""
    if isinstance(items, Mapping):
        return list(items.items())
    return [(str(number), item) for number, item in enumerate(items, 1)]


def get_gathered_type(type: str | None) -> str:
    """Return the type in which a `parallel_for` has the outputs of its iterations that are of this type."""
    return "string" if type in PRIMITIVES else "mltable"


def find_body(node: ParallelFor, steps: Mapping[str, Any]) -> Any:
    """Return the step that a `parallel_for` repeats; None if there is none of that name."""
    return steps.get(next(iter(_find_step_names(node.body)), ""))


def find_gatherers(steps: Mapping[str, Any]) -> dict[str, str]:
    """Return the name of the `parallel_for` that repeats each step, by the step; the first if several do."""
    found: dict[str, str] = {}
    for name, one in steps.items():
        for step in find_blocks(one)["body"] if isinstance(one, ParallelFor) else ():
            found.setdefault(step, name)
    return found


def find_blocks(node: Any) -> dict[str, list[str]]:
    """Return the names of the steps in each block of a step of control flow; nothing for other steps."""
    if isinstance(node, IfElse):
        return {"true_block": _find_step_names(node.true_block), "false_block": _find_step_names(node.false_block)}
    return {"body": _find_step_names(node.body)} if isinstance(node, (DoWhile, ParallelFor)) else {}


def find_owners(jobs: Mapping[str, Any]) -> dict[str, str]:
    """Return by step the step of control flow that decides whether, or how often, it runs."""
    return {
        step: name
        for name, node in jobs.items()
        for block in find_blocks(node).values()
        for step in block
        if step in jobs and step != name
    }


def find_outermost(step: str, owners: Mapping[str, str]) -> str:
    """Return the step of control flow around a step that is in no block itself; the step if it is in none."""
    seen = {step}
    while step in owners and owners[step] not in seen:
        step = owners[step]
        seen.add(step)
    return step


def parse_port_name(text: str) -> str:
    """Return the name of an output or input of a loop's body, which may be written as an expression."""
    found = _PORT.fullmatch(text.strip())
    return found[1] if found else text


def find_mapped_texts(node: DoWhile) -> list[str]:
    """Return the inputs of the body in the mapping, as they are written."""
    return [text for names in node.mapping.values() for text in ([names] if isinstance(names, str) else names)]


def find_mapped_inputs(node: DoWhile) -> dict[str, str]:
    """Return by input of the body the output of the last iteration that it is given."""
    return {
        parse_port_name(name): parse_port_name(output)
        for output, names in node.mapping.items()
        for name in ([names] if isinstance(names, str) else names)
    }


def _find_step_names(block: Any) -> list[str]:
    texts = block if isinstance(block, list) else [block]
    return [found[1] for text in texts if isinstance(text, str) and (found := _STEP.fullmatch(text.strip()))]
