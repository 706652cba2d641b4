"""Checks that a step does not repeat what only its component can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.entities.jobs.inputs import Output
from smalt.entities.schema.problems import Path

if TYPE_CHECKING:
    from smalt.entities.assets.component import Component
    from smalt.entities.schema.reader import Reader

OF_COMPONENT = ("command", "code")
"""The keys that only the component sets; a step may override `environment` and others."""


def describe_override(key: str) -> str:
    """Return the sentence about a step that sets a key of its component."""
    return f"a step of a component has the component's {key}; change the component, or write a step without one"


def check_overrides(step: Any, component: Component | None, path: Path, reader: Reader) -> None:
    """Report a command or code that differs from the component's; of an unknown component, any."""
    for key in OF_COMPONENT:
        own = vars(step).get(key)
        if own is not None and (component is None or own != vars(component).get(key)):
            reader.add_problem((*path, key), describe_override(key), at_key=True)


def check_output_type(said: Any, declared: Any, path: Path, reader: Reader) -> None:
    """Report an output type that differs from the component's. Clients send `uri_folder` for an unset type."""
    types = [one.type for one in (said, declared) if isinstance(one, Output) and one.type not in (None, "uri_folder")]
    if len(types) == 2 and types[0] != types[1]:
        words = f"the component writes this output as {types[1]}, not as {types[0]}; change the component"
        reader.add_problem((*path, "type"), words)
