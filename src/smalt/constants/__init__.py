"""The words that jobs, assets and computes are described with, as `azure.ai.ml.constants` has them.

Each is loaded when it is first asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.constants._assets import IPProtectionLevel as IPProtectionLevel
    from smalt.constants._common import AssetTypes as AssetTypes
    from smalt.constants._common import InputOutputModes as InputOutputModes
    from smalt.constants._common import InputTypes as InputTypes
    from smalt.constants._common import ListViewType as ListViewType
    from smalt.constants._common import ModelType as ModelType
    from smalt.constants._common import Scope as Scope
    from smalt.constants._common import WorkspaceKind as WorkspaceKind
    from smalt.constants._component import ParallelTaskType as ParallelTaskType
    from smalt.constants._deployment import BatchDeploymentOutputAction as BatchDeploymentOutputAction
    from smalt.constants._job.automl import ImageClassificationModelNames as ImageClassificationModelNames
    from smalt.constants._job.automl import ImageInstanceSegmentationModelNames as ImageInstanceSegmentationModelNames
    from smalt.constants._job.automl import ImageObjectDetectionModelNames as ImageObjectDetectionModelNames
    from smalt.constants._job.automl import NlpLearningRateScheduler as NlpLearningRateScheduler
    from smalt.constants._job.automl import NlpModels as NlpModels
    from smalt.constants._job.automl import TabularTrainingMode as TabularTrainingMode
    from smalt.constants._job.distillation import DataGenerationTaskType as DataGenerationTaskType
    from smalt.constants._job.distillation import DataGenerationType as DataGenerationType
    from smalt.constants._job.job import DistributionType as DistributionType
    from smalt.constants._job.job import ImportSourceType as ImportSourceType
    from smalt.constants._job.job import JobType as JobType
    from smalt.constants._monitoring import MonitorDatasetContext as MonitorDatasetContext
    from smalt.constants._monitoring import MonitorFeatureType as MonitorFeatureType
    from smalt.constants._monitoring import MonitorMetricName as MonitorMetricName
    from smalt.constants._monitoring import MonitorModelType as MonitorModelType
    from smalt.constants._monitoring import MonitorSignalType as MonitorSignalType
    from smalt.constants._monitoring import MonitorTargetTasks as MonitorTargetTasks
    from smalt.constants._registry import AcrAccountSku as AcrAccountSku
    from smalt.constants._registry import StorageAccountType as StorageAccountType
    from smalt.constants._time_zone import TimeZone as TimeZone
    from smalt.constants._workspace import ManagedServiceIdentityType as ManagedServiceIdentityType

_MODULES = {
    "_assets": "IPProtectionLevel",
    "_common": "AssetTypes InputOutputModes InputTypes ListViewType ModelType Scope WorkspaceKind",
    "_component": "ParallelTaskType",
    "_deployment": "BatchDeploymentOutputAction",
    "_job.automl": "ImageClassificationModelNames ImageInstanceSegmentationModelNames "
    "ImageObjectDetectionModelNames NlpLearningRateScheduler NlpModels TabularTrainingMode",
    "_job.distillation": "DataGenerationTaskType DataGenerationType",
    "_job.job": "DistributionType ImportSourceType JobType",
    "_monitoring": "MonitorDatasetContext MonitorFeatureType MonitorMetricName MonitorModelType "
    "MonitorSignalType MonitorTargetTasks",
    "_registry": "AcrAccountSku StorageAccountType",
    "_time_zone": "TimeZone",
    "_workspace": "ManagedServiceIdentityType",
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'smalt.constants' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"smalt.constants.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
