"""Changes MLflow's client as a job imports it. Inside jobs it is loaded by path, as the package `_smalt_tracking`."""

from __future__ import annotations

import posixpath
from importlib.abc import Loader
from importlib.machinery import PathFinder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

MODULE = "mlflow.store.artifact.http_artifact_repo"
"""MLflow's client of a server's artifacts. It refuses `./model`, which Azure's own client takes for `model`."""


def find_spec(path: Any) -> ModuleSpec | None:
    spec = PathFinder.find_spec(MODULE, path)
    if spec is not None and spec.loader is not None:
        spec.loader = _ChangingLoader(spec.loader)
    return spec


class _ChangingLoader(Loader):
    def __init__(self, installed: Loader) -> None:
        self._installed = installed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._installed, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._installed.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._installed.exec_module(module)
        verify = getattr(module, "verify_artifact_path", None)
        if verify is not None:
            changed: Any = module
            changed.verify_artifact_path = lambda path: verify(posixpath.normpath(path) if path else path)
