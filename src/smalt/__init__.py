"""smalt: Azure Machine Learning v2 jobs, on your own machines.

Names are loaded when they are first used, so that `import smalt` costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt._version import __version__

if TYPE_CHECKING:
    from smalt.client.client import MLClient
    from smalt.dsl.builders import command
    from smalt.entities.inputs import Input, Output

__all__ = ["Input", "MLClient", "Output", "__version__", "command"]

_WHERE = {
    "MLClient": "smalt.client.client",
    "Input": "smalt.entities.inputs",
    "Output": "smalt.entities.inputs",
    "command": "smalt.dsl.builders",
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'smalt' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_WHERE[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
