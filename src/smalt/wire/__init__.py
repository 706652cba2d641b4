"""Entities to Azure ML REST JSON and back; the same functions serve client and server."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from smalt.wire.encoding.references import AS_WRITTEN, AsWritten, References

if TYPE_CHECKING:
    from smalt.entities.schema.entity import Entity

__all__ = ["AS_WRITTEN", "AsWritten", "References", "from_rest", "to_rest"]

_JOBS = {
    "command": "jobs.command",
    "pipeline": "jobs.pipeline",
    "sweep": "jobs.sweep",
    "automl": "jobs.automl",
    "spark": "jobs.spark",
    "finetuning": "jobs.finetuning",
    "import": "jobs.data_jobs:IMPORT",
    "datatransfer": "jobs.data_jobs:DATA_TRANSFER",
    "distillation": "jobs.distillation",
}
_KINDS = {
    "environment": "assets.environments",
    "data": "assets.data",
    "model": "assets.models",
    "datastore": "workspaces.datastores",
    "compute": "workspaces.compute",
    "workspace": "workspaces.workspace",
    "schedule": "workspaces.schedules",
    "batch_endpoint": "endpoints.batch:BATCH_ENDPOINT",
    "batch_deployment": "endpoints.batch:BATCH_DEPLOYMENT",
    "online_endpoint": "endpoints.online:ONLINE_ENDPOINT",
    "online_deployment": "endpoints.online:ONLINE_DEPLOYMENT",
    "serverless_endpoint": "endpoints.online:SERVERLESS_ENDPOINT",
    "marketplace_subscription": "endpoints.online:SUBSCRIPTION",
    "connection": "workspaces.connections",
    "outbound_rule": "workspaces.outbound_rules",
    "feature_store": "assets.feature_sets:FEATURE_STORE",
    "feature_set": "assets.feature_sets:FEATURE_SET",
    "feature_store_entity": "assets.feature_sets:FEATURE_STORE_ENTITY",
    "index": "assets.feature_sets:INDEX",
}
_BY_CLASS = {
    "CommandJob": "jobs.command",
    "PipelineJob": "jobs.pipeline",
    "SweepJob": "jobs.sweep",
    "AutoMLJob": "jobs.automl",
    "SparkJob": "jobs.spark",
    "FineTuningJob": "jobs.finetuning",
    "ImportJob": "jobs.data_jobs:IMPORT",
    "DataTransferJob": "jobs.data_jobs:DATA_TRANSFER",
    "DistillationJob": "jobs.distillation",
    "Environment": "assets.environments",
    "Data": "assets.data",
    "Model": "assets.models",
    "Datastore": "workspaces.datastores",
    "Compute": "workspaces.compute",
    "Workspace": "workspaces.workspace",
    "Schedule": "workspaces.schedules",
    "BatchEndpoint": "endpoints.batch:BATCH_ENDPOINT",
    "ModelBatchDeployment": "endpoints.batch:BATCH_DEPLOYMENT",
    "PipelineComponentBatchDeployment": "endpoints.batch:BATCH_DEPLOYMENT",
    "OnlineEndpoint": "endpoints.online:ONLINE_ENDPOINT",
    "OnlineDeployment": "endpoints.online:ONLINE_DEPLOYMENT",
    "ServerlessEndpoint": "endpoints.online:SERVERLESS_ENDPOINT",
    "MarketplaceSubscription": "endpoints.online:SUBSCRIPTION",
    "Connection": "workspaces.connections",
    "OutboundRule": "workspaces.outbound_rules",
    "FeatureStore": "assets.feature_sets:FEATURE_STORE",
    "FeatureSet": "assets.feature_sets:FEATURE_SET",
    "FeatureStoreEntity": "assets.feature_sets:FEATURE_STORE_ENTITY",
    "Index": "assets.feature_sets:INDEX",
    "Registry": "workspaces.registries",
    "Code": "assets.code:CODE",
    "WorkspaceModelReference": "assets.code:REFERENCE",
    "DataImport": "workspaces.schedules:DATA_IMPORT",
    "ModelPackage": "assets.model_packages",
}


def to_rest(entity: Entity, refs: References = AS_WRITTEN) -> dict[str, Any]:
    """The body of a PUT; of a step, as the job that it is by itself."""
    from smalt.entities.assets.component import Component
    from smalt.wire.encoding.codec import Writing

    if type(entity).__name__.endswith("Node"):
        from smalt.entities.steps.standalone_jobs import to_job

        entity = to_job(entity)
    writing = Writing(refs)
    if isinstance(entity, Component):
        from smalt.wire.jobs import components

        return components.write(entity, writing)
    for base in type(entity).__mro__:
        if base.__name__ in _BY_CLASS:
            return _resources(_BY_CLASS[base.__name__]).write(entity, writing)  # type: ignore[no-any-return]
    from smalt.exceptions import RefusedError

    raise RefusedError(f"smalt cannot send {entity.noun} to a server yet")


def keys_of(job: Entity) -> list[str]:
    """Return the keys that the properties of a job of this type may have in a PUT's body."""
    keys: list[str] = _resources(_BY_CLASS[type(job).__name__]).codec.keys()
    return keys


def from_rest(body: Mapping[str, Any], kind: str, *, is_answer: bool = False, is_new: bool = False) -> Entity:
    """The entity of a resource or of a PUT's body; raises ValidationException with all problems.

    `kind` is one of the entities' kinds: "job", "component", "environment", …; an answer is not judged again by rules
    that came after it was accepted, and only what is new must hold by the rules of documents that people write.
    """
    from smalt.entities.schema.reader import Reader
    from smalt.exceptions import LocatedProblem, ValidationException

    reader = Reader()
    reader.on_wire = not is_new
    reader.is_answer = is_answer
    entity = read_with(body, kind, reader)
    if entity is None or reader.problems:
        raise ValidationException([LocatedProblem("", 0, 0, str(problem)) for problem in reader.problems])
    return cast("Entity", entity)


def read_with(body: Mapping[str, Any], kind: str, reader: Any) -> Any:
    """The same for a reader of one's own, which gets the problems."""
    if kind == "component":
        from smalt.wire.jobs import components

        return components.read(body, reader)
    if kind == "job":
        module = _job_module(body, reader)
        return module and _resources(module).read(body, reader)
    return _resources(_KINDS[kind]).read(body, reader)


def _resources(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"smalt.wire.{module}"), name or "RESOURCES")


def _job_module(body: Mapping[str, Any], reader: Any) -> str | None:
    from smalt.entities.schema.problems import did_you_mean, format_value
    from smalt.wire.encoding.casing import fold

    properties = body.get("properties")
    if not isinstance(properties, Mapping):
        reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
        return None
    given = next((value for key, value in properties.items() if fold(str(key)) == "jobtype"), None)
    found = _JOBS.get(fold(given)) if isinstance(given, str) else None
    if found is None:
        reader.add_problem(
            ("properties", "jobType"), f"unknown jobType {format_value(given)}{did_you_mean(given, _JOBS)}"
        )
    return _JOBS[_disguised(found, properties)] if found in ("jobs.command", "jobs.finetuning") else found


def _disguised(module: str, properties: Mapping[str, Any]) -> str:
    """The type of a job; Azure's clients send distillation as fine-tuning, and imports as a command."""
    if module == "jobs.finetuning":
        noted = properties.get("properties")
        return "distillation" if isinstance(noted, Mapping) and "azureml.enable_distillation" in noted else "finetuning"
    inputs = properties.get("inputs")
    if properties.get("command") != "import" or not isinstance(inputs, Mapping):
        return "command"
    return "import" if "type" in inputs and "connection" in inputs else "command"
