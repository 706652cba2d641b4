"""Which noun a document is: by its kind, and where a kind has several, by `type`, `$schema` or what it has.

The classes are named rather than imported, so that rare kinds cost nothing until they are met.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

JOBS = {
    "command": "command_job:CommandJob",
    "pipeline": "pipeline_job:PipelineJob",
}

COMPONENTS = {
    "command": "command_component:CommandComponent",
    "pipeline": "pipeline_component:PipelineComponent",
}

STEPS = {
    "command": "nodes:CommandNode",
    "pipeline": "nodes:PipelineNode",
}

DATASTORES = {
    "azure_blob": "datastore:AzureBlobDatastore",
    "azure_file": "datastore:AzureFileDatastore",
    "azure_data_lake_gen2": "datastore:AzureDataLakeGen2Datastore",
    "azure_data_lake_gen1": "datastore:AzureDataLakeGen1Datastore",
    "one_lake": "datastore:OneLakeDatastore",
    "hdfs": "datastore:HdfsDatastore",
}

COMPUTES = {
    "amlcompute": "compute:AmlCompute",
    "computeinstance": "compute:ComputeInstance",
    "virtualmachine": "compute:VirtualMachineCompute",
    "kubernetes": "compute:KubernetesCompute",
    "synapsespark": "compute:SynapseSparkCompute",
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
    return "pipeline" if "jobs" in data else "command"


def _schema_type(data: Mapping[str, Any], end: str) -> str:
    word = schema_word(data).lower()
    return _SCHEMA_TYPES.get(word.removesuffix(end), word.removesuffix(end)) if word.endswith(end) else ""


_SCHEMA_TYPES = {"datatransfer": "data_transfer", "finetuning": "finetuning"}
