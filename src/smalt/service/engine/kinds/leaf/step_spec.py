"""The spec of a leaf's step: command, inputs, outputs, variables and resources."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from smalt.entities import CommandJob, Input, Output
from smalt.entities.jobs.identity import UserIdentity
from smalt.entities.jobs.inputs import ORDERS_STEPS
from smalt.entities.jobs.resources import TensorFlowDistribution
from smalt.entities.syntax.literals import to_text
from smalt.service.compute.spec import OutputSpec, StepInput, StepResources, StepSpec
from smalt.service.engine.context import EngineContext
from smalt.service.engine.kinds import places
from smalt.service.engine.kinds.places import output_uri
from smalt.service.engine.kinds.properties import POINT, WARM
from smalt.service.engine.submission.bindings import fill_expressions
from smalt.service.records import job_attempts
from smalt.wire.encoding import artifact_paths

if TYPE_CHECKING:
    from smalt.service.engine.kinds.leaf import Leaf


GRACE = 30.0
"""Seconds between SIGTERM and SIGKILL."""


def process_count(job: CommandJob) -> int:
    """Return the number of processes that the job's distribution makes on this machine."""
    distribution, resources = job.distribution, job.resources
    instances = int(getattr(resources, "instance_count", None) or 1)
    if distribution is None:
        return 1
    if isinstance(distribution, TensorFlowDistribution):
        return (distribution.worker_count or instances) + (distribution.parameter_server_count or 0)
    return instances * int(getattr(distribution, "process_count_per_instance", None) or 1)


def wants_gpu(job: CommandJob) -> bool:
    """The service's own signs: a GPU size (Standard_N…), or a compute that is called gpu-something."""
    size = str(getattr(job.resources, "instance_type", None) or "").lower()
    compute = str(job.compute or "").lower()
    return size.startswith("standard_n") or "gpu" in compute.rpartition("/")[2]


def make_spec(leaf: Leaf, number: int) -> StepSpec:
    """Return what attempt `number` at the job is to run, with the places that were located so far.

    What smalt tells the job by variables is left out: that is needed only when the step is started.
    """
    known = leaf.known_spec
    if known is not None and known.attempt == number:
        return known
    job, workspace, entity = leaf.job, leaf.workspace, leaf.entity
    made = places.read(entity.properties)
    outputs = {}
    for name, output in entity.outputs.items():
        how, uri = made.get(name, places.ALONE), output_uri(job.name, name, output, leaf.place)
        is_given = how.given is not None or (job.parent_id is None and bool(output.path))
        outputs[name] = OutputSpec(
            output.type, output.mode, uri, leaf.written.get(name),
            is_artifacts=is_artifacts(name, output), orders_steps=output.description == ORDERS_STEPS,
            is_private=not (is_given or how.is_shared),
        )  # fmt: skip
    literals, inputs = {}, {}
    for name, value in entity.inputs.items():
        if isinstance(value, Input):
            inputs[name] = StepInput(value.type, value.mode, value.path or "", leaf.places.get(name))
        elif value is not None:
            literals[name] = fill_expressions(to_text(value), {"name": job.name})
    spec = leaf.known_spec = StepSpec(
        id=job_attempts.make_step_id(job, number),
        attempt=number,
        job=job.name,
        root_id=job.root_id,
        created_at=job.created_at,
        workspace=workspace,
        command=entity.command,
        code=leaf.code,
        environment=leaf.environment,
        literals=literals,
        inputs=inputs,
        outputs=outputs,
        variables={name: to_text(value) for name, value in entity.environment_variables.items()},
        resources=make_resources(entity),
        distribution=_make_distribution(entity),
        sends_outputs=leaf.sends,
        timeout=leaf.timeout,
        grace=GRACE,
        labels={"experiment": job.experiment, "job": job.display_name or job.name},
        is_trial=POINT in entity.properties,
        folder=leaf.folder,
        warm=entity.properties.get(WARM),
    )
    leaf.complete_spec(spec)
    return spec


def make_startable_spec(context: EngineContext, leaf: Leaf, number: int) -> StepSpec:
    """Return the spec with the variables that smalt gives the job: its names, tracking, the way to the server."""
    as_user = isinstance(leaf.entity.identity, UserIdentity)
    spec = make_spec(leaf, number)
    spec.service_variables = {**_make_service_variables(context, leaf), **leaf.more_variables}
    spec.server_host = context.tracking.host
    access = context.tracking.get_server_access(leaf.job)
    spec.identity_variables = context.identity.build_variables(access, leaf.workspace, as_user=as_user)
    return spec


def make_resources(job: CommandJob) -> StepResources:
    """Return what a command job, or a command step of a pipeline, asks of its compute."""
    processes = process_count(job)
    return StepResources(
        cpus=processes,
        gpus=processes if wants_gpu(job) else 0,
        instance_count=int(getattr(job.resources, "instance_count", None) or 1),
        instance_type=getattr(job.resources, "instance_type", None) or None,
        shm_size=str(getattr(job.resources, "shm_size", None) or "") or None,
        docker_args=tuple(docker_args(job)),
    )


def _make_distribution(job: CommandJob) -> dict[str, Any] | None:
    if job.distribution is None:
        return None
    instances = int(getattr(job.resources, "instance_count", None) or 1)
    return {**job.distribution.to_dict(), "instance_count": instances}


def docker_args(job: CommandJob) -> list[str]:
    """Return the job's own arguments for the container engine."""
    given = getattr(job.resources, "docker_args", None) or []
    return shlex.split(given) if isinstance(given, str) else [str(each) for each in given]


def retries(job: CommandJob) -> int:
    """Return how many more attempts a failed command gets: the property `smalt.retries`, 0 by default."""
    text = str(job.properties.get("smalt.retries", "0"))
    return int(text) if text.isdecimal() else 0


def is_artifacts(name: str, output: Output) -> bool:
    """The output that every job has: all it leaves, its logs among it."""
    return name == "artifacts" and (not output.path or f"/{artifact_paths.PREFIX}" in output.path)


def _make_service_variables(context: EngineContext, leaf: Leaf) -> dict[str, str]:
    """Return the variables that the service gives each job: its names, and where to track."""
    job, workspace = leaf.job, leaf.workspace
    variables = {
        "AZUREML_RUN_ID": job.name,
        "AZUREML_ROOT_RUN_ID": context.root_name(job),
        "AZUREML_EXPERIMENT_NAME": job.experiment,
        "AZUREML_ARM_SUBSCRIPTION": workspace.subscription,
        "AZUREML_ARM_RESOURCEGROUP": workspace.resource_group,
        "AZUREML_ARM_WORKSPACE_NAME": workspace.name,
        "AZUREML_ARM_PROJECT_NAME": job.experiment,
        "AZUREML_NODE_COUNT": str(getattr(leaf.entity.resources, "instance_count", None) or 1),
    }
    if "MLFLOW_TRACKING_URI" not in leaf.entity.environment_variables:  # that one would not know us
        variables.update(context.tracking.build_variables(job, workspace))
    return variables
