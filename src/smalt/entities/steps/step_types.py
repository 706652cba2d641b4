"""The component of a step and the type of the job that runs for it."""

from __future__ import annotations

from typing import Any


def get_component(node: Any) -> Any:
    """Return the component of a step, or the reference to it: of a sweep, that of its trials; else None."""
    return vars(node).get(get_component_key(node))


def get_component_key(node: Any) -> str:
    """Return the key under which a step has its component."""
    values = vars(node)
    return "trial" if values.get("component") is None and values.get("trial") is not None else "component"


def get_step_type(node: Any, component: Any) -> str:
    """Return the type of the job that runs for a step: its component's, unless the step does more than to run that."""
    return str(node.type if vars(node).get("component") is None else component.type)
