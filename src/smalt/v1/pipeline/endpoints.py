"""`azureml.pipeline.core.PipelineEndpoint`: versions of published pipelines behind one address."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from smalt.entities.endpoints import published
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.pipeline import publishing
from smalt.v1.pipeline.pipeline import Pipeline
from smalt.v1.pipeline.published import ACTIVE, DISABLED, PublishedPipeline, fetch, submit

if TYPE_CHECKING:
    from builtins import list as List

    from smalt.v1.experiment import Experiment
    from smalt.v1.pipeline.run import PipelineRun
    from smalt.v1.workspace import Workspace


class PipelineVersion:
    """A version of a pipeline endpoint."""

    def __init__(self, workspace: Workspace, version: str, pipeline_id: str) -> None:
        self._workspace, self.version, self._pipeline_id = workspace, version, pipeline_id

    def __repr__(self) -> str:
        return f"PipelineVersion(version={self.version!r}, pipeline={self._pipeline_id!r})"

    @property
    def pipeline(self) -> PublishedPipeline:
        return PublishedPipeline.get(self._workspace, self._pipeline_id)


class PipelineEndpoint:
    """A pipeline endpoint: a batch endpoint of v2, which `batch_endpoint` names."""

    def __init__(
        self,
        workspace: Workspace,
        id: str,
        name: str,
        description: str,
        status: str | None = None,
        default_version: str | None = None,
        endpoint: str | None = None,
        pipeline_version_list: Any = None,
        _pipeline_endpoint_provider: object = None,
        **kwargs: Any,
    ) -> None:
        self._workspace, self._client = workspace, workspace.client
        self.id, self.name, self.description, self.status = id, name, description, status or ACTIVE
        self.default_version, self.endpoint = default_version, endpoint
        self._versions: List[PipelineVersion] = list(pipeline_version_list or ())
        self.batch_endpoint = str(kwargs.get("_endpoint_name"))

    @classmethod
    def from_body(cls, workspace: Workspace, body: Mapping[str, Any]) -> PipelineEndpoint:
        """Return the pipeline endpoint that the server describes."""
        versions = [
            PipelineVersion(workspace, one["Version"], one["PipelineId"]) for one in body["PipelineVersionList"]
        ]
        return cls(
            workspace,
            body["Id"],
            body["Name"],
            body.get("Description") or "",
            body["EntityStatus"],
            body["DefaultVersion"],
            body["Url"],
            versions,
            _endpoint_name=body["EndpointName"],
        )

    def __repr__(self) -> str:
        return (
            f"PipelineEndpoint(Name: {self.name},\nId: {self.id},\nStatus: {self.status},\n"
            f"Default version: {self.default_version},\nEndpoint: {self.endpoint})"
        )

    def _repr_html_(self) -> str:
        values = {"Name": self.name, "Id": self.id, "Status": self.status, "Endpoint": self.endpoint}
        heads = "".join(f"<th>{name}</th>" for name in values)
        cells = "".join(f"<td>{text}</td>" for text in values.values())
        return f'<table style="width:100%"><tr>{heads}</tr><tr>{cells}</tr></table>'

    @staticmethod
    def publish(
        workspace: Workspace,
        name: str,
        description: str,
        pipeline: Any,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> PipelineEndpoint:
        """Make the endpoint with a pipeline, or one that is published already, as its version 0 and default."""
        _refuse_taken(workspace, name)
        kind = getattr(pipeline, "deployment", None) or (pipeline if isinstance(pipeline, Pipeline) else None)
        if kind is None:
            raise _refuse_kind(pipeline)
        chosen, id = publishing.choose_endpoint(workspace.client, name), str(uuid.uuid4())
        prepared = publishing.prepare_pipeline(pipeline, name, description) if isinstance(pipeline, Pipeline) else None
        notes = {published.ENDPOINT: id, published.NAME: name}
        publishing.create_endpoint(workspace.client, chosen, description, notes)
        if prepared is not None:
            prepared.deploy(chosen)
        else:
            publishing.set_default(workspace.client, chosen, _copy_deployment(workspace, pipeline, chosen))
        return PipelineEndpoint.get(workspace, id=id)

    @staticmethod
    def get(
        workspace: Workspace,
        id: str | None = None,
        name: str | None = None,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> PipelineEndpoint:
        if id is None and name is None:
            raise UserErrorException("PipelineEndpoint.get takes the id or the name of a pipeline endpoint")
        if id is not None:
            with raise_as(UserErrorException):
                return PipelineEndpoint.from_body(workspace, fetch(workspace, f"/PipelineEndpoints/{id}"))
        found = next((one for one in _list_all(workspace) if one.name == name), None)
        if found is None:
            raise UserErrorException(f"there is no pipeline endpoint '{name}' in workspace '{workspace.name}'")
        return found

    @staticmethod
    def list(
        workspace: Workspace,
        active_only: bool = True,
        max_results: int = 100,
        _workflow_provider: object = None,
        _service_endpoint: object = None,
    ) -> List[PipelineEndpoint]:
        found = [one for one in _list_all(workspace) if one.status == ACTIVE or not active_only]
        return found[:max_results]

    get_all = list

    def submit(
        self,
        experiment_name: str,
        pipeline_parameters: Mapping[str, Any] | None = None,
        parent_run_id: str | None = None,
        pipeline_version: str | None = None,
    ) -> PipelineRun:
        """Submit the default version, or the one named."""
        from smalt.v1.experiment import Experiment

        return self.submit_to(
            Experiment(self._workspace, experiment_name),
            pipeline_parameters=pipeline_parameters,
            parent_run_id=parent_run_id,
            pipeline_version=pipeline_version,
        )

    def submit_to(self, experiment: Experiment, tags: Mapping[str, Any] | None = None, **kwargs: Any) -> PipelineRun:
        version = kwargs.pop("pipeline_version", None)
        path = f"/PipelineEndpointSubmit/Id/{self.id}"
        return submit(experiment, path if version is None else f"{path}/{version}", tags, kwargs)

    # Versions

    def get_default_version(self) -> str | None:
        self._refresh()
        return self.default_version

    def set_default_version(self, version: str) -> None:
        self._find_version(version)
        publishing.set_default(self._client, self.batch_endpoint, f"v{version}")
        self._refresh()

    def set_default(self, pipeline: PublishedPipeline) -> None:
        """Make the version with that pipeline the default."""
        self._refresh()
        found = next((one.version for one in reversed(self._versions) if one._pipeline_id == pipeline.id), None)
        if found is None:
            raise UserErrorException(
                f"pipeline endpoint '{self.name}' has no version with pipeline '{pipeline.id}'; add it first"
            )
        self.set_default_version(found)

    def add(self, pipeline: PublishedPipeline) -> None:
        """Add a published pipeline as the next version."""
        if not isinstance(pipeline, PublishedPipeline):
            raise _refuse_kind(pipeline)
        _copy_deployment(self._workspace, pipeline, self.batch_endpoint)
        self._refresh()

    def add_default(self, pipeline: PublishedPipeline) -> None:
        """Add a published pipeline as the next version, and make it the default."""
        self.add(pipeline)
        self.set_default(pipeline)

    def get_pipeline(self, version: str | None = None) -> PublishedPipeline:
        """Return the pipeline of the version, by default that of the default version."""
        return self._find_version(version or self.get_default_version()).pipeline

    def list_versions(
        self, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> List[PipelineVersion]:
        self._refresh()
        return [*self._versions]

    def list_pipelines(
        self, active_only: bool = True, _workflow_provider: object = None, _service_endpoint: object = None
    ) -> List[PublishedPipeline]:
        found = [one.pipeline for one in self.list_versions()]
        return [one for one in found if one.status == ACTIVE or not active_only]

    def _find_version(self, version: str | None) -> PipelineVersion:
        self._refresh()
        for one in self._versions:
            if one.version == str(version):
                return one
        known = ", ".join(one.version for one in self._versions) or "none"
        raise UserErrorException(f"pipeline endpoint '{self.name}' has no version {version}; it has {known}")

    # What people see

    def set_name(self, name: str) -> None:
        """Rename it; the batch endpoint of v2, and its address by id, stay what they are."""
        _refuse_taken(self._workspace, name)
        self._change({"properties": {published.NAME: name}})

    def set_description(self, description: str) -> None:
        self._change({"description": description})

    def enable(self) -> None:
        self._change({"properties": {published.STATUS: ACTIVE}})

    def disable(self) -> None:
        """Let nobody submit it until it is enabled."""
        self._change({"properties": {published.STATUS: DISABLED}})

    def archive(self) -> None:
        self._change({"properties": {published.STATUS: "Archived"}})

    def deprecate(self) -> None:
        self._change({"properties": {published.STATUS: "Deprecated"}})

    reactivate = enable

    def _change(self, properties: dict[str, Any]) -> None:
        place = f"{self._client.workspace_id}/batchEndpoints/{self.batch_endpoint}"
        with raise_as(UserErrorException):
            self._client.connection.patch(place, {"properties": properties})
        self._refresh()

    def _refresh(self) -> None:
        vars(self).update(vars(PipelineEndpoint.get(self._workspace, id=self.id)))


def _list_all(workspace: Workspace) -> List[PipelineEndpoint]:
    return [PipelineEndpoint.from_body(workspace, body) for body in fetch(workspace, "/PipelineEndpoints")["value"]]


def _refuse_taken(workspace: Workspace, name: str) -> None:
    if any(one.name == name for one in _list_all(workspace)):
        raise UserErrorException(f"there is a pipeline endpoint '{name}' already; get it and add() a version to it")


def _refuse_kind(pipeline: object) -> UserErrorException:
    return UserErrorException(
        f"the versions of a pipeline endpoint are published pipelines, not {type(pipeline).__name__}; publish it first"
    )


def _copy_deployment(workspace: Workspace, pipeline: PublishedPipeline, endpoint: str) -> str:
    """Deploy a published pipeline behind another endpoint, under the same id, and return the deployment's name."""
    deployments = workspace.client.batch_deployments
    made = copy.copy(deployments.get(pipeline.deployment, pipeline.batch_endpoint))
    made.name, made.endpoint_name = publishing.choose_deployment(workspace.client, endpoint), endpoint
    with raise_as(UserErrorException):
        deployments.begin_create_or_update(made).result()
    return str(made.name)
