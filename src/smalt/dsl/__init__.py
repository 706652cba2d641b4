"""The verbs that make entities in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.designer.components import command_component as command_component
    from smalt.dsl._condition import condition as condition
    from smalt.dsl._do_while import do_while as do_while
    from smalt.dsl._parallel_for import parallel_for as parallel_for
    from smalt.dsl.groups import group as group
    from smalt.dsl.pipelines import pipeline as pipeline
    from smalt.dsl.pipelines import set_pipeline_settings as set_pipeline_settings

__all__ = ["pipeline"]

_WHERE = {
    "condition": "dsl._condition",
    "do_while": "dsl._do_while",
    "parallel_for": "dsl._parallel_for",
    "command_component": "designer.components",
    "group": "dsl.groups",
    "pipeline": "dsl.pipelines",
    "set_pipeline_settings": "dsl.pipelines",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'smalt.dsl' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"smalt.{_WHERE[name]}"), name)
    return value
