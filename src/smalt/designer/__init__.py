"""Components from functions: the names of `mldesigner`.

`import mldesigner` finds this module in every program that has imported smalt, where mldesigner is not installed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.designer.annotations import Input as Input
    from smalt.designer.annotations import Output as Output
    from smalt.designer.compiling import compile as compile
    from smalt.designer.components import command_component as command_component
    from smalt.designer.executing import execute as execute
    from smalt.designer.references import generate as generate
    from smalt.designer.references import reference_component as reference_component
    from smalt.inside.designer.ports import IOContext as IOContext
    from smalt.inside.designer.ports import Meta as Meta
    from smalt.inside.designer.ports import OutputContext as OutputContext
    from smalt.inside.designer.ports import PipelineContext as PipelineContext
    from smalt.inside.designer.ports import PipelineStage as PipelineStage
    from smalt.inside.designer.ports import get_io_context as get_io_context
    from smalt.inside.designer.ports import get_root_pipeline_context as get_root_pipeline_context

__all__ = [
    "IOContext",
    "Input",
    "Meta",
    "Output",
    "OutputContext",
    "PipelineContext",
    "PipelineStage",
    "command_component",
    "compile",
    "execute",
    "generate",
    "get_io_context",
    "get_root_pipeline_context",
    "reference_component",
]

_HERE = {
    "Input": "annotations",
    "Output": "annotations",
    "command_component": "components",
    "compile": "compiling",
    "execute": "executing",
    "generate": "references",
    "reference_component": "references",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'smalt.designer' has no attribute {name!r}")
    from importlib import import_module

    home = f"smalt.designer.{_HERE[name]}" if name in _HERE else "smalt.inside.designer.ports"
    value = globals()[name] = getattr(import_module(home), name)
    return value
