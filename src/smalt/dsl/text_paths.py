"""Text that is given to a pipeline's parameter without a type and read as data: a path, as in a file."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import ASSETS, Input
from smalt.entities.steps.bindings import PipelineInput, find_component
from smalt.entities.steps.dependencies import get_text
from smalt.entities.syntax.expression import has_expression, parse_binding

if TYPE_CHECKING:
    from smalt.dsl.parameters import Signature


def declare_paths(component: Any, signature: Signature, given: Mapping[str, Any]) -> None:
    """Declare as data each input without an annotation that has text and that all steps read as data."""
    for name, declared in component.inputs.items():
        parameter = signature.parameters.get(name)
        value = given.get(name)
        value = value.result() if isinstance(value, PipelineInput) else value
        text = declared.default if value is None else value
        if not isinstance(text, str) or (parameter is not None and parameter.annotation is not inspect.Parameter.empty):
            continue
        types = list(_find_reading_types(component.jobs, name))
        if types and all(type in ASSETS for type in types):
            component.inputs[name] = Input(**{**vars(declared), "type": types[0]})


def convert_text(name: str, value: Any, inputs: Mapping[str, Any]) -> Any:
    """Return text for an input that is data as an Input with that path, and any other value as it is."""
    declared = inputs.get(name)
    if not isinstance(declared, Input) or declared.type not in ASSETS or not isinstance(value, str):
        return value
    return value if has_expression(value) else Input(type=declared.type, path=value)


def _find_reading_types(steps: Mapping[str, Any], name: str) -> Iterator[str | None]:
    """Yield the type that each step declares of an input that is given the pipeline's input of that name."""
    for step in steps.values():
        component = find_component(step)
        for port, value in (vars(step).get("inputs") or {}).items():
            bound = parse_binding(get_text(value))
            if bound is not None and (bound.kind, bound.name) == ("parent.inputs", name):
                declared = component.inputs.get(port) if component is not None else None
                yield declared.type if isinstance(declared, Input) else None
