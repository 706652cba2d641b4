"""Publication of pipelines: a pipeline component, and the deployment of a batch endpoint that runs it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from smalt.client.connection.notices import print_notice
from smalt.client.transfers.local_assets import LocalAssets
from smalt.entities.endpoints import published
from smalt.entities.jobs.inputs import Input, Output
from smalt.exceptions import NotFound
from smalt.v1.exceptions import UserErrorException, raise_as

if TYPE_CHECKING:
    from smalt.v1.pipeline.pipeline import Pipeline
    from smalt.v1.pipeline.run import PipelineRun
    from smalt.v1.workspace import Workspace


def make_name(text: str) -> str:
    """Return the text as the name of an endpoint: letters, digits and '-', a letter first."""
    made = re.sub(r"[^A-Za-z0-9]+", "-", text).strip("-")[:200].strip("-")
    return made if made[:1].isalpha() else f"pipeline-{made}".strip("-")


def build_component(workspace: Workspace, job: Any, name: str, fixed: Collection[str]) -> Any:
    """Return the pipeline component of a pipeline job; the values of the job's inputs become defaults.

    `fixed` has the inputs that set how a step runs: they can have no other value.
    """
    from smalt.entities import PipelineComponent

    assets = LocalAssets(workspace.client.components._session)
    inputs = {key: _declare_input(value, assets, key in fixed) for key, value in job.inputs.items()}
    assets.send()
    outputs = {key: Output(type=getattr(value, "type", None) or "uri_folder") for key, value in job.outputs.items()}
    return PipelineComponent(name=name, inputs=inputs, outputs=outputs, jobs=dict(job.jobs))


def _declare_input(value: Any, assets: LocalAssets, is_fixed: bool) -> Input:
    if isinstance(value, Input):
        kind = value.type or "uri_folder"
        return Input(type=kind, default=assets.data(str(value.path), kind))
    kind = next(name for types, name in _TYPES if isinstance(value, types))
    made = Input(type=kind, default=value)
    if is_fixed:
        made.enum = [value]
    return made


class Publication:
    """A pipeline component or job to publish, with the settings of its runs and the words that people know it by."""

    def __init__(self, workspace: Workspace, name: str, description: str | None, properties: Mapping[str, Any]) -> None:
        self.client, self.workspace = workspace.client, workspace
        self.name, self.description = name, description
        self.properties = {key: str(value) for key, value in properties.items() if value is not None}
        self.settings: dict[str, Any] = {}
        self.component: Any = None
        self.job: str | None = None

    def publish(self) -> str:
        """Deploy it behind a batch endpoint of its name, as the endpoint's default, and return its id."""
        return self.deploy(self._find_holder())

    def deploy(self, endpoint: str) -> str:
        """Add it to a batch endpoint and make it the default; return its id."""
        from smalt.entities import PipelineComponentBatchDeployment

        id = str(uuid.uuid4())
        made = PipelineComponentBatchDeployment(
            name=choose_deployment(self.client, endpoint),
            endpoint_name=endpoint,
            description=self.description,
            settings=self.settings,
            properties={**self.properties, published.PIPELINE: id, published.NAME: self.name},
            **({"component": self.component} if self.job is None else {"job_definition": f"azureml:{self.job}"}),
        )
        with raise_as(UserErrorException):
            self.client.batch_deployments.begin_create_or_update(made).result()
        set_default(self.client, endpoint, str(made.name))
        return id

    def _find_holder(self) -> str:
        """Return the batch endpoint of the name; one is made where there is none."""
        base, number = make_name(self.name), 1
        chosen = base
        while True:
            there = find_endpoint(self.client, chosen)
            if there is None:
                create_endpoint(self.client, chosen, self.description, {published.HOLDER: self.name})
                return chosen
            if (there.properties or {}).get(published.HOLDER) == self.name:
                return chosen
            number += 1
            chosen = f"{base}-{number}"


def choose_endpoint(client: Any, name: str) -> str:
    """Return a name for a new batch endpoint: the given one, with a number where it is taken."""
    base, number = make_name(name), 1
    chosen = base
    while find_endpoint(client, chosen) is not None:
        number += 1
        chosen = f"{base}-{number}"
    return chosen


def choose_deployment(client: Any, endpoint: str) -> str:
    """Return the name of the next version of an endpoint: v0, v1, …"""
    taken = [str(one.name)[1:] for one in client.batch_deployments.list(endpoint)]
    return f"v{max((int(number) for number in taken if number.isdecimal()), default=-1) + 1}"


def find_endpoint(client: Any, name: str) -> Any:
    try:
        return client.batch_endpoints.get(name)
    except NotFound:
        return None


def create_endpoint(client: Any, name: str, description: str | None, properties: dict[str, str]) -> None:
    from smalt.entities import BatchEndpoint

    made = BatchEndpoint(name=name, description=description, properties=properties)
    with raise_as(UserErrorException):
        client.batch_endpoints.begin_create_or_update(made).result()


def set_default(client: Any, endpoint: str, deployment: str) -> None:
    there = client.batch_endpoints.get(endpoint)
    there.defaults.deployment_name = deployment
    with raise_as(UserErrorException):
        client.batch_endpoints.begin_create_or_update(there).result()


def prepare_pipeline(
    pipeline: Pipeline,
    name: str | None = None,
    description: str | None = None,
    version: str | None = None,
    continue_on_step_failure: bool | None = None,
) -> Publication:
    """Return the publication of a pipeline, whose component is registered."""
    workspace = pipeline.workspace
    job, fixed = pipeline.build(continue_on_step_failure=continue_on_step_failure)
    name = name or "Pipeline"
    properties = {**(job.properties or {}), published.VERSION: version, published.STEPS: len(pipeline.steps)}
    made = Publication(workspace, name, description or pipeline.description, properties)
    made.settings = {key: value for key, value in vars(job.settings).items() if key in SETTINGS and value is not None}
    for parameter in fixed:
        print_notice(
            f"the parameter '{parameter}' sets how a step runs, so the published pipeline '{name}' keeps its value, "
            f"{job.inputs[parameter]!r}"
        )
    with raise_as(UserErrorException):
        component = build_component(workspace, job, make_name(name), fixed)
        made.component = workspace.client.components.create_or_update(component).id
    return made


def prepare_run(
    run: PipelineRun, name: str, description: str | None, version: str | None, continue_on_step_failure: bool | None
) -> Publication:
    """Return the publication of the steps of a run."""
    job = run.job
    metrics = {key: value for key, value in (job.properties or {}).items() if key.startswith(published.METRICS)}
    properties = {**metrics, published.VERSION: version, published.STEPS: len(list(run.get_steps()))}
    made = Publication(run._workspace, name, description, properties)
    made.job = run.id
    kept = {key: value for key, value in vars(job.settings).items() if key in SETTINGS and value is not None}
    made.settings = {**kept, **({"continue_on_step_failure": True} if continue_on_step_failure else {})}
    return made


_TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (object, "string"))
SETTINGS = ("default_compute", "default_datastore", "continue_on_step_failure", "force_rerun")
"""The settings of a pipeline job that its publication keeps."""
