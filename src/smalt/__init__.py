"""smalt: Azure Machine Learning v2 jobs, on your own machines.

Names are loaded when they are first used, so that `import smalt` costs nothing.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from smalt._version import __version__

if TYPE_CHECKING:
    from smalt.client.client import MLClient as MLClient
    from smalt.dsl.builders import command as command
    from smalt.dsl.builders import spark as spark
    from smalt.dsl.loading import load_component as load_component
    from smalt.dsl.loading import load_compute as load_compute
    from smalt.dsl.loading import load_data as load_data
    from smalt.dsl.loading import load_environment as load_environment
    from smalt.dsl.loading import load_job as load_job
    from smalt.dsl.loading import load_model as load_model
    from smalt.entities.jobs.inputs import Input as Input
    from smalt.entities.jobs.inputs import Output as Output
    from smalt.entities.jobs.resources import MpiDistribution as MpiDistribution
    from smalt.entities.jobs.resources import PyTorchDistribution as PyTorchDistribution
    from smalt.entities.jobs.resources import RayDistribution as RayDistribution
    from smalt.entities.jobs.resources import TensorFlowDistribution as TensorFlowDistribution

_NAMES = {
    "client.client": "MLClient",
    "dsl.builders": "command spark",
    "dsl.loading": "load_batch_deployment load_batch_endpoint load_capability_host load_component load_compute "
    "load_connection load_data load_datastore load_deployment_template load_environment load_feature_set "
    "load_feature_store load_feature_store_entity load_index load_job load_marketplace_subscription load_model "
    "load_model_package load_online_deployment load_online_endpoint load_registry load_serverless_endpoint "
    "load_workspace load_workspace_connection",
    "entities.jobs.inputs": "Input Output",
    "entities.jobs.resources": "MpiDistribution PyTorchDistribution RayDistribution TensorFlowDistribution",
}
_WHERE = {name: module for module, names in _NAMES.items() for name in names.split()}
_RENAMED = {
    "ManagedIdentityConfiguration": ("entities.jobs.identity", "ManagedIdentity"),
    "UserIdentityConfiguration": ("entities.jobs.identity", "UserIdentity"),
    "AmlTokenConfiguration": ("entities.jobs.identity", "AmlToken"),
}
_MODULES = (
    *("automl", "constants", "data_transfer", "designer", "dsl", "entities", "exceptions", "finetuning", "identity"),
    *("model_customization", "operations", "parallel", "sweep"),
)

__all__ = [*sorted((*_WHERE, *_RENAMED)), "__version__"]  # noqa: PLE0604  # each is a str


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"smalt.{name}")
    if name not in _WHERE and name not in _RENAMED:
        raise AttributeError(f"module 'smalt' has no attribute {name!r}")
    module, attribute = _RENAMED.get(name) or (_WHERE[name], name)
    value = globals()[name] = getattr(import_module(f"smalt.{module}"), attribute)
    return value


def load_ipython_extension(ipython: Any) -> None:
    """`%load_ext smalt`: from here on, `azure.ai.ml` is smalt in this session."""
    _load_extension().load_extension(ipython)


def unload_ipython_extension(ipython: Any) -> None:
    _load_extension().unload_extension(ipython)


def _load_extension() -> Any:
    from importlib import import_module

    return import_module("smalt.python.extension")


def __dir__() -> list[str]:
    return sorted(__all__)


class _LastFinder:
    """The last of the finders: finds mldesigner where it is not installed, and private modules of azure-ai-ml."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> Any:
        from importlib import import_module

        top, _, below = name.partition(".")
        if top == "smalt" and "_" in below:
            return import_module("smalt.python.private_modules").find_spec(name)
        return import_module("smalt.designer.importing").find_spec(name) if top == "mldesigner" else None


sys.meta_path.append(_LastFinder)
