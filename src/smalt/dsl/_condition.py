"""`condition()`: which steps run is decided when the pipeline runs."""

from __future__ import annotations

from typing import Any

from smalt.entities.jobs.control_flow import IfElse
from smalt.entities.schema.problems import format_value
from smalt.entities.steps.bindings import NoOutputs, PipelineInput, Promise, StepPromise, find_type
from smalt.entities.steps.calls import get_only_output
from smalt.entities.steps.collector import add_step
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller


def condition(condition: Any, *, true_block: Any = None, false_block: Any = None) -> IfElse:
    """The steps of `true_block` run if the condition is true, else those of `false_block`; each one or a list.

    The condition is a boolean output of a step, a step with one output, an input of the pipeline, or an expression.
    """
    where = find_caller()
    if isinstance(condition, Node):
        condition = get_only_output("condition", condition, where)
    _check_condition(condition, where)
    node = IfElse.__new__(IfElse)
    values = vars(node)
    values["condition"] = condition
    for name, block in (("true_block", true_block), ("false_block", false_block)):
        steps = _find_steps(name, block, where)
        if steps is not None:
            values[name] = steps
    values["outputs"] = NoOutputs(node)
    values["_line"] = where
    add_step(node)
    return node


def _check_condition(condition: Any, where: tuple[str, int]) -> None:
    if isinstance(condition, str) and "${{" not in condition:
        form = "${{parent.jobs.STEP.outputs.NAME}}"
        raise UserErrorException(
            f"the condition is {format_value(condition)}, which is not an expression like '{form}'", where
        )
    if not isinstance(condition, (str, bool, Promise)):
        words = f"the condition must be a boolean output of a step or an expression, not {format_value(condition)}"
        raise UserErrorException(words, where)
    kind = find_type(condition) if isinstance(condition, Promise) else None
    if kind is not None and kind not in PRIMITIVES:
        what = "input of the pipeline" if isinstance(condition, PipelineInput) else "output"
        raise UserErrorException(f"the condition must be a boolean, but that {what} is data ({kind})", where)


def _find_steps(name: str, block: Any, where: tuple[str, int]) -> Any:
    found: list[Any] = []
    for step in block if isinstance(block, (list, tuple)) else () if block is None else (block,):
        if isinstance(step, str) and "${{" not in step:
            words = f"{name} names {format_value(step)}, which is not an expression like '${{{{parent.jobs.STEP}}}}'"
            raise UserErrorException(words, where)
        if not isinstance(step, (Node, str)):
            raise UserErrorException(f"{name} must be a step or a list of steps, not {format_value(step)}", where)
        found.append(step if isinstance(step, str) else StepPromise(step))
    return None if not found else found[0] if len(found) == 1 else found
