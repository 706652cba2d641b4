"""What `import mldesigner` finds in a program of smalt's where mldesigner is not installed."""

from __future__ import annotations

from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MODULES = {"mldesigner": "smalt.designer", "mldesigner.dsl": "smalt.designer.dsl"}


def find_spec(name: str) -> ModuleSpec | None:
    return ModuleSpec(name, _Loader(), is_package=name == "mldesigner") if name in _MODULES else None


class _Loader(Loader):
    """A module of another name for what smalt has."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        ours: Any = import_module(_MODULES[module.__name__])
        vars(module).update(__doc__=ours.__doc__, __all__=ours.__all__, __getattr__=lambda name: getattr(ours, name))
