"""`ml_client.batch_endpoints` and `ml_client.batch_deployments`"""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import EndpointCollection, EndpointDeploymentCollection
from smalt.client.collections.pollers import CompletedPoller
from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import ANONYMOUS_COMPONENT, build_asset_id

if TYPE_CHECKING:
    from smalt.entities import BatchJob
    from smalt.entities.endpoints.deployment import Deployment
    from smalt.entities.endpoints.endpoint import BatchEndpoint
    from smalt.entities.endpoints.invocation import BatchInvocation


class BatchEndpointOperations(EndpointCollection):
    kind = "batch_endpoint"
    segment = "batchEndpoints"

    def begin_create_or_update(self, endpoint: BatchEndpoint) -> CompletedPoller[BatchEndpoint]:
        return self._create_deployment(endpoint)

    def get(self, name: str) -> BatchEndpoint:
        found: BatchEndpoint = self._get_deployment(name)
        return found

    def list(self) -> Iterator[BatchEndpoint]:
        return self._list_entities(self._build_path())

    def begin_delete(self, name: str) -> CompletedPoller[None]:
        """Delete the endpoint and its deployments; its jobs stay."""
        return self._delete_existing(self._build_path(name))

    def invoke(
        self,
        endpoint_name: str,
        *,
        deployment_name: str | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> BatchJob:
        """Run the endpoint's default deployment, or the one named, and return its job, which is queued.

        `inputs` and `outputs` are `Input` and `Output` by name, literals as they are; `input` is the one data input of
        a deployment. Further arguments: `experiment_name`, `job_name`, and `params_override`, a list of settings of a
        model deployment that this invocation changes, such as `[{"mini_batch_size": 20}]`.
        """
        from smalt.client.endpoints.invocations import make_invocation

        return self.submit_invocation(endpoint_name, deployment_name, make_invocation(inputs, kwargs))

    def submit_invocation(
        self, endpoint_name: str, deployment_name: str | None, invocation: BatchInvocation
    ) -> BatchJob:
        """Send an invocation and return its job; smalt's own. However often it is sent, it makes one job."""
        from smalt.client.endpoints.invocations import build_body

        body = build_body(self._session, invocation)
        headers = {"repeatability_request-id": str(uuid.uuid4())}
        if deployment_name:
            headers["azureml-model-deployment"] = deployment_name
        path = f"{self._build_path(endpoint_name)}/jobs"
        return parse_batch_job(self._connection.request("POST", path, body, headers))

    def list_jobs(self, endpoint_name: str) -> Iterator[BatchJob]:
        """Return the jobs that the endpoint's invocations made, the newest first."""
        return map(parse_batch_job, self._connection.list_items(f"{self._build_path(endpoint_name)}/jobs"))


class BatchDeploymentOperations(EndpointDeploymentCollection):
    kind = "batch_deployment"
    segment = "deployments"
    endpoints = "batchEndpoints"

    def begin_create_or_update(
        self, deployment: Deployment, *, skip_script_validation: bool = False, **kwargs: Any
    ) -> CompletedPoller[Deployment]:
        """Create or change a deployment.

        A scoring script that is missing or cannot be compiled is told before anything is sent or registered.
        """
        from smalt.client.endpoints.scoring_scripts import check_scoring_script

        check_scoring_script(deployment, checks_syntax=not skip_script_validation)
        return self._create_deployment(self._use_job(deployment))

    def _use_job(self, deployment: Any) -> Any:
        """Return the deployment with the component of the pipeline job that it names, if it names one."""
        job = getattr(deployment, "job_definition", None)
        if job is None or getattr(deployment, "component", None) is not None:
            return deployment
        name = job if isinstance(job, str) else getattr(job, "name", None)
        if not name:
            raise ValidationException("job_definition: submit the pipeline job first, and name it here as azureml:JOB")
        spec = {"type": "pipeline", "sourceJobId": name}
        path = build_asset_id(self._workspace_id, "components", ANONYMOUS_COMPONENT, "1")
        made = self._connection.put(path, {"properties": {"isAnonymous": True, "componentSpec": spec}})
        changed = copy.copy(deployment)
        changed.component, changed.job_definition = made["id"], None
        return changed

    def get(self, name: str, endpoint_name: str) -> Deployment:
        found: Deployment = self._get_deployment(name, endpoint_name)
        return found

    def list(self, endpoint_name: str) -> Iterator[Deployment]:
        return self._list_deployments(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str) -> CompletedPoller[None]:
        return self._delete_existing(self._build_deployment_path(endpoint_name, name))

    def list_jobs(self, endpoint_name: str, *, name: str | None = None) -> Iterator[BatchJob]:
        """Return the jobs of a deployment, or of all deployments of the endpoint, the newest first."""
        if name is not None:
            self.get(name, endpoint_name)
        below = f"{self._build_endpoint_path(endpoint_name)}{f'/deployments/{name}' if name else ''}/jobs"
        return map(parse_batch_job, self._connection.list_items(below))


def parse_batch_job(body: dict[str, Any]) -> BatchJob:
    from smalt.entities import BatchJob

    found = body["properties"]
    outputs = found.get("outputData") or {}
    return BatchJob(
        name=body["name"],
        id=body["id"],
        type=body["type"],
        status=found["status"],
        endpoint_name=found["endpointName"],
        deployment_name=found["deploymentName"],
        experiment_name=found.get("experimentName"),
        outputs={
            name: output["uri"] for name, output in outputs.items() if isinstance(output, dict) and "uri" in output
        },
    )
