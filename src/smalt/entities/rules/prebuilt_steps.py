"""The steps that read other data than its type says: prebuilt ones a file as a table, others a table as a folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from smalt import prebuilt
from smalt.entities.rules.content import MARKERS
from smalt.entities.steps.dependencies import get_text
from smalt.entities.steps.step_types import get_component
from smalt.entities.syntax.expression import find_expressions

_PREFIX = f"azureml://registries/{prebuilt.REGISTRY}/".casefold()


def is_prebuilt(node: Any) -> bool:
    """Return True for a step of a component that comes with smalt; registries are found in any letter case."""
    component = get_component(node)
    reference = component if isinstance(component, str) else getattr(component, "id", None)
    return str(reference).casefold().startswith(_PREFIX)


def takes_files(node: Any, name: str, read_component: Callable[[str], Any]) -> bool:
    """Return True if a table that is given to this input of a job or a step may be a file.

    Prebuilt components read one as a table, and pipelines in which nothing else reads it. `read_component` returns the
    component that a reference names, or None where it is unknown: that may be such a pipeline.
    """
    return _ask_readers(node, name, read_component, lambda step, component, port: False)


def takes_folders(node: Any, name: str, read_component: Callable[[str], Any]) -> bool:
    """Return True if what is given to this input of a job or a step may be any folder, whatever its type.

    Such are the inputs of pipelines whose steps all declare them as folders.
    """
    return _ask_readers(node, name, read_component, _declares_other)


def _ask_readers(
    node: Any, name: str, read_component: Callable[[str], Any], accept: Callable[[Any, Any, str], bool]
) -> bool:
    """Return True if each step that reads the input is prebuilt, unknown, or one that `accept` returns True for."""
    if is_prebuilt(node):
        return True
    component = get_component(node)
    if isinstance(component, str):
        component = read_component(component)
        if component is None:
            return True
    steps = vars(node).get("jobs") or (vars(component).get("jobs") if component is not None else None)
    if not isinstance(steps, Mapping):
        return accept(node, component, name)
    return all(_ask_readers(step, port, read_component, accept) for step, port in _find_readers(steps, name))


def _declares_other(step: Any, component: Any, port: str) -> bool:
    """Return True if a step declares its input as a type that needs no certain file."""
    ports = vars(step).get("inputs") if component is None else getattr(component, "inputs", None)
    form = ports.get(port) if isinstance(ports, Mapping) else None
    type = getattr(form, "type", None)
    return type is not None and type not in MARKERS


def _find_readers(steps: Mapping[str, Any], name: str) -> Iterator[tuple[Any, str]]:
    """Yield the steps that read an input of their pipeline, each with its input that is bound to it."""
    for step in steps.values():
        inputs = vars(step).get("inputs")
        for port, value in inputs.items() if isinstance(inputs, Mapping) else ():
            if any((one.kind, one.name) == ("parent.inputs", name) for one in find_expressions(get_text(value))):
                yield step, port
