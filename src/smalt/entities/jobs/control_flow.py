"""Steps that decide which other steps run, and how often."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.inputs import JOB_INPUTS
from smalt.entities.schema.effects import KEPT, REFUSED
from smalt.entities.schema.entity import Entity, constant, optional, required
from smalt.entities.schema.nested import Nested
from smalt.entities.schema.shapes import Boolean, Integer, List, Map, Text
from smalt.entities.steps.nodes import Node


class ControlFlowNode(Node):
    noun = "a control flow step"
    _effect = REFUSED


class IfElse(ControlFlowNode):
    noun = "an if_else step"

    type = constant("if_else", "The type of step.")
    condition = required(Boolean() | Text(), "The condition: true, false or an output of a step.")
    true_block = optional(Text() | List(Text()), "The steps that run if it is true, as `${{parent.jobs.NAME}}`.")
    false_block = optional(Text() | List(Text()), "The steps that run if it is false.")


class DoWhileLimits(Entity):
    noun = "limits of a do_while step"
    _effect = KEPT

    max_iteration_count = required(Integer(at_least=1, at_most=1000), "The largest number of iterations.")


class DoWhile(ControlFlowNode):
    noun = "a do_while step"

    type = constant("do_while", "The type of step.")
    body = required(Text(), "The step that is repeated, as `${{parent.jobs.NAME}}`.")
    condition = optional(Text(), "The output of the body that says whether it goes on.")
    mapping = required(Map(Text() | List(Text())), "Outputs of the body to the inputs that they become.")
    limits = required(Nested(DoWhileLimits), "The largest number of iterations.")


class ParallelFor(ControlFlowNode):
    noun = "a parallel_for step"

    type = constant("parallel_for", "The type of step.")
    body = required(Text(), "The step that is repeated, as `${{parent.jobs.NAME}}`.")
    items = required(
        Text() | List(Map(JOB_INPUTS.item)) | Map(Map(JOB_INPUTS.item)),
        "The inputs of each repetition: a list or mapping of them, or JSON text, or an expression.",
    )
    max_concurrency = optional(Integer(at_least=1), "Repetitions at a time.")


_STEP = re.compile(r"\$\{\{\s*parent\.jobs\.([^.\s}]+)\s*\}\}")


def find_repeated_steps(jobs: Mapping[str, Any]) -> set[str]:
    """Return the names of the steps that a `parallel_for` repeats and gives inputs to."""
    bodies = (each.body for each in jobs.values() if isinstance(each, ParallelFor) and isinstance(each.body, str))
    return {found[1] for body in bodies if (found := _STEP.fullmatch(body.strip()))}
