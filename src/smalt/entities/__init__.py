"""The nouns a user writes: one module per noun; plain data, no I/O.

Classes are loaded when they are first asked for, so that importing this costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.entities.answers import AmlComputeNodeInfo as AmlComputeNodeInfo
    from smalt.entities.answers import AzureOpenAIDeployment as AzureOpenAIDeployment
    from smalt.entities.answers import BatchJob as BatchJob
    from smalt.entities.answers import ContainerRegistryCredential as ContainerRegistryCredential
    from smalt.entities.answers import DiagnoseRequestProperties as DiagnoseRequestProperties
    from smalt.entities.answers import DiagnoseResponseResult as DiagnoseResponseResult
    from smalt.entities.answers import DiagnoseResponseResultValue as DiagnoseResponseResultValue
    from smalt.entities.answers import DiagnoseResult as DiagnoseResult
    from smalt.entities.answers import DiagnoseWorkspaceParameters as DiagnoseWorkspaceParameters
    from smalt.entities.answers import EndpointAadToken as EndpointAadToken
    from smalt.entities.answers import EndpointAuthKeys as EndpointAuthKeys
    from smalt.entities.answers import EndpointAuthToken as EndpointAuthToken
    from smalt.entities.answers import EndpointConnection as EndpointConnection
    from smalt.entities.answers import FeatureSetBackfillMetadata as FeatureSetBackfillMetadata
    from smalt.entities.answers import FeatureSetMaterializationMetadata as FeatureSetMaterializationMetadata
    from smalt.entities.answers import FeatureWindow as FeatureWindow
    from smalt.entities.answers import ImageMetadata as ImageMetadata
    from smalt.entities.answers import ManagedNetworkProvisionStatus as ManagedNetworkProvisionStatus
    from smalt.entities.answers import NotebookAccessKeys as NotebookAccessKeys
    from smalt.entities.answers import PrivateEndpoint as PrivateEndpoint
    from smalt.entities.answers import ScheduleTriggerResult as ScheduleTriggerResult
    from smalt.entities.answers import ServiceInstance as ServiceInstance
    from smalt.entities.answers import Usage as Usage
    from smalt.entities.answers import UsageName as UsageName
    from smalt.entities.answers import VmSize as VmSize
    from smalt.entities.answers import WorkspaceKeys as WorkspaceKeys
    from smalt.entities.asset import Asset as Asset
    from smalt.entities.asset import IntellectualProperty as IntellectualProperty
    from smalt.entities.asset import Resource as Resource
    from smalt.entities.asset import SystemData as SystemData
    from smalt.entities.automl_job import AutoMLComponent as AutoMLComponent
    from smalt.entities.automl_job import AutoMLJob as AutoMLJob
    from smalt.entities.automl_job import AutoMLNode as AutoMLNode
    from smalt.entities.batch_deployment import BatchDeployment as BatchDeployment
    from smalt.entities.batch_deployment import BatchRetrySettings as BatchRetrySettings
    from smalt.entities.batch_deployment import ModelBatchDeployment as ModelBatchDeployment
    from smalt.entities.batch_deployment import ModelBatchDeploymentSettings as ModelBatchDeploymentSettings
    from smalt.entities.batch_deployment import PipelineComponentBatchDeployment as PipelineComponentBatchDeployment
    from smalt.entities.capability_host import CapabilityHost as CapabilityHost
    from smalt.entities.command import ParameterizedCommand as ParameterizedCommand
    from smalt.entities.command_component import CommandComponent as CommandComponent
    from smalt.entities.command_job import CommandJob as CommandJob
    from smalt.entities.component import Component as Component
    from smalt.entities.compute import AmlCompute as AmlCompute
    from smalt.entities.compute import AssignedUserConfiguration as AssignedUserConfiguration
    from smalt.entities.compute import Compute as Compute
    from smalt.entities.compute import ComputeInstance as ComputeInstance
    from smalt.entities.compute import KubernetesCompute as KubernetesCompute
    from smalt.entities.compute import NetworkSettings as NetworkSettings
    from smalt.entities.compute import SynapseSparkCompute as SynapseSparkCompute
    from smalt.entities.compute import VirtualMachineCompute as VirtualMachineCompute
    from smalt.entities.compute_settings import AmlComputeSshSettings as AmlComputeSshSettings
    from smalt.entities.compute_settings import AutoPauseSettings as AutoPauseSettings
    from smalt.entities.compute_settings import AutoScaleSettings as AutoScaleSettings
    from smalt.entities.compute_settings import ComputeInstanceSshSettings as ComputeInstanceSshSettings
    from smalt.entities.compute_settings import ComputeSchedules as ComputeSchedules
    from smalt.entities.compute_settings import ComputeStartStopSchedule as ComputeStartStopSchedule
    from smalt.entities.compute_settings import CustomApplications as CustomApplications
    from smalt.entities.compute_settings import EndpointsSettings as EndpointsSettings
    from smalt.entities.compute_settings import ImageSettings as ImageSettings
    from smalt.entities.compute_settings import ScriptReference as ScriptReference
    from smalt.entities.compute_settings import SetupScripts as SetupScripts
    from smalt.entities.compute_settings import UnsupportedCompute as UnsupportedCompute
    from smalt.entities.compute_settings import VirtualMachineSshSettings as VirtualMachineSshSettings
    from smalt.entities.compute_settings import VolumeSettings as VolumeSettings
    from smalt.entities.connection import AadCredentials as AadCredentials
    from smalt.entities.connection import AccessKeyConfiguration as AccessKeyConfiguration
    from smalt.entities.connection import ApiKeyConfiguration as ApiKeyConfiguration
    from smalt.entities.connection import APIKeyConnection as APIKeyConnection
    from smalt.entities.connection import AzureAISearchConnection as AzureAISearchConnection
    from smalt.entities.connection import AzureAIServicesConnection as AzureAIServicesConnection
    from smalt.entities.connection import AzureBlobStoreConnection as AzureBlobStoreConnection
    from smalt.entities.connection import AzureContentSafetyConnection as AzureContentSafetyConnection
    from smalt.entities.connection import AzureOpenAIConnection as AzureOpenAIConnection
    from smalt.entities.connection import AzureSpeechServicesConnection as AzureSpeechServicesConnection
    from smalt.entities.connection import Connection as Connection
    from smalt.entities.connection import MicrosoftOneLakeConnection as MicrosoftOneLakeConnection
    from smalt.entities.connection import OpenAIConnection as OpenAIConnection
    from smalt.entities.connection import PatTokenConfiguration as PatTokenConfiguration
    from smalt.entities.connection import SerpConnection as SerpConnection
    from smalt.entities.connection import ServerlessConnection as ServerlessConnection
    from smalt.entities.connection import UsernamePasswordConfiguration as UsernamePasswordConfiguration
    from smalt.entities.control_flow import DoWhile as DoWhile
    from smalt.entities.control_flow import IfElse as IfElse
    from smalt.entities.control_flow import ParallelFor as ParallelFor
    from smalt.entities.credentials import AccessKeyCredentials as AccessKeyCredentials
    from smalt.entities.credentials import AccountKeyConfiguration as AccountKeyConfiguration
    from smalt.entities.credentials import CertificateConfiguration as CertificateConfiguration
    from smalt.entities.credentials import NoneCredentials as NoneCredentials
    from smalt.entities.credentials import SasTokenConfiguration as SasTokenConfiguration
    from smalt.entities.credentials import ServiceAccountKeyCredentials as ServiceAccountKeyCredentials
    from smalt.entities.credentials import ServicePrincipalConfiguration as ServicePrincipalConfiguration
    from smalt.entities.data import Data as Data
    from smalt.entities.data_import import DataImport as DataImport
    from smalt.entities.data_transfer import Database as Database
    from smalt.entities.data_transfer import DataTransferComponent as DataTransferComponent
    from smalt.entities.data_transfer import DataTransferJob as DataTransferJob
    from smalt.entities.data_transfer import DataTransferNode as DataTransferNode
    from smalt.entities.data_transfer import FileSystem as FileSystem
    from smalt.entities.datastore import AzureBlobDatastore as AzureBlobDatastore
    from smalt.entities.datastore import AzureDataLakeGen1Datastore as AzureDataLakeGen1Datastore
    from smalt.entities.datastore import AzureDataLakeGen2Datastore as AzureDataLakeGen2Datastore
    from smalt.entities.datastore import AzureFileDatastore as AzureFileDatastore
    from smalt.entities.datastore import Datastore as Datastore
    from smalt.entities.datastore import GcsDatastore as GcsDatastore
    from smalt.entities.datastore import LocalPathDatastore as LocalPathDatastore
    from smalt.entities.datastore import OneLakeArtifact as OneLakeArtifact
    from smalt.entities.datastore import OneLakeConnectionArtifact as OneLakeConnectionArtifact
    from smalt.entities.datastore import OneLakeDatastore as OneLakeDatastore
    from smalt.entities.datastore import S3Datastore as S3Datastore
    from smalt.entities.deployment import CodeConfiguration as CodeConfiguration
    from smalt.entities.deployment import Deployment as Deployment
    from smalt.entities.distillation import DistillationJob as DistillationJob
    from smalt.entities.endpoint import BatchEndpoint as BatchEndpoint
    from smalt.entities.endpoint import Endpoint as Endpoint
    from smalt.entities.endpoint import KubernetesOnlineEndpoint as KubernetesOnlineEndpoint
    from smalt.entities.endpoint import ManagedOnlineEndpoint as ManagedOnlineEndpoint
    from smalt.entities.endpoint import MarketplacePlan as MarketplacePlan
    from smalt.entities.endpoint import MarketplaceSubscription as MarketplaceSubscription
    from smalt.entities.endpoint import OnlineEndpoint as OnlineEndpoint
    from smalt.entities.endpoint import ServerlessEndpoint as ServerlessEndpoint
    from smalt.entities.entity import Entity as Entity
    from smalt.entities.environment import BuildContext as BuildContext
    from smalt.entities.environment import Environment as Environment
    from smalt.entities.environment import Route as Route
    from smalt.entities.feature_store import ComputeRuntime as ComputeRuntime
    from smalt.entities.feature_store import DataColumn as DataColumn
    from smalt.entities.feature_store import FeatureSet as FeatureSet
    from smalt.entities.feature_store import FeatureSetSpecification as FeatureSetSpecification
    from smalt.entities.feature_store import FeatureStore as FeatureStore
    from smalt.entities.feature_store import FeatureStoreEntity as FeatureStoreEntity
    from smalt.entities.feature_store import MaterializationComputeResource as MaterializationComputeResource
    from smalt.entities.feature_store import MaterializationSettings as MaterializationSettings
    from smalt.entities.feature_store import MaterializationStore as MaterializationStore
    from smalt.entities.feature_store import Notification as Notification
    from smalt.entities.features import Feature as Feature
    from smalt.entities.features import FeatureSetBackfillRequest as FeatureSetBackfillRequest
    from smalt.entities.features import FeatureStoreSettings as FeatureStoreSettings
    from smalt.entities.finetuning import CustomModelFineTuningJob as CustomModelFineTuningJob
    from smalt.entities.finetuning import FineTuningJob as FineTuningJob
    from smalt.entities.finetuning import JobResources as JobResources
    from smalt.entities.flow import FlowComponent as FlowComponent
    from smalt.entities.identity import AmlToken as AmlToken
    from smalt.entities.identity import ManagedIdentity as ManagedIdentity
    from smalt.entities.identity import UserIdentity as UserIdentity
    from smalt.entities.import_job import ImportComponent as ImportComponent
    from smalt.entities.import_job import ImportJob as ImportJob
    from smalt.entities.import_job import ImportNode as ImportNode
    from smalt.entities.index import Index as Index
    from smalt.entities.inputs import Input as Input
    from smalt.entities.inputs import InputPort as InputPort
    from smalt.entities.inputs import Output as Output
    from smalt.entities.job import Job as Job
    from smalt.entities.json_schema import json_schema as json_schema
    from smalt.entities.literals import convert as convert
    from smalt.entities.literals import to_text as to_text
    from smalt.entities.model import Model as Model
    from smalt.entities.model_package import AzureMLBatchInferencingServer as AzureMLBatchInferencingServer
    from smalt.entities.model_package import AzureMLOnlineInferencingServer as AzureMLOnlineInferencingServer
    from smalt.entities.model_package import BaseEnvironment as BaseEnvironment
    from smalt.entities.model_package import CustomInferencingServer as CustomInferencingServer
    from smalt.entities.model_package import ModelConfiguration as ModelConfiguration
    from smalt.entities.model_package import ModelPackage as ModelPackage
    from smalt.entities.model_package import ModelPackageInput as ModelPackageInput
    from smalt.entities.model_package import PackageInputPathId as PackageInputPathId
    from smalt.entities.model_package import PackageInputPathUrl as PackageInputPathUrl
    from smalt.entities.model_package import PackageInputPathVersion as PackageInputPathVersion
    from smalt.entities.model_package import TritonInferencingServer as TritonInferencingServer
    from smalt.entities.monitor import AlertNotification as AlertNotification
    from smalt.entities.monitor import MonitorDefinition as MonitorDefinition
    from smalt.entities.monitor import MonitoringTarget as MonitoringTarget
    from smalt.entities.monitor import ServerlessSparkCompute as ServerlessSparkCompute
    from smalt.entities.monitoring import BaselineDataRange as BaselineDataRange
    from smalt.entities.monitoring import CategoricalDriftMetrics as CategoricalDriftMetrics
    from smalt.entities.monitoring import CustomMonitoringMetricThreshold as CustomMonitoringMetricThreshold
    from smalt.entities.monitoring import CustomMonitoringSignal as CustomMonitoringSignal
    from smalt.entities.monitoring import DataDriftMetricThreshold as DataDriftMetricThreshold
    from smalt.entities.monitoring import DataDriftSignal as DataDriftSignal
    from smalt.entities.monitoring import DataQualityMetricsCategorical as DataQualityMetricsCategorical
    from smalt.entities.monitoring import DataQualityMetricsNumerical as DataQualityMetricsNumerical
    from smalt.entities.monitoring import DataQualityMetricThreshold as DataQualityMetricThreshold
    from smalt.entities.monitoring import DataQualitySignal as DataQualitySignal
    from smalt.entities.monitoring import DataSegment as DataSegment
    from smalt.entities.monitoring import FADProductionData as FADProductionData
    from smalt.entities.monitoring import (
        FeatureAttributionDriftMetricThreshold as FeatureAttributionDriftMetricThreshold,
    )
    from smalt.entities.monitoring import FeatureAttributionDriftSignal as FeatureAttributionDriftSignal
    from smalt.entities.monitoring import FixedInputData as FixedInputData
    from smalt.entities.monitoring import (
        GenerationSafetyQualityMonitoringMetricThreshold as GenerationSafetyQualityMonitoringMetricThreshold,
    )
    from smalt.entities.monitoring import GenerationSafetyQualitySignal as GenerationSafetyQualitySignal
    from smalt.entities.monitoring import (
        GenerationTokenStatisticsMonitorMetricThreshold as GenerationTokenStatisticsMonitorMetricThreshold,
    )
    from smalt.entities.monitoring import GenerationTokenStatisticsSignal as GenerationTokenStatisticsSignal
    from smalt.entities.monitoring import LlmData as LlmData
    from smalt.entities.monitoring import (
        ModelPerformanceClassificationThresholds as ModelPerformanceClassificationThresholds,
    )
    from smalt.entities.monitoring import ModelPerformanceMetricThreshold as ModelPerformanceMetricThreshold
    from smalt.entities.monitoring import ModelPerformanceRegressionThresholds as ModelPerformanceRegressionThresholds
    from smalt.entities.monitoring import ModelPerformanceSignal as ModelPerformanceSignal
    from smalt.entities.monitoring import MonitorFeatureFilter as MonitorFeatureFilter
    from smalt.entities.monitoring import MonitorInputData as MonitorInputData
    from smalt.entities.monitoring import NumericalDriftMetrics as NumericalDriftMetrics
    from smalt.entities.monitoring import PredictionDriftMetricThreshold as PredictionDriftMetricThreshold
    from smalt.entities.monitoring import PredictionDriftSignal as PredictionDriftSignal
    from smalt.entities.monitoring import ProductionData as ProductionData
    from smalt.entities.monitoring import ReferenceData as ReferenceData
    from smalt.entities.monitoring import StaticInputData as StaticInputData
    from smalt.entities.monitoring import TrailingInputData as TrailingInputData
    from smalt.entities.nodes import CommandNode as CommandNode
    from smalt.entities.nodes import Node as Node
    from smalt.entities.nodes import PipelineNode as PipelineNode
    from smalt.entities.nodes import SweepNode as SweepNode
    from smalt.entities.online_deployment import DataAsset as DataAsset
    from smalt.entities.online_deployment import DataCollector as DataCollector
    from smalt.entities.online_deployment import DefaultScaleSettings as DefaultScaleSettings
    from smalt.entities.online_deployment import DeploymentCollection as DeploymentCollection
    from smalt.entities.online_deployment import KubernetesOnlineDeployment as KubernetesOnlineDeployment
    from smalt.entities.online_deployment import ManagedOnlineDeployment as ManagedOnlineDeployment
    from smalt.entities.online_deployment import OnlineDeployment as OnlineDeployment
    from smalt.entities.online_deployment import OnlineRequestSettings as OnlineRequestSettings
    from smalt.entities.online_deployment import OnlineScaleSettings as OnlineScaleSettings
    from smalt.entities.online_deployment import ProbeSettings as ProbeSettings
    from smalt.entities.online_deployment import RequestLogging as RequestLogging
    from smalt.entities.online_deployment import ResourceRequirementsSettings as ResourceRequirementsSettings
    from smalt.entities.online_deployment import ResourceSettings as ResourceSettings
    from smalt.entities.online_deployment import TargetUtilizationScaleSettings as TargetUtilizationScaleSettings
    from smalt.entities.parallel import ParallelComponent as ParallelComponent
    from smalt.entities.parallel import ParallelNode as ParallelNode
    from smalt.entities.parallel import ParallelTask as ParallelTask
    from smalt.entities.parallel import RetrySettings as RetrySettings
    from smalt.entities.pipeline_component import PipelineComponent as PipelineComponent
    from smalt.entities.pipeline_job import PipelineJob as PipelineJob
    from smalt.entities.pipeline_job import PipelineJobSettings as PipelineJobSettings
    from smalt.entities.problems import Problem as Problem
    from smalt.entities.reading import read as read
    from smalt.entities.references import parse_reference as parse_reference
    from smalt.entities.references import parse_uri as parse_uri
    from smalt.entities.registry import Registry as Registry
    from smalt.entities.registry import RegistryRegionDetails as RegistryRegionDetails
    from smalt.entities.registry import SystemCreatedAcrAccount as SystemCreatedAcrAccount
    from smalt.entities.registry import SystemCreatedStorageAccount as SystemCreatedStorageAccount
    from smalt.entities.resource_identity import ResourceIdentity as ResourceIdentity
    from smalt.entities.resource_identity import UserAssignedIdentity as UserAssignedIdentity
    from smalt.entities.resources import CommandJobLimits as CommandJobLimits
    from smalt.entities.resources import ComputeConfiguration as ComputeConfiguration
    from smalt.entities.resources import JobResourceConfiguration as JobResourceConfiguration
    from smalt.entities.resources import MpiDistribution as MpiDistribution
    from smalt.entities.resources import PyTorchDistribution as PyTorchDistribution
    from smalt.entities.resources import QueueSettings as QueueSettings
    from smalt.entities.resources import RayDistribution as RayDistribution
    from smalt.entities.resources import ResourceConfiguration as ResourceConfiguration
    from smalt.entities.resources import TensorFlowDistribution as TensorFlowDistribution
    from smalt.entities.retrieval import AzureAISearchConfig as AzureAISearchConfig
    from smalt.entities.retrieval import GitSource as GitSource
    from smalt.entities.retrieval import IndexDataSource as IndexDataSource
    from smalt.entities.retrieval import IndexModelConfiguration as IndexModelConfiguration
    from smalt.entities.retrieval import LocalSource as LocalSource
    from smalt.entities.schedule import ImportDataSchedule as ImportDataSchedule
    from smalt.entities.schedule import JobSchedule as JobSchedule
    from smalt.entities.schedule import MonitorSchedule as MonitorSchedule
    from smalt.entities.schedule import Schedule as Schedule
    from smalt.entities.scheduled_job import ScheduledJob as ScheduledJob
    from smalt.entities.services import JobService as JobService
    from smalt.entities.services import JupyterLabJobService as JupyterLabJobService
    from smalt.entities.services import SshJobService as SshJobService
    from smalt.entities.services import TensorBoardJobService as TensorBoardJobService
    from smalt.entities.services import VsCodeJobService as VsCodeJobService
    from smalt.entities.spark import SparkComponent as SparkComponent
    from smalt.entities.spark import SparkJob as SparkJob
    from smalt.entities.spark import SparkJobEntry as SparkJobEntry
    from smalt.entities.spark import SparkNode as SparkNode
    from smalt.entities.spark import SparkResourceConfiguration as SparkResourceConfiguration
    from smalt.entities.sweep import BanditPolicy as BanditPolicy
    from smalt.entities.sweep import BayesianSamplingAlgorithm as BayesianSamplingAlgorithm
    from smalt.entities.sweep import Choice as Choice
    from smalt.entities.sweep import GridSamplingAlgorithm as GridSamplingAlgorithm
    from smalt.entities.sweep import LogNormal as LogNormal
    from smalt.entities.sweep import LogUniform as LogUniform
    from smalt.entities.sweep import MedianStoppingPolicy as MedianStoppingPolicy
    from smalt.entities.sweep import Normal as Normal
    from smalt.entities.sweep import Objective as Objective
    from smalt.entities.sweep import QLogNormal as QLogNormal
    from smalt.entities.sweep import QLogUniform as QLogUniform
    from smalt.entities.sweep import QNormal as QNormal
    from smalt.entities.sweep import QUniform as QUniform
    from smalt.entities.sweep import Randint as Randint
    from smalt.entities.sweep import RandomSamplingAlgorithm as RandomSamplingAlgorithm
    from smalt.entities.sweep import SamplingAlgorithm as SamplingAlgorithm
    from smalt.entities.sweep import SweepJobLimits as SweepJobLimits
    from smalt.entities.sweep import TruncationSelectionPolicy as TruncationSelectionPolicy
    from smalt.entities.sweep import Uniform as Uniform
    from smalt.entities.sweep_job import SweepJob as SweepJob
    from smalt.entities.templates import AcceleratorMap as AcceleratorMap
    from smalt.entities.templates import DeploymentTemplate as DeploymentTemplate
    from smalt.entities.templates import DeploymentTemplateReference as DeploymentTemplateReference
    from smalt.entities.templates import WorkspaceModelReference as WorkspaceModelReference
    from smalt.entities.triggers import CronTrigger as CronTrigger
    from smalt.entities.triggers import RecurrencePattern as RecurrencePattern
    from smalt.entities.triggers import RecurrenceTrigger as RecurrenceTrigger
    from smalt.entities.validation_result import ValidationResult as ValidationResult
    from smalt.entities.words import CapabilityHostKind as CapabilityHostKind
    from smalt.entities.words import ComputePowerAction as ComputePowerAction
    from smalt.entities.words import CreatedByType as CreatedByType
    from smalt.entities.words import DataAvailabilityStatus as DataAvailabilityStatus
    from smalt.entities.words import DataColumnType as DataColumnType
    from smalt.entities.words import DefaultActionType as DefaultActionType
    from smalt.entities.words import IsolationMode as IsolationMode
    from smalt.entities.words import MaterializationType as MaterializationType
    from smalt.entities.words import ScheduleState as ScheduleState
    from smalt.entities.words import SparkJobEntryType as SparkJobEntryType
    from smalt.entities.words import UsageUnit as UsageUnit
    from smalt.entities.workspace import CustomerManagedKey as CustomerManagedKey
    from smalt.entities.workspace import FqdnDestination as FqdnDestination
    from smalt.entities.workspace import Hub as Hub
    from smalt.entities.workspace import IPRule as IPRule
    from smalt.entities.workspace import ManagedNetwork as ManagedNetwork
    from smalt.entities.workspace import NetworkAcls as NetworkAcls
    from smalt.entities.workspace import OutboundRule as OutboundRule
    from smalt.entities.workspace import PrivateEndpointDestination as PrivateEndpointDestination
    from smalt.entities.workspace import Project as Project
    from smalt.entities.workspace import ServerlessComputeSettings as ServerlessComputeSettings
    from smalt.entities.workspace import ServiceTagDestination as ServiceTagDestination
    from smalt.entities.workspace import Workspace as Workspace

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
    "answers": "AmlComputeNodeInfo AzureOpenAIDeployment BatchJob ContainerRegistryCredential "
    "DiagnoseRequestProperties DiagnoseResponseResult DiagnoseResponseResultValue DiagnoseResult "
    "DiagnoseWorkspaceParameters EndpointAadToken EndpointAuthKeys EndpointAuthToken "
    "EndpointConnection FeatureSetBackfillMetadata FeatureSetMaterializationMetadata FeatureWindow "
    "ImageMetadata ManagedNetworkProvisionStatus NotebookAccessKeys PrivateEndpoint "
    "ScheduleTriggerResult ServiceInstance Usage UsageName VmSize WorkspaceKeys",
    "asset": "Asset IntellectualProperty Resource SystemData",
    "automl_job": "AutoMLComponent AutoMLJob AutoMLNode",
    "batch_deployment": "BatchDeployment BatchRetrySettings ModelBatchDeployment ModelBatchDeploymentSettings "
    "PipelineComponentBatchDeployment",
    "capability_host": "CapabilityHost",
    "command": "ParameterizedCommand",
    "command_component": "CommandComponent",
    "command_job": "CommandJob",
    "component": "Component",
    "compute": "AmlCompute AssignedUserConfiguration Compute ComputeInstance KubernetesCompute NetworkSettings "
    "SynapseSparkCompute VirtualMachineCompute",
    "compute_settings": "AmlComputeSshSettings AutoPauseSettings AutoScaleSettings ComputeInstanceSshSettings "
    "ComputeSchedules ComputeStartStopSchedule CustomApplications EndpointsSettings ImageSettings "
    "ScriptReference SetupScripts UnsupportedCompute VirtualMachineSshSettings VolumeSettings",
    "connection": "APIKeyConnection AadCredentials AccessKeyConfiguration ApiKeyConfiguration "
    "AzureAISearchConnection AzureAIServicesConnection AzureBlobStoreConnection "
    "AzureContentSafetyConnection AzureOpenAIConnection AzureSpeechServicesConnection Connection "
    "MicrosoftOneLakeConnection OpenAIConnection PatTokenConfiguration SerpConnection "
    "ServerlessConnection UsernamePasswordConfiguration",
    "control_flow": "DoWhile IfElse ParallelFor",
    "credentials": "AccessKeyCredentials AccountKeyConfiguration CertificateConfiguration NoneCredentials "
    "SasTokenConfiguration ServiceAccountKeyCredentials ServicePrincipalConfiguration",
    "data": "Data",
    "data_import": "DataImport",
    "data_transfer": "DataTransferComponent DataTransferJob DataTransferNode Database FileSystem",
    "datastore": "AzureBlobDatastore AzureDataLakeGen1Datastore AzureDataLakeGen2Datastore AzureFileDatastore "
    "Datastore GcsDatastore LocalPathDatastore OneLakeArtifact OneLakeConnectionArtifact OneLakeDatastore S3Datastore",
    "deployment": "CodeConfiguration Deployment",
    "distillation": "DistillationJob",
    "endpoint": "BatchEndpoint Endpoint KubernetesOnlineEndpoint ManagedOnlineEndpoint MarketplacePlan "
    "MarketplaceSubscription OnlineEndpoint ServerlessEndpoint",
    "entity": "Entity",
    "environment": "BuildContext Environment Route",
    "feature_store": "ComputeRuntime DataColumn FeatureSet FeatureSetSpecification FeatureStore FeatureStoreEntity "
    "MaterializationComputeResource MaterializationSettings MaterializationStore Notification",
    "features": "Feature FeatureSetBackfillRequest FeatureStoreSettings",
    "finetuning": "CustomModelFineTuningJob FineTuningJob JobResources",
    "flow": "FlowComponent",
    "identity": "AmlToken ManagedIdentity UserIdentity",
    "import_job": "ImportComponent ImportJob ImportNode",
    "index": "Index",
    "inputs": "Input InputPort Output",
    "job": "Job",
    "json_schema": "json_schema",
    "literals": "convert to_text",
    "model": "Model",
    "model_package": "AzureMLBatchInferencingServer AzureMLOnlineInferencingServer BaseEnvironment "
    "CustomInferencingServer ModelConfiguration ModelPackage ModelPackageInput PackageInputPathId "
    "PackageInputPathUrl PackageInputPathVersion TritonInferencingServer",
    "monitor": "AlertNotification MonitorDefinition MonitoringTarget ServerlessSparkCompute",
    "monitoring": "BaselineDataRange CategoricalDriftMetrics CustomMonitoringMetricThreshold "
    "CustomMonitoringSignal DataDriftMetricThreshold DataDriftSignal DataQualityMetricThreshold "
    "DataQualityMetricsCategorical DataQualityMetricsNumerical DataQualitySignal DataSegment "
    "FADProductionData FeatureAttributionDriftMetricThreshold FeatureAttributionDriftSignal "
    "FixedInputData GenerationSafetyQualityMonitoringMetricThreshold GenerationSafetyQualitySignal "
    "GenerationTokenStatisticsMonitorMetricThreshold GenerationTokenStatisticsSignal LlmData "
    "ModelPerformanceClassificationThresholds ModelPerformanceMetricThreshold "
    "ModelPerformanceRegressionThresholds ModelPerformanceSignal MonitorFeatureFilter "
    "MonitorInputData NumericalDriftMetrics PredictionDriftMetricThreshold PredictionDriftSignal "
    "ProductionData ReferenceData StaticInputData TrailingInputData",
    "nodes": "CommandNode Node PipelineNode SweepNode",
    "online_deployment": "DataAsset DataCollector DefaultScaleSettings DeploymentCollection KubernetesOnlineDeployment "
    "ManagedOnlineDeployment OnlineDeployment OnlineRequestSettings OnlineScaleSettings "
    "ProbeSettings RequestLogging ResourceRequirementsSettings ResourceSettings "
    "TargetUtilizationScaleSettings",
    "parallel": "ParallelComponent ParallelNode ParallelTask RetrySettings",
    "pipeline_component": "PipelineComponent",
    "pipeline_job": "PipelineJob PipelineJobSettings",
    "problems": "Problem",
    "reading": "read",
    "references": "parse_reference parse_uri",
    "registry": "Registry RegistryRegionDetails SystemCreatedAcrAccount SystemCreatedStorageAccount",
    "resource_identity": "ResourceIdentity UserAssignedIdentity",
    "resources": "CommandJobLimits ComputeConfiguration JobResourceConfiguration MpiDistribution "
    "PyTorchDistribution QueueSettings RayDistribution ResourceConfiguration TensorFlowDistribution",
    "retrieval": "AzureAISearchConfig GitSource IndexDataSource IndexModelConfiguration LocalSource",
    "schedule": "ImportDataSchedule JobSchedule MonitorSchedule Schedule",
    "scheduled_job": "ScheduledJob",
    "services": "JobService JupyterLabJobService SshJobService TensorBoardJobService VsCodeJobService",
    "spark": "SparkComponent SparkJob SparkJobEntry SparkNode SparkResourceConfiguration",
    "sweep": "BanditPolicy BayesianSamplingAlgorithm Choice GridSamplingAlgorithm LogNormal LogUniform "
    "MedianStoppingPolicy Normal Objective QLogNormal QLogUniform QNormal QUniform Randint "
    "RandomSamplingAlgorithm SamplingAlgorithm SweepJobLimits TruncationSelectionPolicy Uniform",
    "sweep_job": "SweepJob",
    "templates": "AcceleratorMap DeploymentTemplate DeploymentTemplateReference WorkspaceModelReference",
    "triggers": "CronTrigger RecurrencePattern RecurrenceTrigger",
    "validation_result": "ValidationResult",
    "words": "CapabilityHostKind ComputePowerAction CreatedByType DataAvailabilityStatus DataColumnType "
    "DefaultActionType IsolationMode MaterializationType ScheduleState SparkJobEntryType UsageUnit",
    "workspace": "CustomerManagedKey FqdnDestination Hub IPRule ManagedNetwork NetworkAcls OutboundRule "
    "PrivateEndpointDestination Project ServerlessComputeSettings ServiceTagDestination Workspace",
}
_RENAMED = {
    "AadCredentialConfiguration": ("connection", "AadCredentials"),
    "AmlTokenConfiguration": ("identity", "AmlToken"),
    "Command": ("nodes", "CommandNode"),
    "IdentityConfiguration": ("resource_identity", "ResourceIdentity"),
    "ManagedIdentityConfiguration": ("identity", "ManagedIdentity"),
    "NoneCredentialConfiguration": ("credentials", "NoneCredentials"),
    "Parallel": ("parallel", "ParallelNode"),
    "Pipeline": ("nodes", "PipelineNode"),
    "Spark": ("spark", "SparkNode"),
    "Sweep": ("nodes", "SweepNode"),
    "UserIdentityConfiguration": ("identity", "UserIdentity"),
    "WorkspaceConnection": ("connection", "Connection"),
}
"""Where the official SDK has another name for one of our nouns."""

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
