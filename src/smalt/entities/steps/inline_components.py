"""A step that has its command in place, and the component that it would be."""

from __future__ import annotations

from typing import Any

from smalt.entities.assets.component import Component
from smalt.entities.jobs.inputs import Input, Output
from smalt.entities.schema.kinds import COMPONENTS
from smalt.entities.schema.nested import noun_class
from smalt.entities.syntax.literals import python_type

_TOLD = ("name", "display_name", "description", "tags")
_MOVED = (
    *("command", "code", "environment", "distribution", "resources", "task", "input_data", "entry", "py_files", "jars"),
    *("files", "archives", "conf", "args", "is_deterministic", "data_copy_mode", "mini_batch_size", "partition_keys"),
    *("logging_level", "retry_settings", "max_concurrency_per_instance", "error_threshold"),
    *("mini_batch_error_threshold", "version"),
)


def made_of(node: Any) -> Component:
    """The component: what is given to the step as an input is the input's default there."""
    noun = noun_class(COMPONENTS[node.type])
    values = {name: vars(node)[name] for name in (*_TOLD, *_MOVED) if vars(node).get(name) and name in noun._fields}
    if "is_deterministic" in vars(node):
        values["is_deterministic"] = vars(node)["is_deterministic"]
    component = noun(
        **values,
        inputs={name: declared(value) for name, value in node.inputs.items()},
        outputs={name: _output(value) for name, value in node.outputs.items()},
    )
    component.source_path = node.source_path
    return component  # type: ignore[return-value]


def declared(value: Any) -> Input:
    """An input's declaration from what it is given."""
    if isinstance(value, Input):
        kept = {key: item for key, item in vars(value).items() if key not in ("path", "path_on_compute", "datastore")}
        return Input(**{"type": "uri_folder", **kept})
    kind = python_type(value)
    return Input(type="string") if kind is None else Input(type=kind, default=value)


def _output(value: Any) -> Output:
    if not isinstance(value, Output):
        return Output(type="uri_folder")
    kept = {key: item for key, item in vars(value).items() if key in ("type", "mode", "description")}
    return Output(**{"type": "uri_folder", **kept})
