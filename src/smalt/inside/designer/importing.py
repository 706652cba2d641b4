"""What `import mldesigner` and `import smalt` find in a job where they are not installed.

A component's function lies in a file that imports them; what that file needs to be imported is here, and what only the
submitting program uses can be imported and says so when it is used.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location

from .errors import UserErrorException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType
    from typing import Any, NoReturn

_OURS = {
    **dict.fromkeys(
        ("Input", "Output", "Meta", "IOContext", "OutputContext", "get_io_context", "PipelineContext",
         "PipelineStage", "get_root_pipeline_context"), "ports"),
    **dict.fromkeys(("command_component", "execute", "reference_component", "group", "pipeline"), "decorators"),
}  # fmt: skip

_DESIGNER = "Input Output Meta command_component execute reference_component IOContext OutputContext get_io_context "
_MODULES = {
    "mldesigner": _DESIGNER + "PipelineContext PipelineStage get_root_pipeline_context compile generate",
    "mldesigner.dsl": "group pipeline command_component",
    "smalt": "Input Output",
    "smalt.designer": _DESIGNER + "PipelineContext PipelineStage get_root_pipeline_context compile generate",
    "smalt.dsl": "group pipeline command_component",
    "smalt.entities": "",
    "smalt.constants": "",
}
_PACKAGES = ("mldesigner", "smalt")
_PROGRAMS = ("mldesigner.__main__", "mldesigner.executor")


def find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Of any `mldesigner…` or `smalt…`; None where it is not ours to answer."""
    if name not in _MODULES and name not in _PROGRAMS:
        return None
    parent = name.rpartition(".")[0]
    if parent and not hasattr(sys.modules.get(parent), "__smalt__"):
        return None  # an installed package's own
    if _is_installed(name, path):
        return None
    if name in _PROGRAMS:
        return spec_from_file_location(name, os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py"))
    return ModuleSpec(name, _Loader(), is_package=name in _PACKAGES)


def _is_installed(name: str, path: Sequence[str] | None) -> bool:
    """A mere folder of that name is no package that anyone meant."""
    for finder in sys.meta_path:
        if getattr(finder, "__name__", "") != "SmaltFinder" and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path)
            if spec is not None and spec.loader is not None and spec.origin is not None:
                return True
    return False


class _Loader(Loader):
    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        names = _MODULES[module.__name__].split()
        vars(module).update(
            __smalt__=True,
            __doc__="What a job needs of it, by smalt.",
            __all__=names,
            __getattr__=lambda wanted: _resolve(module, wanted),
        )


def _resolve(module: ModuleType, wanted: str) -> Any:
    if wanted.startswith("__"):
        raise AttributeError(wanted)
    home = _OURS.get(wanted)
    found = getattr(import_module("." + home, __package__), wanted) if home else _elsewhere(module.__name__, wanted)
    setattr(module, wanted, found)
    return found


class _Refusing(type):
    """Of names that can be imported only, so that annotations go on working."""

    words = ""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException(cls.words)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return name  # a constant: AssetTypes.URI_FOLDER


def _elsewhere(module: str, name: str) -> type:
    words = "{0}.{1} belongs to the program that submits jobs, and this is a job; put that program below "
    words += "'if __name__ == \"__main__\":', or in a file of its own"
    made: type = _Refusing(name, (), {"words": words.format(module, name), "__module__": module})
    return made
