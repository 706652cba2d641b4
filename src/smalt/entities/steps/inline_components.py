"""The component that an inline command amounts to."""

from __future__ import annotations

from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.schema.kinds import COMPONENTS
from smalt.entities.schema.nested import load_noun
from smalt.entities.schema.travel import Travel, list_values
from smalt.entities.syntax.literals import find_literal_type


def make_component(node: Any) -> Component:
    """Return the component; values given to the step become defaults of its inputs."""
    noun = load_noun(COMPONENTS[node.type])
    values = {
        name: value
        for name, value in list_values(node, Travel.COMPONENT)
        if name in noun._fields and (value or value == 0)
    }
    if vars(node).get("version"):
        values["version"] = vars(node)["version"]
    component = noun(
        **values,
        inputs={name: declare_input(value) for name, value in node.inputs.items()},
        outputs={name: _declare_output(value) for name, value in node.outputs.items()},
    )
    component.source_path = node.source_path
    return component  # type: ignore[return-value]


def declare_input(value: Any) -> Input:
    """Return the declaration of an input from its value."""
    if isinstance(value, Input):
        kept = {key: item for key, item in vars(value).items() if key not in ("path", "path_on_compute", "datastore")}
        return Input(**{"type": "uri_folder", **kept})
    kind = find_literal_type(value)
    return Input(type="string") if kind is None else Input(type=kind, default=value)


def _declare_output(value: Any) -> Output:
    if not isinstance(value, Output):
        return Output(type="uri_folder")
    kept = {key: item for key, item in vars(value).items() if key in ("type", "mode", "description")}
    return Output(**{"type": "uri_folder", **kept})
