"""`do_while()`: a step that is repeated with its own outputs as inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smalt.entities.jobs.control_flow import DoWhile, DoWhileLimits
from smalt.entities.schema.problems import did_you_mean, format_value, join_words
from smalt.entities.schema.reader import Reader
from smalt.entities.steps.bindings import NoOutputs, StepOutput, StepPromise, find_component, find_declared_type
from smalt.entities.steps.collector import add_step
from smalt.entities.steps.nodes import Node
from smalt.entities.syntax.literals import PRIMITIVES
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller

Where = tuple[str, int]


def do_while(body: Any, mapping: Mapping[Any, Any], max_iteration_count: int, condition: Any = None) -> DoWhile:
    """The body runs again while `condition`, a boolean output of it, is true; at most `max_iteration_count` times.

    `mapping` says which outputs of one round are which inputs of the next: `{body.outputs.x: body.inputs.y}`, where the
    names may be texts, and one output may be a list of inputs.
    """
    where = find_caller()
    if not isinstance(body, Node):
        raise UserErrorException(f"the body of do_while must be a step, not {format_value(body)}", where)
    if not isinstance(mapping, Mapping):
        raise UserErrorException(
            f"the mapping of do_while must be outputs to inputs, not {format_value(mapping)}", where
        )
    reader = Reader()
    limits = DoWhileLimits._read_data({"max_iteration_count": max_iteration_count}, (), reader)
    if reader.problems:
        raise UserErrorException(reader.problems[0].message, where)
    node = DoWhile.__new__(DoWhile)
    values = vars(node)
    values["body"] = StepPromise(body)
    if condition is not None:
        values["condition"] = _find_condition(body, condition, where)
    values["mapping"] = {
        key if isinstance(key, StepOutput) and _find_output(body, key, where) else _find_output(body, key, where): [
            _find_input(body, each, where) for each in (value if isinstance(value, (list, tuple)) else [value])
        ]
        for key, value in mapping.items()
    }
    values["limits"] = limits
    values["outputs"] = NoOutputs(node)
    values["_line"] = where
    add_step(node)
    return node


def _find_condition(body: Any, given: Any, where: Any) -> str:
    """Return the name of the body's output that is the condition; data is none."""
    name = _find_output(body, given, where)
    kind = find_declared_type(body, name)
    if kind is not None and kind not in PRIMITIVES:
        raise UserErrorException(f"the condition must be a boolean, but the output '{name}' is data ({kind})", where)
    return name


def _find_output(body: Any, given: Any, where: Where) -> str:
    """The name of an output of the body."""
    names: list[str] = body.outputs.list_names()
    if isinstance(given, StepOutput):
        if given._node is not body:
            words = f"do_while is given the output '{given._port}' of another step; its outputs are those of the body"
            raise UserErrorException(words, where)
        return given._port
    if not isinstance(given, str) or given not in names:
        words = did_you_mean(str(given), names) or f"; it has {join_words(names, 'and') if names else 'none'}"
        raise UserErrorException(f"the body of do_while has no output {format_value(given)}{words}", where)
    return given


def _find_input(body: Any, given: Any, where: Where) -> str:
    """The name of an input of the body, also where its value was asked for: `body.inputs.x`."""
    component = find_component(body)
    names = list(component.inputs) if component is not None else list(body.inputs)
    if isinstance(given, str) and given in names:
        return given
    same = [name for name, value in (*body.inputs.items(), *body.inputs.unset.items()) if value is given]
    same = list(dict.fromkeys(same))
    if len(same) == 1:
        return str(same[0])
    if same:
        words = f"these inputs of the body are all {format_value(given)}: {join_words(same, 'and')}; name one as a text"
        raise UserErrorException(words, where)
    words = (did_you_mean(given, names) if isinstance(given, str) else "") or f"; it has {join_words(names, 'and')}"
    raise UserErrorException(f"the body of do_while has no input {format_value(given)}{words}", where)
