"""Import hooks for `mldesigner`, `smalt` and `azure.ai.ml` in a job where they are not installed.

A component's function lies in a file that imports them. Everything that the file needs to be imported is here; names
that only the submitting program uses can be imported and raise an error when they are used.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_file_location

from .errors import UserErrorException
from .executor import LOADING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType, ModuleType
    from typing import Any, NoReturn

_OURS = {
    **dict.fromkeys(
        ("Input", "Output", "Meta", "IOContext", "OutputContext", "get_io_context", "PipelineContext",
         "PipelineStage", "get_root_pipeline_context"), "ports"),
    **dict.fromkeys(("command_component", "execute", "reference_component", "group", "pipeline"), "decorators"),
}  # fmt: skip

_DESIGNER = "Input Output Meta command_component execute reference_component IOContext OutputContext get_io_context "
_DESIGNER += "PipelineContext PipelineStage get_root_pipeline_context compile generate"
_SUBMODULES = ("automl", "constants", "entities", "exceptions", "identity", "parallel", "sweep")
_MODULES = {
    "mldesigner": _DESIGNER,
    "mldesigner.dsl": "group",
    "smalt.designer": _DESIGNER,
    "smalt.designer.dsl": "group",
    "azure": "",
    "azure.ai": "",
    "azure.identity": "",
    **dict.fromkeys(("smalt", "azure.ai.ml"), "Input Output"),
    **dict.fromkeys(("smalt.dsl", "azure.ai.ml.dsl"), "group pipeline command_component"),
    **{root + "." + name: "" for root in ("smalt", "azure.ai.ml") for name in _SUBMODULES},
}
_PACKAGES = ("mldesigner", "smalt", "smalt.designer", "azure", "azure.ai", "azure.ai.ml")
_BESIDE_OTHERS = ("azure.ai", "azure.ai.ml", "azure.identity")
"""Ours also where other packages of `azure` are installed."""
_OWN = (__file__, getattr(sys.modules.get("sitecustomize"), "__file__", ""))
_PROGRAMS = ("mldesigner.__main__", "mldesigner.executor")


def find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Return the spec of an `mldesigner…`, `smalt…` or `azure…` module; None for a module that is not served here."""
    if name not in _MODULES and name not in _PROGRAMS:
        return None
    parent = name.rpartition(".")[0]
    if parent and name not in _BESIDE_OTHERS and not hasattr(sys.modules.get(parent), "__smalt__"):
        return None  # an installed package's own
    if _is_installed(name, path) or (name.startswith("azure") and not _is_component_import()):
        return None
    if name in _PROGRAMS:
        return spec_from_file_location(name, os.path.join(os.path.dirname(os.path.abspath(__file__)), "__main__.py"))
    return ModuleSpec(name, _DesignerLoader(), is_package=name in _PACKAGES)


def _is_component_import() -> bool:
    """Return True if a component's file imports, and not a package that only checks what is installed."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and ("importlib" in frame.f_code.co_filename or frame.f_code.co_filename in _OWN):
        if frame.f_code.co_filename.endswith(("util.py", "importlib.util>")):
            return False  # find_spec() asks
        frame = frame.f_back
    return LOADING in os.environ and frame is not None and "-packages" not in frame.f_code.co_filename


def _is_installed(name: str, path: Sequence[str] | None) -> bool:
    """A mere folder of that name is not a package that anyone meant, but where `azure…` has its packages."""
    for finder in sys.meta_path:
        if getattr(finder, "__name__", "") != "SmaltFinder" and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path)
            if spec is not None and (name in ("azure", "azure.ai") or spec.origin is not None):
                return True
    return False


class _DesignerLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        names = _MODULES[module.__name__].split()
        vars(module).update(
            __smalt__=True,
            __doc__="What a job needs of it, by smalt.",
            __all__=names,
            __getattr__=lambda wanted: _resolve_name(module, wanted),
        )


def _resolve_name(module: ModuleType, wanted: str) -> Any:
    if wanted.startswith("__"):
        raise AttributeError(wanted)
    home = _OURS.get(wanted)
    found = (
        getattr(import_module("." + home, __package__), wanted)
        if home
        else _make_annotation_class(module.__name__, wanted)
    )
    setattr(module, wanted, found)
    return found


class _AnnotationOnly(type):
    """A metaclass of names that can only be imported, so that annotations go on working."""

    words = ""

    def __call__(cls, *_: Any, **__: Any) -> NoReturn:
        raise UserErrorException(cls.words)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return name  # a constant: AssetTypes.URI_FOLDER


def _make_annotation_class(module: str, name: str) -> type:
    words = "{0}.{1} belongs to the program that submits jobs, and this is a job; put that program below "
    words += "'if __name__ == \"__main__\":', or in a file of its own"
    made: type = _AnnotationOnly(name, (), {"words": words.format(module, name), "__module__": module})
    return made
