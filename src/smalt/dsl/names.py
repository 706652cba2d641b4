"""Names of the steps of a pipeline function: those of the variables that hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from smalt.entities.steps.bindings import find_component
from smalt.entities.steps.nodes import Node
from smalt.exceptions import UserErrorException
from smalt.machine.source_lines import find_caller

_DECIDING = {"if_else": "conditionnode", "do_while": "dowhile", "parallel_for": "parallelfor"}
"""Steps of control flow have no component; these are the SDK's names."""
_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def name_steps(pipeline: str, nodes: list[Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The steps by name, in the order in which they were made.

    A step's own `name`, else its variable (the last of several), else that of a step of the same component or the
    component's name, numbered where it is taken.
    """
    named = _name_by_variables(pipeline, nodes, variables)
    counts = dict.fromkeys(named.values(), 1)
    siblings = {_find_base_name(node): named[id(node)] for node in nodes if id(node) in named}
    jobs: dict[str, Any] = {}
    for node in nodes:
        name = named.get(id(node))
        if name is None:
            kind = _find_base_name(node)
            base = siblings.get(kind, kind) if node.name is None else kind
            counts[base] = counts.get(base, 0) + 1
            name = sanitize_name(base) + (f"_{counts[base] - 1}" if counts[base] > 1 else "")
        if name in jobs:
            raise UserErrorException(f"two steps of {pipeline} are called '{name}'; rename one", _find_line(node))
        node.__dict__["_step"] = name
        node.__dict__.pop("name", None)
        jobs[name] = node
    return jobs


def _name_by_variables(pipeline: str, nodes: list[Any], variables: Mapping[str, Any]) -> dict[int, str]:
    ours = {id(node) for node in nodes}
    named: dict[int, str] = {}
    for variable, value in variables.items():
        if id(value) not in ours or not isinstance(value, Node):
            continue
        name = (value.name or variable).lower() if value.name else variable
        if name == "_":
            continue
        if not _NAME.fullmatch(name):
            words = f"a step cannot be called '{name}'; use lower-case letters, digits and '_' in its variable or name"
            raise UserErrorException(words, _find_line(value))
        if name in named.values() and id(value) not in named:
            words = f"two steps of {pipeline} are called '{name}'; rename a variable or one of their names"
            raise UserErrorException(words, _find_line(value))
        named[id(value)] = name
    return named


def _find_line(node: Any) -> tuple[str, int]:
    return vars(node).get("_line") or find_caller()


def _find_base_name(node: Any) -> str:
    """A step's own name, or its component's."""
    if node.name:
        return str(node.name).lower()
    if node.type in _DECIDING:
        return _DECIDING[node.type]
    component = find_component(node)
    if component is not None:
        return component.name or "azureml_anonymous"
    reference = vars(node).get("component") or vars(node).get("trial")
    return reference if isinstance(reference, str) else type(node).__name__.removesuffix("Node").lower()


def sanitize_name(name: str) -> str:
    """Return a name made of any text, as the service's client makes it."""
    text = re.sub(" +", " ", re.sub(r"[\W_]", " ", name.lower())).strip()
    return (f"n{text}" if re.match(r"\d", text) else text).replace(" ", "_")
