"""The table of nouns: the class for each kind of document, and for each of its types.

Classes are named rather than imported, so that rare kinds cost nothing until they are used.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

JOBS = {
    "command": "jobs.command:CommandJob",
    "pipeline": "jobs.pipeline:PipelineJob",
    "sweep": "jobs.sweep:SweepJob",
    "automl": "jobs.automl.job:AutoMLJob",
    "spark": "jobs.spark:SparkJob",
    "import": "jobs.import_job:ImportJob",
    "data_transfer": "jobs.data_transfer:DataTransferJob",
    "finetuning": "jobs.finetuning:FineTuningJob",
    "distillation": "jobs.distillation:DistillationJob",
}

COMPONENTS = {
    "command": "jobs.command:CommandComponent",
    "pipeline": "jobs.pipeline:PipelineComponent",
    "sweep": "jobs.sweep:SweepComponent",
    "parallel": "jobs.parallel:ParallelComponent",
    "spark": "jobs.spark:SparkComponent",
    "automl": "jobs.automl.job:AutoMLComponent",
    "import": "jobs.import_job:ImportComponent",
    "data_transfer": "jobs.data_transfer:DataTransferComponent",
    "promptflow_parallel": "assets.flow:FlowComponent",
}

STEPS = {
    "command": "jobs.command:CommandNode",
    "pipeline": "jobs.pipeline:PipelineNode",
    "sweep": "jobs.sweep:SweepNode",
    "parallel": "jobs.parallel:ParallelNode",
    "automl": "jobs.automl.job:AutoMLNode",
    "spark": "jobs.spark:SparkNode",
    "import": "jobs.import_job:ImportNode",
    "data_transfer": "jobs.data_transfer:DataTransferNode",
    "if_else": "jobs.control_flow:IfElse",
    "do_while": "jobs.control_flow:DoWhile",
    "parallel_for": "jobs.control_flow:ParallelFor",
}

DATASTORES = {
    "azure_blob": "workspaces.datastore:AzureBlobDatastore",
    "azure_file": "workspaces.datastore:AzureFileDatastore",
    "azure_data_lake_gen2": "workspaces.datastore:AzureDataLakeGen2Datastore",
    "azure_data_lake_gen1": "workspaces.datastore:AzureDataLakeGen1Datastore",
    "one_lake": "workspaces.datastore:OneLakeDatastore",
    "hdfs": "workspaces.datastore:HdfsDatastore",
    "s3": "workspaces.datastore:S3Datastore",
    "gcs": "workspaces.datastore:GcsDatastore",
    "local_path": "workspaces.datastore:LocalPathDatastore",
}

COMPUTES = {
    "amlcompute": "computes.compute:AmlCompute",
    "computeinstance": "computes.compute:ComputeInstance",
    "virtualmachine": "computes.compute:VirtualMachineCompute",
    "kubernetes": "computes.compute:KubernetesCompute",
    "synapsespark": "computes.compute:SynapseSparkCompute",
}

ONLINE_DEPLOYMENTS = {
    "managed": "endpoints.online_deployment:ManagedOnlineDeployment",
    "kubernetes": "endpoints.online_deployment:KubernetesOnlineDeployment",
}

BATCH_DEPLOYMENTS = {
    "model": "endpoints.batch_deployment:ModelBatchDeployment",
    "pipeline": "endpoints.batch_deployment:PipelineComponentBatchDeployment",
}

KINDS: dict[str, dict[str, str] | str] = {
    "job": JOBS,
    "component": COMPONENTS,
    "environment": "assets.environment:Environment",
    "data": "assets.data:Data",
    "model": "assets.model:Model",
    "datastore": DATASTORES,
    "compute": COMPUTES,
    "workspace": "workspaces.workspace:Workspace",
    "schedule": "schedules.schedule:Schedule",
    "data_import": "assets.data_import:DataImport",
    "online_endpoint": "endpoints.endpoint:OnlineEndpoint",
    "online_deployment": ONLINE_DEPLOYMENTS,
    "batch_endpoint": "endpoints.endpoint:BatchEndpoint",
    "batch_deployment": BATCH_DEPLOYMENTS,
    "batch_invocation": "endpoints.invocation:BatchInvocation",
    "serverless_endpoint": "endpoints.endpoint:ServerlessEndpoint",
    "marketplace_subscription": "endpoints.endpoint:MarketplaceSubscription",
    "feature_store": "workspaces.feature_store:FeatureStore",
    "feature_set": "workspaces.feature_store:FeatureSet",
    "feature_store_entity": "workspaces.feature_store:FeatureStoreEntity",
    "registry": "workspaces.registry:Registry",
    "connection": "workspaces.connection:Connection",
    "model_package": "assets.model_package:ModelPackage",
    "index": "assets.index:Index",
}
"""The kinds of documents: the class of each, or its classes by `type`."""

BASES = {
    "job": "jobs.job:Job",
    "component": "assets.component:Component",
    "datastore": "workspaces.datastore:Datastore",
    "compute": "computes.compute:Compute",
    "online_deployment": "endpoints.online_deployment:OnlineDeployment",
    "batch_deployment": "endpoints.batch_deployment:BatchDeployment",
    "outbound_rule": "workspaces.workspace:OutboundRule",
    "code": "assets.code:Code",
    "model_reference": "assets.deployment_template:WorkspaceModelReference",
}
"""The base of each kind with several classes, and the nouns that no document is."""


def find_kind(noun: type) -> tuple[str, str | None] | None:
    """Return kind and type of a class or of the nearest one that it extends; the type is None where a kind has none."""
    for base in noun.__mro__:
        found = _list_places().get(f"{base.__module__.removeprefix('smalt.entities.')}:{base.__name__}")
        if found is not None:
            return found
    return None


@cache
def _list_places() -> dict[str, tuple[str, str | None]]:
    places: dict[str, tuple[str, str | None]] = {where: (kind, None) for kind, where in BASES.items()}
    for kind, table in {**KINDS, "step": STEPS}.items():
        for type, where in ({None: table} if isinstance(table, str) else table).items():
            places[where] = kind, type
    return places


def read_schema_word(data: Mapping[str, Any]) -> str:
    """Return `pipelineJob` for a `$schema` that ends in `pipelineJob.schema.json`."""
    schema = data.get("$schema")
    if not isinstance(schema, str):
        return ""
    return schema.rstrip("/#").rsplit("/", 1)[-1].partition(".")[0]


def find_job_type(data: Mapping[str, Any]) -> str:
    """Return the type of a job without `type`."""
    word = _find_schema_type(data, "job")
    if word in JOBS:
        return word
    if "jobs" in data or "component" in data:
        return "pipeline"
    return "sweep" if "trial" in data else "automl" if "task" in data and "training_data" in data else "command"


def find_component_type(data: Mapping[str, Any]) -> str:
    """Return the type of a component without `type`."""
    word = _find_schema_type(data, "component")
    if word in COMPONENTS:
        return word
    if "nodes" in data or "flow" in data or read_schema_word(data) in ("Flow", "Run"):
        return "promptflow_parallel"
    return "pipeline" if "jobs" in data else "sweep" if "trial" in data else "command"


def find_deployment_type(kind: str, data: Mapping[str, Any]) -> str:
    """Return the type of a deployment without `type`."""
    if kind == "batch_deployment":
        return "pipeline" if "component" in data or "job_definition" in data else "model"
    return "kubernetes" if "kubernetes" in read_schema_word(data).lower() else "managed"


def _find_schema_type(data: Mapping[str, Any], end: str) -> str:
    word = read_schema_word(data).lower()
    return _SCHEMA_TYPES.get(word.removesuffix(end), word.removesuffix(end)) if word.endswith(end) else ""


_SCHEMA_TYPES = {"datatransfer": "data_transfer", "finetuning": "finetuning"}
