"""The invocation of a batch endpoint: its deployment, the job that it makes, and requests that come again."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from smalt import wire
from smalt.entities.endpoints import published
from smalt.entities.endpoints.invocation import BatchInvocation
from smalt.exceptions import Conflict, NotFound, RefusedError
from smalt.service.endpoints.batch.pipeline_jobs import build_pipeline_body
from smalt.service.endpoints.batch.scoring_jobs import build_scoring_body
from smalt.service.engine import Engine
from smalt.service.records import batch_invocations, jobs, resources
from smalt.service.records.batch_invocations import InvocationRecord
from smalt.service.records.jobs import Job
from smalt.service.records.resources import ResourceRecord
from smalt.service.records.workspaces import Workspace

Body = dict[str, Any]

ENDPOINT, DEPLOYMENT = "smalt.batch-endpoint", "smalt.batch-deployment"
"""The properties of a job that name what made it."""
_LONGEST_ID = 200


@dataclass(frozen=True)
class BatchTarget:
    endpoint: str
    deployment: str
    properties: Body
    """The REST properties of the deployment."""


@dataclass(frozen=True)
class InvokedJob:
    job: Job
    is_new: bool
    """False if the same request made it before."""


def find_target(engine: Engine, workspace: Workspace, endpoint: ResourceRecord, name: str | None) -> BatchTarget:
    """Return the deployment of that name, or the default one; raise NotFound or RefusedError if there is none."""
    db = engine.context.db
    chosen = name or (endpoint.content["properties"].get("defaults") or {}).get("deploymentName")
    kind = f"batchEndpoints/{endpoint.name}/deployments"
    if not chosen:
        known = [one.name for one in resources.list_resources(db, workspace.id, kind)]
        first = known[0] if known else "NAME"
        raise RefusedError(
            f"batch endpoint '{endpoint.name}' has no default deployment; name a deployment, or set the default: "
            f"smalt batch-endpoint update --name {endpoint.name} --set defaults.deployment_name={first}"
        )
    found = resources.get_resource(db, workspace.id, kind, str(chosen))
    if found is None:
        whose = "" if name else ", its default"
        raise NotFound(f"batch endpoint '{endpoint.name}' has no deployment '{chosen}'{whose}")
    _refuse_disabled(endpoint, "pipeline endpoint")
    _refuse_disabled(found, "published pipeline")
    return BatchTarget(endpoint.name, found.name, found.content["properties"])


def _refuse_disabled(resource: ResourceRecord, noun: str) -> None:
    """Raise RefusedError if SDK v1 has disabled the published pipeline or the pipeline endpoint."""
    notes = resource.content["properties"].get("properties") or {}
    if notes.get(published.STATUS, published.ACTIVE) != published.ACTIVE:
        name = notes.get(published.NAME) or resource.name
        raise RefusedError(f"{noun} '{name}' is disabled, so nobody can submit it; call its enable()")


def invoke_endpoint(
    engine: Engine,
    workspace: Workspace,
    endpoint: ResourceRecord,
    body: Body,
    principal: str,
    *,
    deployment: str | None = None,
    request_id: str | None = None,
    sent: Any = None,
    record: Callable[[Job], None] | None = None,
) -> InvokedJob:
    """Submit the job of an invocation, durably. A request with the same id again returns the same job.

    `sent` is what the caller sent, if `body` and `deployment` were made of it: by it two requests are the same.
    `record` writes what else belongs to a new job into the records, in the transaction that records the job.
    """
    digest = hashlib.sha256(json.dumps(sent or [body, deployment], sort_keys=True).encode()).hexdigest()
    if request_id is not None:
        if not 0 < len(request_id) <= _LONGEST_ID:
            raise RefusedError(f"repeatability_request-id must have 1 to {_LONGEST_ID} characters; send a new UUID")
        known = batch_invocations.find_by_request(engine.context.db, workspace.id, endpoint.name, request_id)
        if known is not None:
            return InvokedJob(_find_repeated(engine, workspace, known, digest), False)
    target = find_target(engine, workspace, endpoint, deployment)
    invocation = read_invocation(body)
    name = invocation.job_name or f"batchjob-{uuid.uuid4()}"
    if jobs.find_by_name(engine.context.db, workspace.id, name) is not None:
        raise Conflict(f"there is a job '{name}' already; give the invocation another job name, or none")
    properties = _describe_job(target, invocation, build_job_body(engine, workspace, target, invocation))

    def record_invocation(job: Job) -> None:
        batch_invocations.add_invocation(
            engine.context.db, job, target.endpoint, target.deployment, request_id=request_id, request_hash=digest
        )
        if record is not None:
            record(job)

    return InvokedJob(engine.submit(workspace, name, properties, principal, record=record_invocation), True)


def read_invocation(body: Body) -> BatchInvocation:
    """Return the invocation in a request's body; raise ValidationException with all its problems."""
    found = wire.from_rest(body, "batch_invocation")
    assert isinstance(found, BatchInvocation)
    return found


def build_job_body(engine: Engine, workspace: Workspace, target: BatchTarget, invocation: BatchInvocation) -> Body:
    """Return the REST properties of the job that an invocation of the deployment is."""
    configuration = target.properties.get("deploymentConfiguration")
    if not configuration:
        return build_scoring_body(engine.context, workspace, target.properties, invocation)
    return build_pipeline_body(engine.context, workspace, configuration, invocation)


def _describe_job(target: BatchTarget, invocation: BatchInvocation, body: Body) -> Body:
    notes = target.properties.get("properties") or {}
    kept = {key: value for key, value in notes.items() if key.startswith(published.METRICS)}
    if published.PIPELINE in notes:
        kept[published.RUN_OF] = notes[published.PIPELINE]
    return {
        **body,
        "experimentName": invocation.experiment_name or target.endpoint,
        "displayName": invocation.display_name or f"{target.endpoint}-{target.deployment}",
        **({"description": invocation.description} if invocation.description else {}),
        "tags": dict(invocation.tags),
        "properties": {**invocation.properties, **kept, ENDPOINT: target.endpoint, DEPLOYMENT: target.deployment},
    }


def _find_repeated(engine: Engine, workspace: Workspace, known: InvocationRecord, digest: str) -> Job:
    """Return the job of a request that was answered before.

    Raises Conflict if the id belongs to another request, or the job was deleted.
    """
    if known.request_hash != digest:
        raise Conflict(
            f"repeatability_request-id '{known.request_id}' belongs to another request, which made job "
            f"{known.job_name}; send a new id with each new request"
        )
    job = jobs.find_by_name(engine.context.db, workspace.id, known.job_name)
    if job is None or job.id != known.job_id:
        raise Conflict(
            f"the request with repeatability_request-id '{known.request_id}' made job {known.job_name}, which was "
            "deleted; send a new id to run it again"
        )
    return job
