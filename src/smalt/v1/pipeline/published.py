"""`azureml.pipeline.core.PublishedPipeline`: a pipeline that others submit by its address or its id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.entities.endpoints import published
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from builtins import list as List

    from smalt.v1.experiment import Experiment
    from smalt.v1.pipeline.run import PipelineRun
    from smalt.v1.workspace import Workspace

ACTIVE, DISABLED = published.ACTIVE, "Disabled"


class PublishedPipeline:
    """A published pipeline; `deployment` and `batch_endpoint` name it in v2."""

    def __init__(
        self,
        name: str,
        graph_id: str | None = None,
        description: str | None = None,
        version: str | None = None,
        published_pipeline_id: str | None = None,
        status: str | None = None,
        endpoint: str | None = None,
        total_run_steps: int | None = None,
        workspace: Workspace | None = None,
        continue_on_step_failure: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if workspace is None or published_pipeline_id is None:
            raise UserErrorException("a pipeline is published by Pipeline.publish, and got by PublishedPipeline.get")
        self.name, self.description, self.version, self.status = name, description, version, status
        self.id, self.endpoint, self.total_run_steps = published_pipeline_id, endpoint, total_run_steps
        self.continue_on_step_failure = continue_on_step_failure
        self._workspace, self._body = workspace, dict(kwargs.get("_body") or {})

    @classmethod
    def from_body(cls, workspace: Workspace, body: Mapping[str, Any]) -> PublishedPipeline:
        """Return the pipeline that the server describes."""
        return cls(
            body["Name"],
            description=body.get("Description"),
            version=body.get("Version"),
            published_pipeline_id=body["Id"],
            status=body["EntityStatus"],
            endpoint=body["Url"],
            total_run_steps=body["TotalRunSteps"],
            workspace=workspace,
            continue_on_step_failure=body["ContinueRunOnStepFailure"],
            _body=body,
        )

    def __repr__(self) -> str:
        return f"Pipeline(Name: {self.name},\nId: {self.id},\nStatus: {self.status},\nEndpoint: {self.endpoint})"

    def _repr_html_(self) -> str:
        cells = "".join(f"<td>{text}</td>" for text in (self.name, self.id, self.status, self.endpoint))
        heads = "".join(f"<th>{name}</th>" for name in ("Name", "Id", "Status", "Endpoint"))
        return f'<table style="width:100%"><tr>{heads}</tr><tr>{cells}</tr></table>'

    @property
    def batch_endpoint(self) -> str:
        """The name of the batch endpoint of v2."""
        return str(self._body["EndpointName"])

    @property
    def deployment(self) -> str:
        """The name of the deployment of v2."""
        return str(self._body["DeploymentName"])

    @staticmethod
    def get(
        workspace: Workspace, id: str, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> PublishedPipeline:
        with raise_as(UserErrorException):
            return PublishedPipeline.from_body(workspace, fetch(workspace, f"/Pipelines/{id}"))

    @staticmethod
    def list(
        workspace: Workspace, active_only: bool = True, _service_endpoint: object = None
    ) -> List[PublishedPipeline]:
        """Return the published pipelines, the oldest first."""
        found = [PublishedPipeline.from_body(workspace, body) for body in fetch(workspace, "/Pipelines")["value"]]
        return [one for one in found if one.status == ACTIVE or not active_only]

    get_all = list

    def submit(
        self,
        workspace: Workspace,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
        parent_run_id: str | None = None,
        continue_on_step_failure: bool | None = None,
    ) -> PipelineRun:
        from smalt.v1.experiment import Experiment

        return self.submit_to(
            Experiment(workspace, experiment_name),
            pipeline_parameters=pipeline_parameters,
            parent_run_id=parent_run_id,
            continue_on_step_failure=continue_on_step_failure,
        )

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> PipelineRun:
        return submit(experiment, f"/PipelineSubmit/{self.id}", tags, kwargs)

    def list_runs(self) -> List[PipelineRun]:
        """Return the runs, the newest first."""
        from smalt.v1.pipeline.run import PipelineRun
        from smalt.v1.run import find_run

        jobs = self._workspace.client.batch_deployments.list_jobs(self.batch_endpoint, name=self.deployment)
        found = [find_run(self._workspace, str(job.name)) for job in jobs]
        return [run for run in found if isinstance(run, PipelineRun)]

    def disable(self) -> None:
        """Let nobody submit the pipeline until it is enabled."""
        self._set_status(DISABLED)

    def enable(self) -> None:
        self._set_status(ACTIVE)

    def _set_status(self, status: str) -> None:
        for place in self._body["DeploymentIds"]:
            self._workspace.client.connection.patch(place, {"properties": {"properties": {published.STATUS: status}}})
        self.status = status

    def get_graph(self) -> NoReturn:
        raise UserErrorException("the graph of a published pipeline is not served; its component has the steps")

    def save(self, path: str | None = None) -> None:
        """Write the component's YAML."""
        found: Any = self._workspace.client.batch_deployments.get(self.deployment, self.batch_endpoint)
        name, _, version = str(found.component).removeprefix("azureml:").rpartition("/versions/")
        component = self._workspace.client.components.get(name.rpartition("/")[2], version)
        component.dump(path or f"{self.name}.yml")


def fetch(workspace: Workspace, path: str) -> Any:
    """Return what the server's API of published pipelines answers."""
    client = workspace.client
    return client.connection.get(f"{published.ROUTE}{client.workspace_id}{path}")


def submit(experiment: Experiment, path: str, tags: Mapping[str, Any] | None, settings: dict[str, Any]) -> PipelineRun:
    """Submit a published pipeline by the request that programs without the SDK send."""
    from smalt.v1.commands import collect_fields
    from smalt.v1.pipeline.run import PipelineRun

    body: dict[str, Any] = {"ExperimentName": experiment.name, "RunSource": "SDK", "RunType": "SDK"}
    body.update(assign_parameters(settings.pop("pipeline_parameters", None) or {}))
    body["ParentRunId"] = settings.pop("parent_run_id", None)
    body["ContinueRunOnStepFailure"] = settings.pop("continue_on_step_failure", None)
    body["Tags"] = collect_fields(tags) if tags else None
    tell_no_effect("submit", settings, "a published pipeline has no such setting")
    client = experiment.workspace.client
    with raise_as(UserErrorException):
        made = client.connection.post(f"{published.ROUTE}{client.workspace_id}/PipelineRuns{path}", body)
    return PipelineRun(experiment, str(made["Id"]))


def assign_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of parameters in the words of the REST API."""
    from smalt.v1.data.datasets import AbstractDataset
    from smalt.v1.data.references import DataPath

    literals, paths, datasets = {}, {}, {}
    for name, value in parameters.items():
        if isinstance(value, AbstractDataset):
            datasets[name] = {"SavedDataSetReference": {"Id": value.id}}
        elif isinstance(value, DataPath):
            paths[name] = {"DataStoreName": value.datastore_name, "RelativePath": value.path_on_datastore}
        else:
            literals[name] = value
    return {
        "ParameterAssignments": literals,
        "DataPathAssignments": paths,
        "DataSetDefinitionValueAssignments": datasets,
    }
