"""The step that finally writes an output of a nested pipeline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from smalt.entities.jobs.inputs import Output
from smalt.entities.steps.dependencies import get_text
from smalt.entities.steps.step_types import get_component
from smalt.entities.syntax.expression import parse_binding


class Writer(NamedTuple):
    """A step that writes an output of a nested pipeline."""

    steps: tuple[str, ...]
    """The names that lead to it, from the outermost step in the pipeline."""
    output: Output | None
    """The output that it writes; None if it is given another type than its component's, which is told there."""
    has_component: bool


def find_writer(node: Any, name: str, read_component: Callable[[str], Any]) -> Writer | None:
    """Return the step that writes an output of the pipeline that `node` runs.

    None if `node` is no pipeline, if `read_component` does not know its component, or if steps write several types.
    """
    found = list(_find_writers(node, name, read_component, ()))
    types = {one.output.type if one.output is not None else None for one in found}
    return found[0] if len(types) == 1 else None


def _find_writers(
    node: Any, name: str, read_component: Callable[[str], Any], around: tuple[str, ...]
) -> Iterator[Writer]:
    component = _find_component(node, read_component)
    steps = vars(component).get("jobs") if component is not None else None
    for key, step in steps.items() if isinstance(steps, Mapping) else ():
        outputs = vars(step).get("outputs")
        for port, value in outputs.items() if isinstance(outputs, Mapping) else ():
            bound = parse_binding(get_text(value))
            if bound is None or (bound.kind, bound.name) != ("parent.outputs", name):
                continue
            inner = list(_find_writers(step, port, read_component, (*around, key)))
            yield from inner or _describe_writer(step, port, value, read_component, (*around, key))


def _describe_writer(
    step: Any, port: str, value: Any, read_component: Callable[[str], Any], steps: tuple[str, ...]
) -> Iterator[Writer]:
    component = _find_component(step, read_component)
    declared = (getattr(component, "outputs", None) or {}).get(port)
    own = value if isinstance(value, Output) else None
    if component is None and get_component(step) is None and own is not None:
        yield Writer(steps, own, has_component=False)
    elif isinstance(declared, Output):
        is_other = own is not None and own.type not in (None, declared.type)
        yield Writer(steps, None if is_other else declared, has_component=True)


def _find_component(node: Any, read_component: Callable[[str], Any]) -> Any:
    component = get_component(node)
    return read_component(component) if isinstance(component, str) else component
