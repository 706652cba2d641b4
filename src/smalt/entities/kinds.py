"""Which noun a document is: by its kind, and where a kind has several, by `type`, `$schema` or what it has.

The classes are named rather than imported, so that rare kinds cost nothing until they are met.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JOBS = {
    "command": "command_job:CommandJob",
    "pipeline": "pipeline_job:PipelineJob",
    "sweep": "sweep_job:SweepJob",
    "automl": "automl_job:AutoMLJob",
    "spark": "spark:SparkJob",
    "import": "import_job:ImportJob",
    "data_transfer": "data_transfer:DataTransferJob",
    "finetuning": "finetuning:FineTuningJob",
    "distillation": "distillation:DistillationJob",
}

COMPONENTS = {
    "command": "command_component:CommandComponent",
    "pipeline": "pipeline_component:PipelineComponent",
    "parallel": "parallel:ParallelComponent",
    "spark": "spark:SparkComponent",
    "automl": "automl_job:AutoMLComponent",
    "import": "import_job:ImportComponent",
    "data_transfer": "data_transfer:DataTransferComponent",
    "promptflow_parallel": "flow:FlowComponent",
}

STEPS = {
    "command": "nodes:CommandNode",
    "pipeline": "nodes:PipelineNode",
    "sweep": "nodes:SweepNode",
    "parallel": "parallel:ParallelNode",
    "automl": "automl_job:AutoMLNode",
    "spark": "spark:SparkNode",
    "import": "import_job:ImportNode",
    "data_transfer": "data_transfer:DataTransferNode",
    "if_else": "control_flow:IfElse",
    "do_while": "control_flow:DoWhile",
    "parallel_for": "control_flow:ParallelFor",
}

DATASTORES = {
    "azure_blob": "datastore:AzureBlobDatastore",
    "azure_file": "datastore:AzureFileDatastore",
    "azure_data_lake_gen2": "datastore:AzureDataLakeGen2Datastore",
    "azure_data_lake_gen1": "datastore:AzureDataLakeGen1Datastore",
    "one_lake": "datastore:OneLakeDatastore",
    "hdfs": "datastore:HdfsDatastore",
    "s3": "datastore:S3Datastore",
    "gcs": "datastore:GcsDatastore",
    "local_path": "datastore:LocalPathDatastore",
}

COMPUTES = {
    "amlcompute": "compute:AmlCompute",
    "computeinstance": "compute:ComputeInstance",
    "virtualmachine": "compute:VirtualMachineCompute",
    "kubernetes": "compute:KubernetesCompute",
    "synapsespark": "compute:SynapseSparkCompute",
}

ONLINE_DEPLOYMENTS = {
    "managed": "online_deployment:ManagedOnlineDeployment",
    "kubernetes": "online_deployment:KubernetesOnlineDeployment",
}

BATCH_DEPLOYMENTS = {
    "model": "batch_deployment:ModelBatchDeployment",
    "pipeline": "batch_deployment:PipelineComponentBatchDeployment",
}

KINDS: dict[str, dict[str, str] | str] = {
    "job": JOBS,
    "component": COMPONENTS,
    "environment": "environment:Environment",
    "data": "data:Data",
    "model": "model:Model",
    "datastore": DATASTORES,
    "compute": COMPUTES,
    "workspace": "workspace:Workspace",
    "schedule": "schedule:Schedule",
    "data_import": "data_import:DataImport",
    "online_endpoint": "endpoint:OnlineEndpoint",
    "online_deployment": ONLINE_DEPLOYMENTS,
    "batch_endpoint": "endpoint:BatchEndpoint",
    "batch_deployment": BATCH_DEPLOYMENTS,
    "serverless_endpoint": "endpoint:ServerlessEndpoint",
    "marketplace_subscription": "endpoint:MarketplaceSubscription",
    "feature_store": "feature_store:FeatureStore",
    "feature_set": "feature_store:FeatureSet",
    "feature_store_entity": "feature_store:FeatureStoreEntity",
    "registry": "registry:Registry",
    "connection": "connection:Connection",
    "model_package": "model_package:ModelPackage",
    "index": "index:Index",
}


def schema_word(data: Mapping[str, Any]) -> str:
    """`pipelineJob`, from a `$schema` that ends in `pipelineJob.schema.json`."""
    schema = data.get("$schema")
    if not isinstance(schema, str):
        return ""
    return schema.rstrip("/#").rsplit("/", 1)[-1].partition(".")[0]


def job_type(data: Mapping[str, Any]) -> str:
    """The type of a job that has no `type`."""
    word = _schema_type(data, "job")
    if word in JOBS:
        return word
    if "jobs" in data or "component" in data:
        return "pipeline"
    return "sweep" if "trial" in data else "automl" if "task" in data and "training_data" in data else "command"


def component_type(data: Mapping[str, Any]) -> str:
    """The type of a component that has no `type`."""
    word = _schema_type(data, "component")
    if word in COMPONENTS:
        return word
    if "nodes" in data or "flow" in data or schema_word(data) in ("Flow", "Run"):
        return "promptflow_parallel"
    return "pipeline" if "jobs" in data else "command"


def deployment_type(kind: str, data: Mapping[str, Any]) -> str:
    """The type of a deployment that has no `type`."""
    if kind == "batch_deployment":
        return "pipeline" if "component" in data or "job_definition" in data else "model"
    return "kubernetes" if "kubernetes" in schema_word(data).lower() else "managed"


def _schema_type(data: Mapping[str, Any], end: str) -> str:
    word = schema_word(data).lower()
    return _SCHEMA_TYPES.get(word.removesuffix(end), word.removesuffix(end)) if word.endswith(end) else ""


_SCHEMA_TYPES = {"datatransfer": "data_transfer", "finetuning": "finetuning"}
