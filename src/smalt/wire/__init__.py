"""Entities to Azure ML REST JSON and back; the same functions serve client and server."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

from smalt.wire.encoding.ids import STUDIO_URL
from smalt.wire.encoding.references import AS_WRITTEN, AsWritten, References

if TYPE_CHECKING:
    from smalt.entities.assets.component import Component
    from smalt.entities.schema.entity import Entity
    from smalt.entities.schema.reader import Reader

__all__ = ["AS_WRITTEN", "AsWritten", "References", "from_rest", "to_rest"]

_JOBS = {
    "command": "jobs.command",
    "pipeline": "jobs.pipeline",
    "sweep": "jobs.sweep",
    "automl": "jobs.automl",
    "spark": "jobs.spark",
    "finetuning": "jobs.finetuning",
    "import": "jobs.data_jobs:IMPORT",
    "data_transfer": "jobs.data_jobs:DATA_TRANSFER",
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
    "batch_invocation": "endpoints.invocations:INVOCATION",
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
    "registry": "workspaces.registries",
    "code": "assets.code:CODE",
    "model_reference": "assets.code:REFERENCE",
    "data_import": "workspaces.schedules:DATA_IMPORT",
    "model_package": "assets.model_packages",
}
"""By kind of noun, and of jobs by type, the module whose `RESOURCES` or other name reads and writes the body."""


def to_rest(entity: Entity, refs: References = AS_WRITTEN) -> dict[str, Any]:
    """Return the body of a PUT; of a step, that of the job that it is by itself.

    Raises RefusedError for a noun that has no body of its own.
    """
    from smalt.entities.schema.kinds import find_kind
    from smalt.wire.encoding.codec import Writing

    kind, type_name = find_kind(type(entity)) or ("", None)
    if kind == "step":
        from smalt.entities.steps.standalone_jobs import to_job

        return to_rest(to_job(entity), refs)
    writing = Writing(refs)
    if kind == "component":
        from smalt.wire.jobs import components

        return components.write(cast("Component", entity), writing)
    where = _JOBS.get(type_name or "") if kind == "job" else _KINDS.get(kind)
    if where is None:
        from smalt.exceptions import RefusedError

        raise RefusedError(f"smalt cannot send {entity.noun} to a server yet")
    return cast("dict[str, Any]", _load_resources(where).write(entity, writing))


def list_keys(job: Entity) -> list[str]:
    """Return the keys that the properties of a job of this type may have in a PUT's body."""
    from smalt.entities.schema.kinds import find_kind

    _, type_name = find_kind(type(job)) or ("", None)
    keys: list[str] = _load_resources(_JOBS[str(type_name)]).codec.list_keys()
    return keys


def from_rest(body: Mapping[str, Any], kind: str, *, is_answer: bool = False, is_new: bool = False) -> Entity:
    """Return the entity of a resource or of a PUT's body; raise ValidationException with all problems.

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
    if isinstance(page := body.get(STUDIO_URL), str):
        entity._studio_url = page
    return cast("Entity", entity)


def read_with(body: Mapping[str, Any], kind: str, reader: Reader) -> Any:
    """Return the entity of a body, or None; the reader gets the problems."""
    if kind == "component":
        from smalt.wire.jobs import components

        return components.read(body, reader)
    if kind == "job":
        type_name = _find_job_type(body, reader)
        return type_name and _load_resources(_JOBS[type_name]).read(body, reader)
    return _load_resources(_KINDS[kind]).read(body, reader)


@cache
def _load_resources(where: str) -> Any:
    module, _, name = where.partition(":")
    return getattr(import_module(f"smalt.wire.{module}"), name or "RESOURCES")


def _find_job_type(body: Mapping[str, Any], reader: Reader) -> str | None:
    from smalt.entities.schema.problems import did_you_mean, format_value
    from smalt.wire.encoding.casing import fold_case

    properties = body.get("properties")
    if not isinstance(properties, Mapping):
        reader.add_problem(("properties",), "the body needs 'properties', a JSON object")
        return None
    given = next((value for key, value in properties.items() if fold_case(str(key)) == "jobtype"), None)
    types = {fold_case(name): name for name in _JOBS}
    found = types.get(fold_case(given)) if isinstance(given, str) else None
    if found is None:
        words = f"unknown jobType {format_value(given)}{did_you_mean(given, types)}"
        reader.add_problem(("properties", "jobType"), words)
        return None
    return _find_disguised_type(found, properties)


def _find_disguised_type(type_name: str, properties: Mapping[str, Any]) -> str:
    """Return the type of a job; Azure's clients send distillation as fine-tuning, and imports as a command."""
    if type_name == "finetuning":
        notes = properties.get("properties")
        is_distillation = isinstance(notes, Mapping) and "azureml.enable_distillation" in notes
        return "distillation" if is_distillation else "finetuning"
    inputs = properties.get("inputs")
    if type_name != "command" or properties.get("command") != "import" or not isinstance(inputs, Mapping):
        return type_name
    return "import" if "type" in inputs and "connection" in inputs else type_name
