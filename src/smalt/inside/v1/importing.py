"""Import hooks for `azureml` in a job: the installed packages if there are any, else these modules, and both combined.

Where azureml-core is installed it stays, as scripts use much else of it; only what would reach for the service is
answered by us. A library that merely checks whether azureml-core is installed (transformers does, to log everything
twice) gets the true answer.
"""

from __future__ import annotations

import importlib
import os
import sys
from importlib.abc import Loader
from importlib.machinery import ModuleSpec

from .context import get_current
from .unsupported import make_unsupported_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType
    from typing import Any

_ELSEWHERE = "it belongs to the program that submits jobs; if a job needs it, add azureml-core to its environment"

_OURS = {
    "Dataset": "dataset_factory.Dataset", "Datastore": "datastore.Datastore", "FileDataset": "data.FileDataset",
    "FileDatasetFactory": "dataset_factory.FileDatasetFactory", "TabularDataset": "data.TabularDataset",
    "TabularDatasetFactory": "dataset_factory.TabularDatasetFactory",
    "Experiment": "workspace.Experiment", "Workspace": "workspace.Workspace",
    "Model": "models.Model", "Run": "run.Run", "_OfflineRun": "offline.OfflineRun", "_SubmittedRun": "run.SubmittedRun",
    "InputDatasets": "data.InputDatasets", "get_run": "run.get_run",
    "Keyvault": "keyvault.Keyvault",
    "ExplanationClient": "explanations.ExplanationClient",
    "set_diagnostics_collection": "importing.set_diagnostics_collection",
    **dict.fromkeys(("AzureCliAuthentication", "InteractiveLoginAuthentication", "MsiAuthentication",
                     "ServicePrincipalAuthentication", "TokenAuthentication"), "importing.Authentication"),
}  # fmt: skip
"""The module of this package that has a name; other names of the modules below can only be imported."""

_MODULES = {
    "azureml": "",
    "azureml.core": "ComputeTarget ContainerRegistry Dataset Datastore Environment Experiment Image Keyvault "
    "LinkedService Model Run RunConfiguration ScriptRun ScriptRunConfig Webservice Workspace get_run",
    "azureml.core.run": "Run _OfflineRun _SubmittedRun InputDatasets get_run",
    "azureml.core.workspace": "Workspace",
    "azureml.core.experiment": "Experiment",
    "azureml.core.model": "Model InferenceConfig Dataset",
    "azureml.core.dataset": "Dataset",
    "azureml.core.datastore": "Datastore",
    "azureml.core.environment": "Environment CondaDependencies",
    "azureml.core.conda_dependencies": "CondaDependencies",
    "azureml.core.runconfig": "RunConfiguration CondaDependencies DockerConfiguration MpiConfiguration "
    "PyTorchConfiguration",
    "azureml.core.script_run_config": "ScriptRunConfig",
    "azureml.core.compute": "AmlCompute ComputeInstance ComputeTarget",
    "azureml.core.keyvault": "Keyvault",
    "azureml.core.webservice": "AciWebservice AksWebservice LocalWebservice Webservice",
    "azureml.core.authentication": "AzureCliAuthentication InteractiveLoginAuthentication MsiAuthentication "
    "ServicePrincipalAuthentication TokenAuthentication",
    "azureml.data": "FileDataset TabularDataset OutputFileDatasetConfig",
    "azureml.data.dataset_factory": "FileDatasetFactory TabularDatasetFactory",
    "azureml.data.file_dataset": "FileDataset",
    "azureml.data.tabular_dataset": "TabularDataset",
    "azureml.exceptions": "",
    "azureml.interpret": "ExplanationClient",
    "azureml.telemetry": "set_diagnostics_collection",
}
_PACKAGES = ("azureml", "azureml.core", "azureml.data")

_GRAFTED: dict[str, dict[str, tuple[str, ...]]] = {
    "azureml.core.run": {"Run": ("__new__", "get_context", "get")},
    "azureml.core.workspace": {"Workspace": ("__new__", "from_config", "get")},
    "azureml.core.experiment": {"Experiment": ("__new__",)},
    "azureml.core.model": {"Model": ("__new__", "get_model_path", "register", "list")},
    "azureml.core.dataset": {"Dataset": ("get_by_name", "get_by_id", "get_all")},
    "azureml.data.dataset_factory": {
        "FileDatasetFactory": ("from_files",),
        "TabularDatasetFactory": ("from_delimited_files", "from_parquet_files", "from_json_lines_files"),
    },
    "azureml.core.datastore": {"Datastore": ("__new__", "get", "get_default")},
}
"""The names of the installed package that smalt answers: those that return the job's workspace and run, or use them."""

_REPLACED = {"azureml.interpret": ("ExplanationClient",)}
"""The names of the installed package that smalt has of its own: they would ask the service for the job's run."""
_FILES = "azureml.fsspec.spec"
"""The installed module whose filesystem is derived, so that it finds the job's own workspace here."""
_ALWAYS = ("get_context", "from_config", "get_model_path", "Workspace.get", "Workspace.__new__")


def find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """Return the spec of an `azureml…` module; None for a module that is not served here."""
    if _is_only_asked():
        return None
    spec = _find_installed(name, path)
    if spec is not None:
        if name in (*_GRAFTED, *_REPLACED, _FILES) and spec.loader is not None and get_current() is not None:
            spec.loader = _PatchingLoader(spec.loader)
        return spec
    parent = sys.modules.get(name.rpartition(".")[0])
    if parent is None or hasattr(parent, "__smalt__") or name in ("azureml.core", "azureml.exceptions", "azureml.data"):
        if name in _MODULES:
            return ModuleSpec(name, _TableLoader(), is_package=name in _PACKAGES)
        if name.startswith("azureml.core."):
            raise ModuleNotFoundError(f"{name} is not there; {_ELSEWHERE}", name=name)
    return None


def _is_only_asked() -> bool:
    """Return True if `importlib.util.find_spec` asks, and nothing is imported."""
    frame = sys._getframe(3)  # who asked SmaltFinder
    while frame is not None and "importlib._bootstrap" in frame.f_code.co_filename:
        frame = frame.f_back  # type: ignore[assignment]
    file = frame.f_code.co_filename if frame is not None else ""
    return file == "<frozen importlib.util>" or file.endswith(os.path.join("importlib", "util.py"))


def _find_installed(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        if getattr(finder, "__name__", "") != "SmaltFinder" and hasattr(finder, "find_spec"):
            spec = finder.find_spec(name, path)
            if spec is not None and spec.loader is not None:
                return spec
    return None


class _TableLoader(Loader):
    """Makes a module of the table; its names are looked up when they are asked for."""

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        made: dict[str, Any] = {"__smalt__": True, "__doc__": "SDK v1's names, by smalt."}
        if name == "azureml":
            made["__path__"] = importlib.import_module("pkgutil").extend_path([], name)
        elif name == "azureml.core":
            made["VERSION"] = made["__version__"] = "1.61.0+smalt"
        elif name == "azureml.exceptions":
            made.update(_get_replacements("errors").CLASSES)
        names = _MODULES[name].split()
        made["__all__"] = [one for one in names if not one.startswith("_")]
        made["__getattr__"] = lambda wanted: _resolve_name(module, names, wanted)
        vars(module).update(made)


def _resolve_name(module: ModuleType, names: Sequence[str], wanted: str) -> Any:
    home, _, name = _OURS.get(wanted, "").partition(".")
    found = getattr(_get_replacements(home), name) if home else _find_program_name(module.__name__, wanted)
    if wanted not in names and (home or found is None):
        raise AttributeError(f"{module.__name__}.{wanted} is not there; {_ELSEWHERE}")
    if found is None:
        found = make_unsupported_class(wanted, _ELSEWHERE)
    setattr(module, wanted, found)
    return found


def _find_program_name(module: str, wanted: str) -> Any:
    """Return what programs have by that name, where the job's environment has smalt's own package; else None."""
    if not os.environ.get("SMALT_URL") or wanted.startswith("__"):
        return None
    try:
        return importlib.import_module("smalt.v1.modules").find_name(module, wanted)
    except (ImportError, AttributeError, SyntaxError):
        return None


def _get_replacements(module: str) -> Any:
    return importlib.import_module("." + module, __package__)


class _PatchingLoader(Loader):
    """The loader of an installed module, which is changed once it has run."""

    def __init__(self, loader: Any) -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> Any:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if module.__name__ == _FILES:
            own = _get_replacements("filesystem")
            setattr(module, own.NAME, own.make_filesystem_class(getattr(module, own.NAME)))
            return
        for name in _REPLACED.get(module.__name__, ()):
            setattr(module, name, _load_name(name))
        for name, members in _GRAFTED.get(module.__name__, {}).items():
            real = getattr(module, name, None)
            if isinstance(real, type):
                _replace_members(real, _load_name(name), members)


def _load_name(name: str) -> Any:
    home, _, inner = _OURS[name].partition(".")
    return getattr(_get_replacements(home), inner)


def _replace_members(real: Any, ours: Any, members: Sequence[str]) -> None:
    if real.__name__ == "Run":
        kinds = _get_replacements("run").OWN_KIND
        submitted = getattr(sys.modules[real.__module__], "_SubmittedRun", real)
        kinds[0] = type("_SubmittedRun", (kinds[0], submitted), {"__module__": real.__module__})
    for member in members:
        always = member in _ALWAYS or real.__name__ + "." + member in _ALWAYS
        theirs = getattr(real, member, None)
        own = ours if member == "__new__" else getattr(ours, member)
        setattr(real, member, (_make_constructor if member == "__new__" else _make_dispatcher)(theirs, own, always))


def _is_ours(values: Sequence[Any], named: dict[str, Any]) -> bool:
    first = values[0] if values else named.get("workspace", named.get("experiment", named.get("path")))
    while isinstance(first, (list, tuple)) and first:  # paths on the job's datastores
        first = first[0]
    return not isinstance(first, str) and type(first).__module__.startswith(str(__package__))


def _make_dispatcher(theirs: Any, own: Callable[..., Any], always: bool) -> Any:
    def ask(*values: Any, **named: Any) -> Any:
        return (own if always or theirs is None or _is_ours(values, named) else theirs)(*values, **named)

    return staticmethod(ask)


def _make_constructor(theirs: Any, own: type, always: bool) -> Any:
    def make(cls: type, *values: Any, **named: Any) -> Any:
        if issubclass(cls, own):  # the job's own run, which is both
            return object.__new__(cls)
        if always or _is_ours(values, named):
            return own(*values, **named)
        return object.__new__(cls) if theirs is object.__new__ else theirs(cls, *values, **named)

    return staticmethod(make)


class Authentication:
    """A job needs none: its workspace is open to it."""

    def __init__(self, *_: Any, **__: Any) -> None: ...


def set_diagnostics_collection(send_diagnostics: bool = True, verbosity: object = None) -> None:
    """Do nothing: no diagnostics are sent anywhere."""
