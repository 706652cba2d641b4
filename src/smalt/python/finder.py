"""The import finder of `smalt python`, smalt's kernel and `%load_ext smalt`, for `azure.ai.ml` and `azureml`.

`azure.ai.ml.X` is smalt.X, `azureml.X` is SDK v1 by `smalt.v1`, `azure.identity` and `mldesigner` are ours, whether or
not the official packages are installed. An installed `azure.core` stays, since other Azure packages depend on it; so
does every `azure.…` and `azureml.…` that smalt does not stand in for.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

from smalt.python.private_modules import PUBLIC, ModuleBuilder, is_private, make_forwarding_spec

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
"""The module that stands in for azure.core where it is not installed."""
_FILES = ("azureml.fsspec", "azureml.fsspec.spec")
"""The package of v2 that lists, uploads and downloads files; its library would call hosts of Azure."""
_DESIGNER = ("smalt.designer", "smalt.dsl", *PUBLIC)
_IPYTHON = ("IPython", "IPython.display", "IPython.core", "IPython.core.display")


class MissingNameError(ImportError):
    """A name that smalt does not have; the message is one sentence."""


class ImportFinder:
    """A finder of sys.meta_path, the first of all."""

    def __init__(self) -> None:
        self.for_notebook = False
        """True if the few names of IPython that notebooks import exist without it."""

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        top = name.partition(".")[0]
        if top == "azure":
            return _find_azure(name, path)
        if top == "mldesigner":
            return _find_designer(name)
        if top == "azureml":
            return _find_azureml(name, path)
        if name == "mlflow":
            return _find_mlflow(name, path)
        if name == "mltable" or name.startswith("mltable."):
            return _find_mltable(name, path)
        if self.for_notebook and name in _IPYTHON:
            return _find_installed(name, path) or make_forwarding_spec(name, ("smalt.python.display",))
        return None


def install_finder() -> ImportFinder:
    """Put the finder first, and forget what the official packages have loaded already."""
    for finder in sys.meta_path:
        if isinstance(finder, ImportFinder):
            return finder
    for name in list(sys.modules):
        if any(name == top or name.startswith(f"{top}.") for top in (_ML, _IDENTITY[0], "mldesigner", "azureml")):
            del sys.modules[name]
    core = sys.modules.get("azure.core.exceptions")
    if core is not None:
        _add_bases(core)
    finder = ImportFinder()
    sys.meta_path.insert(0, finder)
    importlib.invalidate_caches()
    return finder


def remove_finder() -> None:
    """Leave what is imported as it is; later imports find the official packages again."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, ImportFinder)]


def _find_azure(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    if name == _ML or name.startswith(f"{_ML}."):
        return _find_ml(name)
    if name.startswith("azure.identity"):
        if name in _IDENTITY:
            return make_forwarding_spec(name, ("smalt.python.credentials" + name.removeprefix("azure.identity"),))
        raise MissingNameError(f"smalt has no {name}: its credentials need nothing of it", name=name)
    found = _find_installed(name, path)
    if found is not None:
        if name == "azure.core.exceptions" and found.loader is not None:
            found.loader = _FollowUpLoader(found.loader, _add_bases)
        return found
    if name in ("azure", "azure.ai"):
        return ModuleSpec(name, ModuleBuilder(lambda module: None), is_package=True)
    if name in _CORE:
        spec = make_forwarding_spec(name, (f"smalt.python.{_CORE[name]}",))
        if name == "azure.core.exceptions":
            spec.loader = _FollowUpLoader(spec.loader, _add_bases)
        return spec
    if name.startswith("azure.core."):
        raise MissingNameError(
            f"{name} is not installed, and smalt has no such name: pip install azure-core", name=name
        )
    return None


def _find_mlflow(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    found = _find_installed(name, path)
    if found is not None and found.loader is not None and not _is_only_asked():
        from smalt.python.tracking import set_mlflow_variables

        set_mlflow_variables()
    return found


def _find_mltable(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """smalt's own, which jobs have as well; the installed one where polars, which smalt's needs, is not there."""
    ours = f"smalt.{name}"
    if importlib.util.find_spec("polars") is not None and _has_module(ours):
        spec = make_forwarding_spec(name, (ours,))
        if name == "mltable":
            spec.loader = _FollowUpLoader(spec.loader, _fetch_tables)
        return spec
    found = _find_installed(name, path)
    if found is None and not _is_only_asked():
        raise MissingNameError("smalt's mltable needs polars and pandas: pip install polars pandas pyarrow", name=name)
    return found


def _fetch_tables(_: ModuleType) -> None:
    """Have tables of a program, which is no job, read from datastores by way of the server."""
    locations: Any = importlib.import_module("smalt.mltable.locations")
    locations.FETCHERS[:] = [importlib.import_module("smalt.client.transfers.filesystem").fetch_uri]


def _find_ml(name: str) -> ModuleSpec:
    inner = name.removeprefix(_ML).removeprefix(".")
    ours = f"smalt.{inner}" if inner else "smalt"
    if inner == "_version":
        return ModuleSpec(
            name, ModuleBuilder(lambda module: vars(module).update(VERSION=_get_version(), __version__=_get_version()))
        )
    parts = inner.split(".")
    if _has_module(ours):
        sources = (ours, *PUBLIC) if any(part.startswith("_") for part in parts) else (ours,)
        return make_forwarding_spec(name, sources, __version__=_get_version())
    if is_private(name):
        return make_forwarding_spec(name, (_find_nearest(parts), *PUBLIC))
    raise MissingNameError(_make_absent_name(".".join((_ML, *parts[:-1])), parts[-1]), name=name)


def _find_nearest(parts: list[str]) -> str:
    """The module of smalt on the way there that is the last to exist."""
    ways = (".".join(("smalt", *parts[:count])) for count in range(len(parts), -1, -1))
    return next(way for way in ways if _has_module(way))


def _make_absent_name(module: str, name: str) -> str:
    return f"smalt has no {module}.{name} (it has the public names of azure-ai-ml {_OFFICIAL})"


def _find_designer(name: str) -> ModuleSpec:
    parts = name.split(".")
    ours = ".".join(("smalt.designer", *parts[1:]))
    if _has_module(ours):
        return make_forwarding_spec(name, (ours, *_DESIGNER))
    if is_private(name):
        return make_forwarding_spec(name, _DESIGNER)
    raise MissingNameError(f"smalt has no {name}", name=name)


def _find_azureml(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """SDK v1 as smalt serves it, whether or not it is installed; what smalt does not serve may be installed."""
    from smalt.v1 import modules

    asked = _is_only_asked()
    if name in _FILES and not asked:
        return make_forwarding_spec(name, ("smalt.client.transfers.filesystem",))
    if modules.is_served(name) and not asked:
        return modules.make_spec(name)
    found = _find_installed(name, path)
    if found is not None or asked:
        return found
    module, _, last = name.rpartition(".")
    raise MissingNameError(modules.explain_absence(module, last), name=name)


def _is_only_asked() -> bool:
    """Return True if `importlib.util.find_spec` asks, and nothing is imported."""
    frame: Any = sys._getframe(3)
    while frame is not None and "importlib._bootstrap" in frame.f_code.co_filename:
        frame = frame.f_back
    file = frame.f_code.co_filename if frame is not None else ""
    return file == "<frozen importlib.util>" or file.endswith(os.path.join("importlib", "util.py"))


def _find_installed(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if not isinstance(finder, ImportFinder) and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path)
            if spec is not None:
                return spec
    return None


def _has_module(name: str) -> bool:
    """Return True if smalt has a module of that name itself."""
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return False
    return spec is not None and not isinstance(spec.loader, ModuleBuilder)


def get_served_version(package: str) -> str:
    """The version of a package that smalt stands in for."""
    from smalt._version import __version__

    return _get_version() if package == "azure-ai-ml" else __version__


def _get_version() -> str:
    from smalt._version import __version__

    return f"{_OFFICIAL}+smalt.{__version__}"


class _FollowUpLoader(Loader):
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


def _add_bases(module: ModuleType) -> None:
    from smalt.python.raised import add_azure_bases

    add_azure_bases(module)
