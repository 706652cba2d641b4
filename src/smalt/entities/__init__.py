"""The nouns a user writes, as plain data: one module per noun, in folders by what they describe.

Neither I/O nor wire bodies belong here. Classes load when first used, so that importing this costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.entities.assets.asset import Asset as Asset
    from smalt.entities.assets.asset import IntellectualProperty as IntellectualProperty
    from smalt.entities.assets.asset import Resource as Resource
    from smalt.entities.assets.asset import SystemData as SystemData
    from smalt.entities.assets.component import Component as Component
    from smalt.entities.assets.data import Data as Data
    from smalt.entities.assets.data_import import DataImport as DataImport
    from smalt.entities.assets.deployment_template import AcceleratorMap as AcceleratorMap
    from smalt.entities.assets.deployment_template import DeploymentTemplate as DeploymentTemplate
    from smalt.entities.assets.deployment_template import DeploymentTemplateReference as DeploymentTemplateReference
    from smalt.entities.assets.deployment_template import WorkspaceModelReference as WorkspaceModelReference
    from smalt.entities.assets.environment import BuildContext as BuildContext
    from smalt.entities.assets.environment import Environment as Environment
    from smalt.entities.assets.environment import Route as Route
    from smalt.entities.assets.flow import FlowComponent as FlowComponent
    from smalt.entities.assets.index import Index as Index
    from smalt.entities.assets.index_sources import AzureAISearchConfig as AzureAISearchConfig
    from smalt.entities.assets.index_sources import GitSource as GitSource
    from smalt.entities.assets.index_sources import IndexDataSource as IndexDataSource
    from smalt.entities.assets.index_sources import IndexModelConfiguration as IndexModelConfiguration
    from smalt.entities.assets.index_sources import LocalSource as LocalSource
    from smalt.entities.assets.model import Model as Model
    from smalt.entities.assets.model_package import AzureMLBatchInferencingServer as AzureMLBatchInferencingServer
    from smalt.entities.assets.model_package import AzureMLOnlineInferencingServer as AzureMLOnlineInferencingServer
    from smalt.entities.assets.model_package import BaseEnvironment as BaseEnvironment
    from smalt.entities.assets.model_package import CustomInferencingServer as CustomInferencingServer
    from smalt.entities.assets.model_package import ModelConfiguration as ModelConfiguration
    from smalt.entities.assets.model_package import ModelPackage as ModelPackage
    from smalt.entities.assets.model_package import ModelPackageInput as ModelPackageInput
    from smalt.entities.assets.model_package import PackageInputPathId as PackageInputPathId
    from smalt.entities.assets.model_package import PackageInputPathUrl as PackageInputPathUrl
    from smalt.entities.assets.model_package import PackageInputPathVersion as PackageInputPathVersion
    from smalt.entities.assets.model_package import TritonInferencingServer as TritonInferencingServer
    from smalt.entities.computes.compute import AmlCompute as AmlCompute
    from smalt.entities.computes.compute import AssignedUserConfiguration as AssignedUserConfiguration
    from smalt.entities.computes.compute import Compute as Compute
    from smalt.entities.computes.compute import ComputeInstance as ComputeInstance
    from smalt.entities.computes.compute import KubernetesCompute as KubernetesCompute
    from smalt.entities.computes.compute import NetworkSettings as NetworkSettings
    from smalt.entities.computes.compute import SynapseSparkCompute as SynapseSparkCompute
    from smalt.entities.computes.compute import VirtualMachineCompute as VirtualMachineCompute
    from smalt.entities.computes.settings import AmlComputeSshSettings as AmlComputeSshSettings
    from smalt.entities.computes.settings import AutoPauseSettings as AutoPauseSettings
    from smalt.entities.computes.settings import AutoScaleSettings as AutoScaleSettings
    from smalt.entities.computes.settings import ComputeInstanceSshSettings as ComputeInstanceSshSettings
    from smalt.entities.computes.settings import ComputeSchedules as ComputeSchedules
    from smalt.entities.computes.settings import ComputeStartStopSchedule as ComputeStartStopSchedule
    from smalt.entities.computes.settings import CustomApplications as CustomApplications
    from smalt.entities.computes.settings import EndpointsSettings as EndpointsSettings
    from smalt.entities.computes.settings import ImageSettings as ImageSettings
    from smalt.entities.computes.settings import ScriptReference as ScriptReference
    from smalt.entities.computes.settings import SetupScripts as SetupScripts
    from smalt.entities.computes.settings import UnsupportedCompute as UnsupportedCompute
    from smalt.entities.computes.settings import VirtualMachineSshSettings as VirtualMachineSshSettings
    from smalt.entities.computes.settings import VolumeSettings as VolumeSettings
    from smalt.entities.endpoints.batch_deployment import BatchDeployment as BatchDeployment
    from smalt.entities.endpoints.batch_deployment import BatchRetrySettings as BatchRetrySettings
    from smalt.entities.endpoints.batch_deployment import ModelBatchDeployment as ModelBatchDeployment
    from smalt.entities.endpoints.batch_deployment import ModelBatchDeploymentSettings as ModelBatchDeploymentSettings
    from smalt.entities.endpoints.batch_deployment import (
        PipelineComponentBatchDeployment as PipelineComponentBatchDeployment,
    )
    from smalt.entities.endpoints.deployment import CodeConfiguration as CodeConfiguration
    from smalt.entities.endpoints.deployment import Deployment as Deployment
    from smalt.entities.endpoints.endpoint import BatchEndpoint as BatchEndpoint
    from smalt.entities.endpoints.endpoint import Endpoint as Endpoint
    from smalt.entities.endpoints.endpoint import KubernetesOnlineEndpoint as KubernetesOnlineEndpoint
    from smalt.entities.endpoints.endpoint import ManagedOnlineEndpoint as ManagedOnlineEndpoint
    from smalt.entities.endpoints.endpoint import MarketplacePlan as MarketplacePlan
    from smalt.entities.endpoints.endpoint import MarketplaceSubscription as MarketplaceSubscription
    from smalt.entities.endpoints.endpoint import OnlineEndpoint as OnlineEndpoint
    from smalt.entities.endpoints.endpoint import ServerlessEndpoint as ServerlessEndpoint
    from smalt.entities.endpoints.online_deployment import DataAsset as DataAsset
    from smalt.entities.endpoints.online_deployment import DataCollector as DataCollector
    from smalt.entities.endpoints.online_deployment import DefaultScaleSettings as DefaultScaleSettings
    from smalt.entities.endpoints.online_deployment import DeploymentCollection as DeploymentCollection
    from smalt.entities.endpoints.online_deployment import KubernetesOnlineDeployment as KubernetesOnlineDeployment
    from smalt.entities.endpoints.online_deployment import ManagedOnlineDeployment as ManagedOnlineDeployment
    from smalt.entities.endpoints.online_deployment import OnlineDeployment as OnlineDeployment
    from smalt.entities.endpoints.online_deployment import OnlineRequestSettings as OnlineRequestSettings
    from smalt.entities.endpoints.online_deployment import OnlineScaleSettings as OnlineScaleSettings
    from smalt.entities.endpoints.online_deployment import ProbeSettings as ProbeSettings
    from smalt.entities.endpoints.online_deployment import RequestLogging as RequestLogging
    from smalt.entities.endpoints.online_deployment import ResourceRequirementsSettings as ResourceRequirementsSettings
    from smalt.entities.endpoints.online_deployment import ResourceSettings as ResourceSettings
    from smalt.entities.endpoints.online_deployment import (
        TargetUtilizationScaleSettings as TargetUtilizationScaleSettings,
    )
    from smalt.entities.enums import CapabilityHostKind as CapabilityHostKind
    from smalt.entities.enums import ComputePowerAction as ComputePowerAction
    from smalt.entities.enums import CreatedByType as CreatedByType
    from smalt.entities.enums import DataAvailabilityStatus as DataAvailabilityStatus
    from smalt.entities.enums import DataColumnType as DataColumnType
    from smalt.entities.enums import DefaultActionType as DefaultActionType
    from smalt.entities.enums import IsolationMode as IsolationMode
    from smalt.entities.enums import MaterializationType as MaterializationType
    from smalt.entities.enums import ScheduleState as ScheduleState
    from smalt.entities.enums import SparkJobEntryType as SparkJobEntryType
    from smalt.entities.enums import UsageUnit as UsageUnit
    from smalt.entities.jobs.automl.job import AutoMLComponent as AutoMLComponent
    from smalt.entities.jobs.automl.job import AutoMLJob as AutoMLJob
    from smalt.entities.jobs.automl.job import AutoMLNode as AutoMLNode
    from smalt.entities.jobs.command import CommandComponent as CommandComponent
    from smalt.entities.jobs.command import CommandJob as CommandJob
    from smalt.entities.jobs.command import CommandNode as CommandNode
    from smalt.entities.jobs.command import ParameterizedCommand as ParameterizedCommand
    from smalt.entities.jobs.control_flow import DoWhile as DoWhile
    from smalt.entities.jobs.control_flow import IfElse as IfElse
    from smalt.entities.jobs.control_flow import ParallelFor as ParallelFor
    from smalt.entities.jobs.data_transfer import Database as Database
    from smalt.entities.jobs.data_transfer import DataTransferComponent as DataTransferComponent
    from smalt.entities.jobs.data_transfer import DataTransferJob as DataTransferJob
    from smalt.entities.jobs.data_transfer import DataTransferNode as DataTransferNode
    from smalt.entities.jobs.data_transfer import FileSystem as FileSystem
    from smalt.entities.jobs.distillation import DistillationJob as DistillationJob
    from smalt.entities.jobs.finetuning import CustomModelFineTuningJob as CustomModelFineTuningJob
    from smalt.entities.jobs.finetuning import FineTuningJob as FineTuningJob
    from smalt.entities.jobs.finetuning import JobResources as JobResources
    from smalt.entities.jobs.identity import AmlToken as AmlToken
    from smalt.entities.jobs.identity import ManagedIdentity as ManagedIdentity
    from smalt.entities.jobs.identity import UserIdentity as UserIdentity
    from smalt.entities.jobs.import_job import ImportComponent as ImportComponent
    from smalt.entities.jobs.import_job import ImportJob as ImportJob
    from smalt.entities.jobs.import_job import ImportNode as ImportNode
    from smalt.entities.jobs.inputs import Input as Input
    from smalt.entities.jobs.inputs import InputPort as InputPort
    from smalt.entities.jobs.inputs import Output as Output
    from smalt.entities.jobs.job import Job as Job
    from smalt.entities.jobs.parallel import ParallelComponent as ParallelComponent
    from smalt.entities.jobs.parallel import ParallelNode as ParallelNode
    from smalt.entities.jobs.parallel import ParallelTask as ParallelTask
    from smalt.entities.jobs.parallel import RetrySettings as RetrySettings
    from smalt.entities.jobs.pipeline import PipelineComponent as PipelineComponent
    from smalt.entities.jobs.pipeline import PipelineJob as PipelineJob
    from smalt.entities.jobs.pipeline import PipelineJobSettings as PipelineJobSettings
    from smalt.entities.jobs.pipeline import PipelineNode as PipelineNode
    from smalt.entities.jobs.resources import CommandJobLimits as CommandJobLimits
    from smalt.entities.jobs.resources import ComputeConfiguration as ComputeConfiguration
    from smalt.entities.jobs.resources import JobResourceConfiguration as JobResourceConfiguration
    from smalt.entities.jobs.resources import MpiDistribution as MpiDistribution
    from smalt.entities.jobs.resources import PyTorchDistribution as PyTorchDistribution
    from smalt.entities.jobs.resources import QueueSettings as QueueSettings
    from smalt.entities.jobs.resources import RayDistribution as RayDistribution
    from smalt.entities.jobs.resources import ResourceConfiguration as ResourceConfiguration
    from smalt.entities.jobs.resources import TensorFlowDistribution as TensorFlowDistribution
    from smalt.entities.jobs.search_space import BanditPolicy as BanditPolicy
    from smalt.entities.jobs.search_space import BayesianSamplingAlgorithm as BayesianSamplingAlgorithm
    from smalt.entities.jobs.search_space import Choice as Choice
    from smalt.entities.jobs.search_space import GridSamplingAlgorithm as GridSamplingAlgorithm
    from smalt.entities.jobs.search_space import LogNormal as LogNormal
    from smalt.entities.jobs.search_space import LogUniform as LogUniform
    from smalt.entities.jobs.search_space import MedianStoppingPolicy as MedianStoppingPolicy
    from smalt.entities.jobs.search_space import Normal as Normal
    from smalt.entities.jobs.search_space import Objective as Objective
    from smalt.entities.jobs.search_space import QLogNormal as QLogNormal
    from smalt.entities.jobs.search_space import QLogUniform as QLogUniform
    from smalt.entities.jobs.search_space import QNormal as QNormal
    from smalt.entities.jobs.search_space import QUniform as QUniform
    from smalt.entities.jobs.search_space import Randint as Randint
    from smalt.entities.jobs.search_space import RandomSamplingAlgorithm as RandomSamplingAlgorithm
    from smalt.entities.jobs.search_space import SamplingAlgorithm as SamplingAlgorithm
    from smalt.entities.jobs.search_space import SweepJobLimits as SweepJobLimits
    from smalt.entities.jobs.search_space import TruncationSelectionPolicy as TruncationSelectionPolicy
    from smalt.entities.jobs.search_space import Uniform as Uniform
    from smalt.entities.jobs.services import JobService as JobService
    from smalt.entities.jobs.services import JupyterLabJobService as JupyterLabJobService
    from smalt.entities.jobs.services import SshJobService as SshJobService
    from smalt.entities.jobs.services import TensorBoardJobService as TensorBoardJobService
    from smalt.entities.jobs.services import VsCodeJobService as VsCodeJobService
    from smalt.entities.jobs.spark import SparkComponent as SparkComponent
    from smalt.entities.jobs.spark import SparkJob as SparkJob
    from smalt.entities.jobs.spark import SparkJobEntry as SparkJobEntry
    from smalt.entities.jobs.spark import SparkNode as SparkNode
    from smalt.entities.jobs.spark import SparkResourceConfiguration as SparkResourceConfiguration
    from smalt.entities.jobs.sweep import SweepJob as SweepJob
    from smalt.entities.jobs.sweep import SweepNode as SweepNode
    from smalt.entities.responses import AmlComputeNodeInfo as AmlComputeNodeInfo
    from smalt.entities.responses import AzureOpenAIDeployment as AzureOpenAIDeployment
    from smalt.entities.responses import BatchJob as BatchJob
    from smalt.entities.responses import ContainerRegistryCredential as ContainerRegistryCredential
    from smalt.entities.responses import DiagnoseRequestProperties as DiagnoseRequestProperties
    from smalt.entities.responses import DiagnoseResponseResult as DiagnoseResponseResult
    from smalt.entities.responses import DiagnoseResponseResultValue as DiagnoseResponseResultValue
    from smalt.entities.responses import DiagnoseResult as DiagnoseResult
    from smalt.entities.responses import DiagnoseWorkspaceParameters as DiagnoseWorkspaceParameters
    from smalt.entities.responses import EndpointAadToken as EndpointAadToken
    from smalt.entities.responses import EndpointAuthKeys as EndpointAuthKeys
    from smalt.entities.responses import EndpointAuthToken as EndpointAuthToken
    from smalt.entities.responses import EndpointConnection as EndpointConnection
    from smalt.entities.responses import FeatureSetBackfillMetadata as FeatureSetBackfillMetadata
    from smalt.entities.responses import FeatureSetMaterializationMetadata as FeatureSetMaterializationMetadata
    from smalt.entities.responses import FeatureWindow as FeatureWindow
    from smalt.entities.responses import ImageMetadata as ImageMetadata
    from smalt.entities.responses import ManagedNetworkProvisionStatus as ManagedNetworkProvisionStatus
    from smalt.entities.responses import NotebookAccessKeys as NotebookAccessKeys
    from smalt.entities.responses import PrivateEndpoint as PrivateEndpoint
    from smalt.entities.responses import ScheduleTriggerResult as ScheduleTriggerResult
    from smalt.entities.responses import ServiceInstance as ServiceInstance
    from smalt.entities.responses import Usage as Usage
    from smalt.entities.responses import UsageName as UsageName
    from smalt.entities.responses import VmSize as VmSize
    from smalt.entities.responses import WorkspaceKeys as WorkspaceKeys
    from smalt.entities.schedules.monitor import AlertNotification as AlertNotification
    from smalt.entities.schedules.monitor import MonitorDefinition as MonitorDefinition
    from smalt.entities.schedules.monitor import MonitoringTarget as MonitoringTarget
    from smalt.entities.schedules.monitor import ServerlessSparkCompute as ServerlessSparkCompute
    from smalt.entities.schedules.schedule import ImportDataSchedule as ImportDataSchedule
    from smalt.entities.schedules.schedule import JobSchedule as JobSchedule
    from smalt.entities.schedules.schedule import MonitorSchedule as MonitorSchedule
    from smalt.entities.schedules.schedule import Schedule as Schedule
    from smalt.entities.schedules.scheduled_job import ScheduledJob as ScheduledJob
    from smalt.entities.schedules.signals import BaselineDataRange as BaselineDataRange
    from smalt.entities.schedules.signals import CategoricalDriftMetrics as CategoricalDriftMetrics
    from smalt.entities.schedules.signals import CustomMonitoringMetricThreshold as CustomMonitoringMetricThreshold
    from smalt.entities.schedules.signals import CustomMonitoringSignal as CustomMonitoringSignal
    from smalt.entities.schedules.signals import DataDriftMetricThreshold as DataDriftMetricThreshold
    from smalt.entities.schedules.signals import DataDriftSignal as DataDriftSignal
    from smalt.entities.schedules.signals import DataQualityMetricsCategorical as DataQualityMetricsCategorical
    from smalt.entities.schedules.signals import DataQualityMetricsNumerical as DataQualityMetricsNumerical
    from smalt.entities.schedules.signals import DataQualityMetricThreshold as DataQualityMetricThreshold
    from smalt.entities.schedules.signals import DataQualitySignal as DataQualitySignal
    from smalt.entities.schedules.signals import DataSegment as DataSegment
    from smalt.entities.schedules.signals import FADProductionData as FADProductionData
    from smalt.entities.schedules.signals import (
        FeatureAttributionDriftMetricThreshold as FeatureAttributionDriftMetricThreshold,
    )
    from smalt.entities.schedules.signals import FeatureAttributionDriftSignal as FeatureAttributionDriftSignal
    from smalt.entities.schedules.signals import FixedInputData as FixedInputData
    from smalt.entities.schedules.signals import (
        GenerationSafetyQualityMonitoringMetricThreshold as GenerationSafetyQualityMonitoringMetricThreshold,
    )
    from smalt.entities.schedules.signals import GenerationSafetyQualitySignal as GenerationSafetyQualitySignal
    from smalt.entities.schedules.signals import (
        GenerationTokenStatisticsMonitorMetricThreshold as GenerationTokenStatisticsMonitorMetricThreshold,
    )
    from smalt.entities.schedules.signals import GenerationTokenStatisticsSignal as GenerationTokenStatisticsSignal
    from smalt.entities.schedules.signals import LlmData as LlmData
    from smalt.entities.schedules.signals import (
        ModelPerformanceClassificationThresholds as ModelPerformanceClassificationThresholds,
    )
    from smalt.entities.schedules.signals import ModelPerformanceMetricThreshold as ModelPerformanceMetricThreshold
    from smalt.entities.schedules.signals import (
        ModelPerformanceRegressionThresholds as ModelPerformanceRegressionThresholds,
    )
    from smalt.entities.schedules.signals import ModelPerformanceSignal as ModelPerformanceSignal
    from smalt.entities.schedules.signals import MonitorFeatureFilter as MonitorFeatureFilter
    from smalt.entities.schedules.signals import MonitorInputData as MonitorInputData
    from smalt.entities.schedules.signals import NumericalDriftMetrics as NumericalDriftMetrics
    from smalt.entities.schedules.signals import PredictionDriftMetricThreshold as PredictionDriftMetricThreshold
    from smalt.entities.schedules.signals import PredictionDriftSignal as PredictionDriftSignal
    from smalt.entities.schedules.signals import ProductionData as ProductionData
    from smalt.entities.schedules.signals import ReferenceData as ReferenceData
    from smalt.entities.schedules.signals import StaticInputData as StaticInputData
    from smalt.entities.schedules.signals import TrailingInputData as TrailingInputData
    from smalt.entities.schedules.triggers import CronTrigger as CronTrigger
    from smalt.entities.schedules.triggers import RecurrencePattern as RecurrencePattern
    from smalt.entities.schedules.triggers import RecurrenceTrigger as RecurrenceTrigger
    from smalt.entities.schema.documents import read as read
    from smalt.entities.schema.entity import Entity as Entity
    from smalt.entities.schema.json_schema import json_schema as json_schema
    from smalt.entities.schema.problems import Problem as Problem
    from smalt.entities.schema.validation_result import ValidationResult as ValidationResult
    from smalt.entities.steps.nodes import Node as Node
    from smalt.entities.syntax.literals import convert as convert
    from smalt.entities.syntax.literals import to_text as to_text
    from smalt.entities.syntax.references import parse_reference as parse_reference
    from smalt.entities.syntax.references import parse_uri as parse_uri
    from smalt.entities.workspaces.capability_host import CapabilityHost as CapabilityHost
    from smalt.entities.workspaces.connection import AadCredentials as AadCredentials
    from smalt.entities.workspaces.connection import AccessKeyConfiguration as AccessKeyConfiguration
    from smalt.entities.workspaces.connection import ApiKeyConfiguration as ApiKeyConfiguration
    from smalt.entities.workspaces.connection import APIKeyConnection as APIKeyConnection
    from smalt.entities.workspaces.connection import AzureAISearchConnection as AzureAISearchConnection
    from smalt.entities.workspaces.connection import AzureAIServicesConnection as AzureAIServicesConnection
    from smalt.entities.workspaces.connection import AzureBlobStoreConnection as AzureBlobStoreConnection
    from smalt.entities.workspaces.connection import AzureContentSafetyConnection as AzureContentSafetyConnection
    from smalt.entities.workspaces.connection import AzureOpenAIConnection as AzureOpenAIConnection
    from smalt.entities.workspaces.connection import AzureSpeechServicesConnection as AzureSpeechServicesConnection
    from smalt.entities.workspaces.connection import Connection as Connection
    from smalt.entities.workspaces.connection import MicrosoftOneLakeConnection as MicrosoftOneLakeConnection
    from smalt.entities.workspaces.connection import OpenAIConnection as OpenAIConnection
    from smalt.entities.workspaces.connection import PatTokenConfiguration as PatTokenConfiguration
    from smalt.entities.workspaces.connection import SerpConnection as SerpConnection
    from smalt.entities.workspaces.connection import ServerlessConnection as ServerlessConnection
    from smalt.entities.workspaces.connection import UsernamePasswordConfiguration as UsernamePasswordConfiguration
    from smalt.entities.workspaces.credentials import AccessKeyCredentials as AccessKeyCredentials
    from smalt.entities.workspaces.credentials import AccountKeyConfiguration as AccountKeyConfiguration
    from smalt.entities.workspaces.credentials import CertificateConfiguration as CertificateConfiguration
    from smalt.entities.workspaces.credentials import NoneCredentials as NoneCredentials
    from smalt.entities.workspaces.credentials import SasTokenConfiguration as SasTokenConfiguration
    from smalt.entities.workspaces.credentials import ServiceAccountKeyCredentials as ServiceAccountKeyCredentials
    from smalt.entities.workspaces.credentials import ServicePrincipalConfiguration as ServicePrincipalConfiguration
    from smalt.entities.workspaces.datastore import AzureBlobDatastore as AzureBlobDatastore
    from smalt.entities.workspaces.datastore import AzureDataLakeGen1Datastore as AzureDataLakeGen1Datastore
    from smalt.entities.workspaces.datastore import AzureDataLakeGen2Datastore as AzureDataLakeGen2Datastore
    from smalt.entities.workspaces.datastore import AzureFileDatastore as AzureFileDatastore
    from smalt.entities.workspaces.datastore import Datastore as Datastore
    from smalt.entities.workspaces.datastore import GcsDatastore as GcsDatastore
    from smalt.entities.workspaces.datastore import LocalPathDatastore as LocalPathDatastore
    from smalt.entities.workspaces.datastore import OneLakeArtifact as OneLakeArtifact
    from smalt.entities.workspaces.datastore import OneLakeConnectionArtifact as OneLakeConnectionArtifact
    from smalt.entities.workspaces.datastore import OneLakeDatastore as OneLakeDatastore
    from smalt.entities.workspaces.datastore import S3Datastore as S3Datastore
    from smalt.entities.workspaces.feature_store import ComputeRuntime as ComputeRuntime
    from smalt.entities.workspaces.feature_store import DataColumn as DataColumn
    from smalt.entities.workspaces.feature_store import FeatureSet as FeatureSet
    from smalt.entities.workspaces.feature_store import FeatureSetSpecification as FeatureSetSpecification
    from smalt.entities.workspaces.feature_store import FeatureStore as FeatureStore
    from smalt.entities.workspaces.feature_store import FeatureStoreEntity as FeatureStoreEntity
    from smalt.entities.workspaces.feature_store import MaterializationComputeResource as MaterializationComputeResource
    from smalt.entities.workspaces.feature_store import MaterializationSettings as MaterializationSettings
    from smalt.entities.workspaces.feature_store import MaterializationStore as MaterializationStore
    from smalt.entities.workspaces.feature_store import Notification as Notification
    from smalt.entities.workspaces.features import Feature as Feature
    from smalt.entities.workspaces.features import FeatureSetBackfillRequest as FeatureSetBackfillRequest
    from smalt.entities.workspaces.features import FeatureStoreSettings as FeatureStoreSettings
    from smalt.entities.workspaces.registry import Registry as Registry
    from smalt.entities.workspaces.registry import RegistryRegionDetails as RegistryRegionDetails
    from smalt.entities.workspaces.registry import SystemCreatedAcrAccount as SystemCreatedAcrAccount
    from smalt.entities.workspaces.registry import SystemCreatedStorageAccount as SystemCreatedStorageAccount
    from smalt.entities.workspaces.resource_identity import ResourceIdentity as ResourceIdentity
    from smalt.entities.workspaces.resource_identity import UserAssignedIdentity as UserAssignedIdentity
    from smalt.entities.workspaces.workspace import CustomerManagedKey as CustomerManagedKey
    from smalt.entities.workspaces.workspace import FqdnDestination as FqdnDestination
    from smalt.entities.workspaces.workspace import Hub as Hub
    from smalt.entities.workspaces.workspace import IPRule as IPRule
    from smalt.entities.workspaces.workspace import ManagedNetwork as ManagedNetwork
    from smalt.entities.workspaces.workspace import NetworkAcls as NetworkAcls
    from smalt.entities.workspaces.workspace import OutboundRule as OutboundRule
    from smalt.entities.workspaces.workspace import PrivateEndpointDestination as PrivateEndpointDestination
    from smalt.entities.workspaces.workspace import Project as Project
    from smalt.entities.workspaces.workspace import ServerlessComputeSettings as ServerlessComputeSettings
    from smalt.entities.workspaces.workspace import ServiceTagDestination as ServiceTagDestination
    from smalt.entities.workspaces.workspace import Workspace as Workspace

    AadCredentialConfiguration = AadCredentials
    AmlTokenConfiguration = AmlToken
    Command = CommandNode
    IdentityConfiguration = ResourceIdentity
    ManagedIdentityConfiguration = ManagedIdentity
    NoneCredentialConfiguration = NoneCredentials
    Parallel = ParallelNode
    Pipeline = PipelineNode
    Spark = SparkNode
    Sweep = SweepNode
    UserIdentityConfiguration = UserIdentity
    WorkspaceConnection = Connection

_MODULES = {
    "assets.asset": "Asset IntellectualProperty Resource SystemData",
    "assets.component": "Component",
    "assets.data": "Data",
    "assets.data_import": "DataImport",
    "assets.deployment_template": "AcceleratorMap DeploymentTemplate DeploymentTemplateReference "
    "WorkspaceModelReference",
    "assets.environment": "BuildContext Environment Route",
    "assets.flow": "FlowComponent",
    "assets.index": "Index",
    "assets.index_sources": "AzureAISearchConfig GitSource IndexDataSource IndexModelConfiguration LocalSource",
    "assets.model": "Model",
    "assets.model_package": "AzureMLBatchInferencingServer AzureMLOnlineInferencingServer BaseEnvironment "
    "CustomInferencingServer ModelConfiguration ModelPackage ModelPackageInput PackageInputPathId "
    "PackageInputPathUrl PackageInputPathVersion TritonInferencingServer",
    "computes.compute": "AmlCompute AssignedUserConfiguration Compute ComputeInstance KubernetesCompute "
    "NetworkSettings SynapseSparkCompute VirtualMachineCompute",
    "computes.settings": "AmlComputeSshSettings AutoPauseSettings AutoScaleSettings ComputeInstanceSshSettings "
    "ComputeSchedules ComputeStartStopSchedule CustomApplications EndpointsSettings ImageSettings ScriptReference "
    "SetupScripts UnsupportedCompute VirtualMachineSshSettings VolumeSettings",
    "endpoints.batch_deployment": "BatchDeployment BatchRetrySettings ModelBatchDeployment "
    "ModelBatchDeploymentSettings PipelineComponentBatchDeployment",
    "endpoints.deployment": "CodeConfiguration Deployment",
    "endpoints.endpoint": "BatchEndpoint Endpoint KubernetesOnlineEndpoint ManagedOnlineEndpoint "
    "MarketplacePlan MarketplaceSubscription OnlineEndpoint ServerlessEndpoint",
    "endpoints.online_deployment": "DataAsset DataCollector DefaultScaleSettings DeploymentCollection "
    "KubernetesOnlineDeployment ManagedOnlineDeployment OnlineDeployment OnlineRequestSettings "
    "OnlineScaleSettings ProbeSettings RequestLogging ResourceRequirementsSettings ResourceSettings "
    "TargetUtilizationScaleSettings",
    "enums": "CapabilityHostKind ComputePowerAction CreatedByType DataAvailabilityStatus DataColumnType "
    "DefaultActionType IsolationMode MaterializationType ScheduleState SparkJobEntryType UsageUnit",
    "jobs.automl.job": "AutoMLComponent AutoMLJob AutoMLNode",
    "jobs.command": "CommandComponent CommandJob CommandNode ParameterizedCommand",
    "jobs.control_flow": "DoWhile IfElse ParallelFor",
    "jobs.data_transfer": "DataTransferComponent DataTransferJob DataTransferNode Database FileSystem",
    "jobs.distillation": "DistillationJob",
    "jobs.finetuning": "CustomModelFineTuningJob FineTuningJob JobResources",
    "jobs.identity": "AmlToken ManagedIdentity UserIdentity",
    "jobs.import_job": "ImportComponent ImportJob ImportNode",
    "jobs.inputs": "Input InputPort Output",
    "jobs.job": "Job",
    "jobs.parallel": "ParallelComponent ParallelNode ParallelTask RetrySettings",
    "jobs.pipeline": "PipelineComponent PipelineJob PipelineJobSettings PipelineNode",
    "jobs.resources": "CommandJobLimits ComputeConfiguration JobResourceConfiguration MpiDistribution "
    "PyTorchDistribution QueueSettings RayDistribution ResourceConfiguration TensorFlowDistribution",
    "jobs.search_space": "BanditPolicy BayesianSamplingAlgorithm Choice GridSamplingAlgorithm LogNormal "
    "LogUniform MedianStoppingPolicy Normal Objective QLogNormal QLogUniform QNormal QUniform Randint "
    "RandomSamplingAlgorithm SamplingAlgorithm SweepJobLimits TruncationSelectionPolicy Uniform",
    "jobs.services": "JobService JupyterLabJobService SshJobService TensorBoardJobService VsCodeJobService",
    "jobs.spark": "SparkComponent SparkJob SparkJobEntry SparkNode SparkResourceConfiguration",
    "jobs.sweep": "SweepJob SweepNode",
    "responses": "AmlComputeNodeInfo AzureOpenAIDeployment BatchJob ContainerRegistryCredential "
    "DiagnoseRequestProperties DiagnoseResponseResult DiagnoseResponseResultValue DiagnoseResult "
    "DiagnoseWorkspaceParameters EndpointAadToken EndpointAuthKeys EndpointAuthToken EndpointConnection "
    "FeatureSetBackfillMetadata FeatureSetMaterializationMetadata FeatureWindow ImageMetadata "
    "ManagedNetworkProvisionStatus NotebookAccessKeys PrivateEndpoint ScheduleTriggerResult ServiceInstance Usage "
    "UsageName VmSize WorkspaceKeys",
    "schedules.monitor": "AlertNotification MonitorDefinition MonitoringTarget ServerlessSparkCompute",
    "schedules.schedule": "ImportDataSchedule JobSchedule MonitorSchedule Schedule",
    "schedules.scheduled_job": "ScheduledJob",
    "schedules.signals": "BaselineDataRange CategoricalDriftMetrics CustomMonitoringMetricThreshold "
    "CustomMonitoringSignal DataDriftMetricThreshold DataDriftSignal DataQualityMetricThreshold "
    "DataQualityMetricsCategorical DataQualityMetricsNumerical DataQualitySignal DataSegment FADProductionData "
    "FeatureAttributionDriftMetricThreshold FeatureAttributionDriftSignal FixedInputData "
    "GenerationSafetyQualityMonitoringMetricThreshold GenerationSafetyQualitySignal "
    "GenerationTokenStatisticsMonitorMetricThreshold GenerationTokenStatisticsSignal LlmData "
    "ModelPerformanceClassificationThresholds ModelPerformanceMetricThreshold "
    "ModelPerformanceRegressionThresholds ModelPerformanceSignal MonitorFeatureFilter MonitorInputData "
    "NumericalDriftMetrics PredictionDriftMetricThreshold PredictionDriftSignal ProductionData ReferenceData "
    "StaticInputData TrailingInputData",
    "schedules.triggers": "CronTrigger RecurrencePattern RecurrenceTrigger",
    "schema.documents": "read",
    "schema.entity": "Entity",
    "schema.json_schema": "json_schema",
    "schema.problems": "Problem",
    "schema.validation_result": "ValidationResult",
    "steps.nodes": "Node",
    "syntax.literals": "convert to_text",
    "syntax.references": "parse_reference parse_uri",
    "workspaces.capability_host": "CapabilityHost",
    "workspaces.connection": "APIKeyConnection AadCredentials AccessKeyConfiguration ApiKeyConfiguration "
    "AzureAISearchConnection AzureAIServicesConnection AzureBlobStoreConnection AzureContentSafetyConnection "
    "AzureOpenAIConnection AzureSpeechServicesConnection Connection MicrosoftOneLakeConnection OpenAIConnection "
    "PatTokenConfiguration SerpConnection ServerlessConnection UsernamePasswordConfiguration",
    "workspaces.credentials": "AccessKeyCredentials AccountKeyConfiguration CertificateConfiguration "
    "NoneCredentials SasTokenConfiguration ServiceAccountKeyCredentials ServicePrincipalConfiguration",
    "workspaces.datastore": "AzureBlobDatastore AzureDataLakeGen1Datastore AzureDataLakeGen2Datastore "
    "AzureFileDatastore Datastore GcsDatastore LocalPathDatastore OneLakeArtifact OneLakeConnectionArtifact "
    "OneLakeDatastore S3Datastore",
    "workspaces.feature_store": "ComputeRuntime DataColumn FeatureSet FeatureSetSpecification FeatureStore "
    "FeatureStoreEntity MaterializationComputeResource MaterializationSettings MaterializationStore Notification",
    "workspaces.features": "Feature FeatureSetBackfillRequest FeatureStoreSettings",
    "workspaces.registry": "Registry RegistryRegionDetails SystemCreatedAcrAccount SystemCreatedStorageAccount",
    "workspaces.resource_identity": "ResourceIdentity UserAssignedIdentity",
    "workspaces.workspace": "CustomerManagedKey FqdnDestination Hub IPRule ManagedNetwork NetworkAcls "
    "OutboundRule PrivateEndpointDestination Project ServerlessComputeSettings ServiceTagDestination Workspace",
}
_RENAMED = {
    "AadCredentialConfiguration": ("workspaces.connection", "AadCredentials"),
    "AmlTokenConfiguration": ("jobs.identity", "AmlToken"),
    "Command": ("jobs.command", "CommandNode"),
    "IdentityConfiguration": ("workspaces.resource_identity", "ResourceIdentity"),
    "ManagedIdentityConfiguration": ("jobs.identity", "ManagedIdentity"),
    "NoneCredentialConfiguration": ("workspaces.credentials", "NoneCredentials"),
    "Parallel": ("jobs.parallel", "ParallelNode"),
    "Pipeline": ("jobs.pipeline", "PipelineNode"),
    "Spark": ("jobs.spark", "SparkNode"),
    "Sweep": ("jobs.sweep", "SweepNode"),
    "UserIdentityConfiguration": ("jobs.identity", "UserIdentity"),
    "WorkspaceConnection": ("workspaces.connection", "Connection"),
}
"""The official SDK's own names for some nouns."""

_WHERE = {name: (module, name) for module, names in _MODULES.items() for name in names.split()} | _RENAMED

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'smalt.entities' has no attribute '{name}'")
    module, attribute = _WHERE[name]
    value = globals()[name] = getattr(import_module(f"smalt.entities.{module}"), attribute)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
