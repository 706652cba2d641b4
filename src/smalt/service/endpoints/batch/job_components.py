"""The component of a pipeline job, by which a batch endpoint runs the job again with other inputs."""

from __future__ import annotations

from typing import Any

from smalt import wire
from smalt.entities import Input, Output, PipelineComponent, PipelineJob
from smalt.entities.schema.problems import add_article
from smalt.entities.syntax.literals import convert
from smalt.exceptions import NotFound, RefusedError
from smalt.service.engine.context import EngineContext
from smalt.service.engine.submission import lookup
from smalt.service.engine.submission.acceptance import read_job
from smalt.service.records import jobs
from smalt.service.records.workspaces import Workspace

Body = dict[str, Any]


def build_job_component(context: EngineContext, workspace: Workspace, source: str) -> Body:
    """Return the specification of a pipeline component with the steps of a job; its inputs default to the job's.

    Raises NotFound or RefusedError if there is no such pipeline job.
    """
    name = source.removeprefix("azureml:").rstrip("/").rpartition("/")[2]
    job = jobs.find_by_name(context.db, workspace.id, name)
    if job is None:
        raise NotFound(f"job_definition: there is no job '{name[:100]}' in workspace '{workspace.name}'")
    if job.type != "pipeline":
        raise RefusedError(
            f"job_definition: job '{name}' is {add_article(job.type)} job; only a pipeline job can be deployed"
        )
    entity: PipelineJob = read_job(jobs.read_properties(context.db, job.id))
    declared = _find_declared(context, workspace, entity)
    component = PipelineComponent(
        name="job_component",
        inputs={port: _declare_input(value, declared.get(port)) for port, value in entity.inputs.items()},
        outputs={port: Output(type=getattr(value, "type", None)) for port, value in entity.outputs.items()},
        jobs=entity.jobs,
    )
    spec: Body = wire.to_rest(component)["properties"]["componentSpec"]
    return {**spec, "sourceJobId": job.name}


def _find_declared(context: EngineContext, workspace: Workspace, job: PipelineJob) -> dict[str, Any]:
    """Return the inputs that the job's own component declares; none if it has steps of its own."""
    component = vars(job).get("component")
    if isinstance(component, str):
        found: Any = wire.from_rest(
            {"properties": lookup.find_component(context, workspace, component)}, "component", is_answer=True
        )
        return dict(found.inputs)
    return {}


def _declare_input(value: Any, declared: Any) -> Input:
    """Return the input of the component; the job's value is its default."""
    if isinstance(value, Input):
        return Input(type=value.type or "uri_folder", default=value.path)
    if isinstance(declared, Input):
        return Input(type=declared.type, default=value)
    return Input(type=_find_type(str(value)), default=value)


def _find_type(text: str) -> str:
    """Return the narrowest type of a literal that was recorded as text."""
    if text.lower() in ("true", "false"):
        return "boolean"
    for type in ("integer", "number"):
        if not hasattr(convert(text, type), "message"):
            return type
    return "string"
