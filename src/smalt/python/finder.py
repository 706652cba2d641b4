"""What `import azure.ai.ml…` finds under `smalt python`, in smalt's kernel and after `%load_ext smalt`.

`azure.ai.ml.X` is smalt.X, `azure.identity` and `mldesigner` are ours, whether or not the official packages are
installed. An installed `azure.core` stays, since other packages of Azure's live on it; so do all of `azure.…` that
smalt does not stand in for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType

_ML = "azure.ai.ml"
_OFFICIAL = "1.35.2"
"""The version of azure-ai-ml whose names smalt has."""
_IDENTITY = ("azure.identity", "azure.identity.aio")
_CORE = {
    "azure.core": "core",
    "azure.core.credentials": "core",
    "azure.core.exceptions": "core_exceptions",
    "azure.core.paging": "core",
    "azure.core.polling": "core",
}
"""What stands in for azure.core where it is not installed."""
_DESIGNER = ("smalt.designer", "smalt.dsl", "smalt")
_PUBLIC = ("smalt.entities", "smalt.automl", "smalt.sweep", "smalt.constants", "smalt.dsl", "smalt")
"""Where the names of the official package's private modules are looked for."""
_PRIVATE_WORDS = (
    "automl", "client", "command", "compute", "container_resource_settings", "distributions", "environment",
    "featurization_settings", "forecasting_settings", "image", "import_job", "io", "job", "job_limits",
    "job_resource_configuration", "nlp", "parallel", "pipeline", "pipeline_job", "queue_settings",
    "resource_requirements_settings", "run_settings", "search_space", "service_instance", "spark_job",
    "stack_ensemble_settings", "sweep", "sweep_job", "tabular", "utils", "workspace",
)  # fmt: skip
"""Modules without an underscore that lie below a private one."""
_SDK_V1 = ("core", "data", "exceptions", "pipeline", "train", "widgets")
_IPYTHON = ("IPython", "IPython.display", "IPython.core", "IPython.core.display")


class NotHere(ImportError):
    """A name that smalt does not have; the message is one sentence."""


class Finder:
    """A finder of sys.meta_path, the first of all."""

    def __init__(self) -> None:
        self.for_notebook = False
        """Whether the few names of IPython that notebooks import are to be there without it."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if top == "azure":
            return _azure(name, path)
        if top == "mldesigner":
            return _designer(name)
        if top == "azureml":
            return _azureml(name, path)
        if name == "mlflow":
            return _mlflow(name, path)
        if self.for_notebook and name in _IPYTHON:
            return _installed(name, path) or _forwarding(name, ("smalt.python.display",))
        return None


def install() -> Finder:
    """Put the finder first, and forget what the official packages have loaded already."""
    for finder in sys.meta_path:
        if isinstance(finder, Finder):
            return finder
    for name in list(sys.modules):
        if name.startswith((f"{_ML}.", "azure.identity.", "mldesigner.")) or name in (_ML, _IDENTITY[0], "mldesigner"):
            del sys.modules[name]
    core = sys.modules.get("azure.core.exceptions")
    if core is not None:
        _graft(core)
    finder = Finder()
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    return finder


def uninstall() -> None:
    """Leave what is imported as it is; later imports find the official packages again."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, Finder)]


def _azure(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    if name == _ML or name.startswith(f"{_ML}."):
        return _ml(name)
    if name.startswith("azure.identity"):
        if name in _IDENTITY:
            return _forwarding(name, ("smalt.python.credentials" + name.removeprefix("azure.identity"),))
        raise NotHere(f"smalt has no {name}: its credentials need nothing of it", name=name)
    found = _installed(name, path)
    if found is not None:
        if name == "azure.core.exceptions" and found.loader is not None:
            found.loader = _Then(found.loader, _graft)
        return found
    if name in ("azure", "azure.ai"):
        return ModuleSpec(name, _Made(lambda module: None), is_package=True)
    if name in _CORE:
        spec = _forwarding(name, (f"smalt.python.{_CORE[name]}",))
        if name == "azure.core.exceptions":
            spec.loader = _Then(spec.loader, _graft)
        return spec
    if name.startswith("azure.core."):
        raise NotHere(f"{name} is not installed, and smalt has no such name: pip install azure-core", name=name)
    return None


def _mlflow(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    found = _installed(name, path)
    if found is not None and found.loader is not None and not _is_only_asked():
        from smalt.python.tracking import lead_mlflow

        lead_mlflow()
    return found


def _ml(name: str) -> ModuleSpec:
    inner = name.removeprefix(_ML).removeprefix(".")
    ours = f"smalt.{inner}" if inner else "smalt"
    if inner == "_version":
        return ModuleSpec(name, _Made(lambda module: vars(module).update(VERSION=_version(), __version__=_version())))
    if _exists(ours):
        return _forwarding(name, (ours,), __version__=_version())
    parts = inner.split(".")
    known = next(count for count in range(len(parts) - 1, -1, -1) if _exists(".".join(("smalt", *parts[:count]))))
    rest = parts[known:]
    if _any_private(parts[: known + 1]) and all(part.startswith("_") or part in _PRIVATE_WORDS for part in rest):
        return _forwarding(name, (".".join(("smalt", *parts[:known])), *_PUBLIC))
    raise NotHere(_absent(".".join((_ML, *parts[:-1])), parts[-1]), name=name)


def _any_private(parts: list[str]) -> bool:
    return any(part.startswith("_") for part in parts)


def _absent(module: str, name: str) -> str:
    return f"smalt has no {module}.{name} (it has the public names of azure-ai-ml {_OFFICIAL})"


def _designer(name: str) -> ModuleSpec:
    parts = name.split(".")
    ours = ".".join(("smalt.designer", *parts[1:]))
    if len(parts) == 1 or _exists(ours) or (parts[-1].startswith("_") and len(parts) == 2):
        return _forwarding(name, (ours, *_DESIGNER) if _exists(ours) else _DESIGNER)
    raise NotHere(f"smalt has no {name} yet", name=name)


def _azureml(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    parts = name.split(".")
    asked = _is_only_asked()
    found = None if len(parts) > 1 and parts[1] in _SDK_V1 else _installed(name, path)
    if found is not None or asked:
        return found
    if len(parts) == 1:  # its parts say more
        return ModuleSpec(name, _Made(lambda module: None), is_package=True)
    raise NotHere(
        f"{name} is of SDK v1, whose programs cannot submit jobs to smalt yet (a later version will take them); "
        "scripts inside jobs may import it, and programs for azure.ai.ml run here",
        name=name,
    )


def _is_only_asked() -> bool:
    """Whether it is `importlib.util.find_spec` that wants to know, not an import."""
    frame: Any = sys._getframe(3)
    while frame is not None and "importlib._bootstrap" in frame.f_code.co_filename:
        frame = frame.f_back
    file = frame.f_code.co_filename if frame is not None else ""
    return file == "<frozen importlib.util>" or file.endswith(os.path.join("importlib", "util.py"))


def _installed(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if not isinstance(finder, Finder) and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path)
            if spec is not None:
                return spec
    return None


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _version() -> str:
    from smalt._version import __version__

    return f"{_OFFICIAL}+smalt.{__version__}"


def _forwarding(name: str, sources: tuple[str, ...], **own: Any) -> ModuleSpec:
    """A module whose names are those of `sources`, the first that has it."""

    def fill(module: ModuleType) -> None:
        real = [importlib.import_module(source) for source in sources if _exists(source)]
        vars(module).update(own, __doc__=real[0].__doc__ if real else None)

        def get(wanted: str) -> Any:
            if not wanted.startswith("__") or wanted == "__all__":
                for source in real:
                    if hasattr(source, wanted):
                        return getattr(source, wanted)
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}", name=wanted, obj=module)

        vars(module)["__getattr__"] = get
        vars(module)["__dir__"] = lambda: sorted({*dir(real[0]), *vars(module)}) if real else list(vars(module))

    return ModuleSpec(name, _Made(fill), origin="smalt", is_package=True)


class _Made(Loader):
    """Makes a module without a file."""

    def __init__(self, fill: Callable[[ModuleType], None]) -> None:
        self._fill = fill

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._fill(module)


class _Then(Loader):
    """Another loader, and what is done once its module has run."""

    def __init__(self, loader: Any, after: Callable[[ModuleType], None]) -> None:
        self._loader, self._after = loader, after

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._after(module)


def _graft(module: ModuleType) -> None:
    from smalt.python.raised import graft

    graft(module)
