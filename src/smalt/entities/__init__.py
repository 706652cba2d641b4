"""The nouns a user writes: one module per noun; plain data, no I/O.

Classes are loaded when they are first asked for, so that importing this costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.entities.asset import Asset as Asset
    from smalt.entities.asset import Resource as Resource
    from smalt.entities.automl_job import AutoMLComponent as AutoMLComponent
    from smalt.entities.automl_job import AutoMLJob as AutoMLJob
    from smalt.entities.automl_job import AutoMLNode as AutoMLNode
    from smalt.entities.batch_deployment import ModelBatchDeployment as ModelBatchDeployment
    from smalt.entities.batch_deployment import PipelineComponentBatchDeployment as PipelineComponentBatchDeployment
    from smalt.entities.command_component import CommandComponent as CommandComponent
    from smalt.entities.command_job import CommandJob as CommandJob
    from smalt.entities.component import Component as Component
    from smalt.entities.compute import AmlCompute as AmlCompute
    from smalt.entities.compute import Compute as Compute
    from smalt.entities.compute import ComputeInstance as ComputeInstance
    from smalt.entities.compute import KubernetesCompute as KubernetesCompute
    from smalt.entities.compute import SynapseSparkCompute as SynapseSparkCompute
    from smalt.entities.compute import VirtualMachineCompute as VirtualMachineCompute
    from smalt.entities.connection import Connection as Connection
    from smalt.entities.control_flow import DoWhile as DoWhile
    from smalt.entities.control_flow import IfElse as IfElse
    from smalt.entities.control_flow import ParallelFor as ParallelFor
    from smalt.entities.credentials import AccountKeyConfiguration as AccountKeyConfiguration
    from smalt.entities.credentials import CertificateConfiguration as CertificateConfiguration
    from smalt.entities.credentials import NoneCredentials as NoneCredentials
    from smalt.entities.credentials import SasTokenConfiguration as SasTokenConfiguration
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
    from smalt.entities.datastore import OneLakeDatastore as OneLakeDatastore
    from smalt.entities.deployment import CodeConfiguration as CodeConfiguration
    from smalt.entities.deployment import Deployment as Deployment
    from smalt.entities.distillation import DistillationJob as DistillationJob
    from smalt.entities.endpoint import BatchEndpoint as BatchEndpoint
    from smalt.entities.endpoint import Endpoint as Endpoint
    from smalt.entities.endpoint import MarketplaceSubscription as MarketplaceSubscription
    from smalt.entities.endpoint import OnlineEndpoint as OnlineEndpoint
    from smalt.entities.endpoint import ServerlessEndpoint as ServerlessEndpoint
    from smalt.entities.entity import Entity as Entity
    from smalt.entities.environment import BuildContext as BuildContext
    from smalt.entities.environment import Environment as Environment
    from smalt.entities.feature_store import FeatureSet as FeatureSet
    from smalt.entities.feature_store import FeatureStore as FeatureStore
    from smalt.entities.feature_store import FeatureStoreEntity as FeatureStoreEntity
    from smalt.entities.finetuning import FineTuningJob as FineTuningJob
    from smalt.entities.flow import FlowComponent as FlowComponent
    from smalt.entities.identity import AmlToken as AmlToken
    from smalt.entities.identity import ManagedIdentity as ManagedIdentity
    from smalt.entities.identity import UserIdentity as UserIdentity
    from smalt.entities.import_job import ImportComponent as ImportComponent
    from smalt.entities.import_job import ImportJob as ImportJob
    from smalt.entities.import_job import ImportNode as ImportNode
    from smalt.entities.index import Index as Index
    from smalt.entities.inputs import Input as Input
    from smalt.entities.inputs import Output as Output
    from smalt.entities.job import Job as Job
    from smalt.entities.json_schema import json_schema as json_schema
    from smalt.entities.literals import convert as convert
    from smalt.entities.literals import to_text as to_text
    from smalt.entities.model import Model as Model
    from smalt.entities.model_package import ModelPackage as ModelPackage
    from smalt.entities.nodes import CommandNode as CommandNode
    from smalt.entities.nodes import Node as Node
    from smalt.entities.nodes import PipelineNode as PipelineNode
    from smalt.entities.nodes import SweepNode as SweepNode
    from smalt.entities.online_deployment import KubernetesOnlineDeployment as KubernetesOnlineDeployment
    from smalt.entities.online_deployment import ManagedOnlineDeployment as ManagedOnlineDeployment
    from smalt.entities.online_deployment import OnlineDeployment as OnlineDeployment
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
    from smalt.entities.resource_identity import ResourceIdentity as ResourceIdentity
    from smalt.entities.resource_identity import UserAssignedIdentity as UserAssignedIdentity
    from smalt.entities.resources import CommandJobLimits as CommandJobLimits
    from smalt.entities.resources import JobResourceConfiguration as JobResourceConfiguration
    from smalt.entities.resources import MpiDistribution as MpiDistribution
    from smalt.entities.resources import PyTorchDistribution as PyTorchDistribution
    from smalt.entities.resources import QueueSettings as QueueSettings
    from smalt.entities.resources import RayDistribution as RayDistribution
    from smalt.entities.resources import TensorFlowDistribution as TensorFlowDistribution
    from smalt.entities.schedule import Schedule as Schedule
    from smalt.entities.scheduled_job import ScheduledJob as ScheduledJob
    from smalt.entities.services import JobService as JobService
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
    from smalt.entities.triggers import CronTrigger as CronTrigger
    from smalt.entities.triggers import RecurrencePattern as RecurrencePattern
    from smalt.entities.triggers import RecurrenceTrigger as RecurrenceTrigger
    from smalt.entities.workspace import Workspace as Workspace

_MODULES = {
    "asset": "Asset Resource",
    "automl_job": "AutoMLComponent AutoMLJob AutoMLNode",
    "batch_deployment": "ModelBatchDeployment PipelineComponentBatchDeployment",
    "command_component": "CommandComponent",
    "command_job": "CommandJob",
    "component": "Component",
    "compute": "AmlCompute Compute ComputeInstance KubernetesCompute SynapseSparkCompute VirtualMachineCompute",
    "connection": "Connection",
    "control_flow": "DoWhile IfElse ParallelFor",
    "credentials": "AccountKeyConfiguration CertificateConfiguration "
    "NoneCredentials SasTokenConfiguration ServicePrincipalConfiguration",
    "data": "Data",
    "data_import": "DataImport",
    "data_transfer": "Database DataTransferComponent DataTransferJob DataTransferNode FileSystem",
    "datastore": "AzureBlobDatastore AzureDataLakeGen1Datastore AzureDataLakeGen2Datastore "
    "AzureFileDatastore Datastore OneLakeDatastore",
    "deployment": "CodeConfiguration Deployment",
    "distillation": "DistillationJob",
    "endpoint": "BatchEndpoint Endpoint MarketplaceSubscription OnlineEndpoint ServerlessEndpoint",
    "entity": "Entity",
    "environment": "BuildContext Environment",
    "feature_store": "FeatureSet FeatureStore FeatureStoreEntity",
    "finetuning": "FineTuningJob",
    "flow": "FlowComponent",
    "identity": "AmlToken ManagedIdentity UserIdentity",
    "import_job": "ImportComponent ImportJob ImportNode",
    "index": "Index",
    "inputs": "Input Output",
    "job": "Job",
    "json_schema": "json_schema",
    "literals": "convert to_text",
    "model": "Model",
    "model_package": "ModelPackage",
    "nodes": "CommandNode Node PipelineNode SweepNode",
    "online_deployment": "KubernetesOnlineDeployment ManagedOnlineDeployment OnlineDeployment",
    "parallel": "ParallelComponent ParallelNode ParallelTask RetrySettings",
    "pipeline_component": "PipelineComponent",
    "pipeline_job": "PipelineJob PipelineJobSettings",
    "problems": "Problem",
    "reading": "read",
    "references": "parse_reference parse_uri",
    "registry": "Registry",
    "resource_identity": "ResourceIdentity UserAssignedIdentity",
    "resources": "CommandJobLimits JobResourceConfiguration MpiDistribution "
    "PyTorchDistribution QueueSettings RayDistribution TensorFlowDistribution",
    "schedule": "Schedule",
    "scheduled_job": "ScheduledJob",
    "services": "JobService",
    "spark": "SparkComponent SparkJob SparkJobEntry SparkNode SparkResourceConfiguration",
    "sweep": "BanditPolicy BayesianSamplingAlgorithm Choice GridSamplingAlgorithm LogNormal LogUniform "
    "MedianStoppingPolicy Normal Objective QLogNormal QLogUniform QNormal QUniform Randint "
    "RandomSamplingAlgorithm SamplingAlgorithm SweepJobLimits TruncationSelectionPolicy Uniform",
    "sweep_job": "SweepJob",
    "triggers": "CronTrigger RecurrencePattern RecurrenceTrigger",
    "workspace": "Workspace",
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'smalt.entities' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"smalt.entities.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
