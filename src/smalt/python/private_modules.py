"""Modules without a file, whose names are those of other modules.

azure-ai-ml has hundreds of private modules, and programs import from some of them. One rule stands for all: a private
module has every name that smalt has by that spelling. `azure.ai.ml.entities._job.pipeline._io` gives `PipelineInput`,
and so does `smalt.entities._job.pipeline._io`, for programs where `azure.ai.ml` was replaced by `smalt`.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType


class AbsentAttributeError(AttributeError):
    """A name that a module of smalt does not have, asked for as an attribute; the message is one sentence."""


PUBLIC = (
    "smalt.entities", "smalt.automl", "smalt.sweep", "smalt.constants", "smalt.dsl", "smalt", "smalt.data_transfer",
    "smalt.parallel", "smalt.finetuning", "smalt.model_customization", "smalt.identity", "smalt.exceptions",
    "smalt.operations",
)  # fmt: skip
"""The modules whose names private modules have, in the order in which they are asked."""
_PRIVATE = {
    "AutoDeleteSetting": "entities.assets.asset",
    "AzureOpenAIFineTuningJob": "entities.jobs.finetuning",
    "AzureOpenAIHyperparameters": "entities.jobs.finetuning",
    "BaseNode": "entities.steps.nodes:Node",
    "Code": "entities.assets.code",
    "CodeOperations": "client.collections.code",
    "DataTransfer": "entities.jobs.data_transfer:DataTransferNode",
    "DatabaseImportSource": "entities.jobs.import_job",
    "DistributionConfiguration": "entities.jobs.resources:Distribution",
    "EarlyTerminationPolicy": "entities.jobs.search_space",
    "FeaturizationSettings": "entities.jobs.automl.settings:Featurization",
    "FileImportSource": "entities.jobs.import_job",
    "FineTuningTaskTypes": "constants._job.finetuning",
    "HdfsDatastore": "entities.workspaces.datastore",
    "Import": "entities.jobs.import_job:ImportNode",
    "ImportSource": "entities.jobs.import_job",
    "JobStatus": "constants._job.job",
    "KerberosKeytabCredentials": "entities.workspaces.credentials",
    "KerberosPasswordCredentials": "entities.workspaces.credentials",
    "LakeHouseArtifact": "entities.workspaces.datastore",
    "NodeOutput": "entities.steps.bindings:StepOutput",
    "PipelineComponentBuilder": "dsl.pipelines:ComponentBuilder",
    "PipelineInput": "entities.steps.bindings",
    "RunHistoryConstants": "constants._job.job",
    "SweepDistribution": "entities.jobs.search_space",
    "TriggerBase": "entities.schedules.triggers:Trigger",
    "WorkspaceAssetReference": "entities.assets.deployment_template:WorkspaceModelReference",
    "load_model_batch_deployment": "dsl.loading:load_batch_deployment",
    "load_pipeline_component_batch_deployment": "dsl.loading:load_batch_deployment",
    "load_schedule": "dsl.loading",
}
"""Names that azure-ai-ml has in private modules only: the module of smalt, and the name there where it is another."""
_MIRRORS = ("entities", "constants", "dsl")
"""Packages of smalt below which azure-ai-ml has private modules."""


def find_spec(name: str) -> ModuleSpec | None:
    """Return a module for a private one below smalt that has no file."""
    parts = name.split(".")
    private = parts[1].startswith("_") or parts[1] in _MIRRORS
    return make_forwarding_spec(name, PUBLIC) if private and is_private(name) else None


def is_private(name: str) -> bool:
    """Return whether a missing module is one of azure-ai-ml's private modules, and not a name wanted from one."""
    *places, last = name.split(".")
    if last.startswith("__") or not any(part.startswith("_") for part in (*places, last)):
        return False
    return last.startswith("_") or not _is_wanted_from()


def _is_wanted_from() -> bool:
    """Return whether the import system looks for the name of a `from … import NAME`, not for a module on the way."""
    frame: Any = sys._getframe(1)
    while frame is not None and "importlib._bootstrap" not in frame.f_code.co_filename:
        frame = frame.f_back
    while frame is not None and "importlib._bootstrap" in frame.f_code.co_filename:
        if frame.f_code.co_name == "_handle_fromlist":
            return True
        frame = frame.f_back
    return False


def make_forwarding_spec(name: str, sources: tuple[str, ...], **own: Any) -> ModuleSpec:
    """Return a module whose names are those of `sources`, the first that has it, after its own."""

    def fill(module: ModuleType) -> None:
        first: Any = import_module(sources[0])

        def get(wanted: str) -> Any:
            if wanted in _PRIVATE and PUBLIC[-1] in sources:
                where, _, there = _PRIVATE[wanted].partition(":")
                return getattr(import_module(f"smalt.{where}"), there or wanted)
            if not wanted.startswith("__") or wanted == "__all__":
                for source in sources:
                    found = getattr(import_module(source), wanted, module)
                    if found is not module:
                        return found
            raise AttributeError(f"module {name!r} has no attribute {wanted!r}", name=wanted, obj=module)

        vars(module).update(own, __doc__=first.__doc__, __getattr__=get)
        vars(module)["__dir__"] = lambda: sorted({*dir(first), *vars(module)})

    return ModuleSpec(name, ModuleBuilder(fill), origin="smalt", is_package=True)


class ModuleBuilder(Loader):
    """Makes a module without a file."""

    def __init__(self, fill: Callable[[ModuleType], None]) -> None:
        self._fill = fill

    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        self._fill(module)
