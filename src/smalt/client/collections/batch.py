"""`ml_client.batch_endpoints` and `ml_client.batch_deployments`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import EndpointCollection, EndpointDeploymentCollection
from smalt.client.collections.pollers import CompletedPoller

if TYPE_CHECKING:
    from smalt.entities.endpoints.deployment import Deployment
    from smalt.entities.endpoints.endpoint import BatchEndpoint

_NOTE = "batch endpoints and deployments are stored; smalt does not run them yet"


class BatchEndpointOperations(EndpointCollection):
    kind = "batch_endpoint"
    segment = "batchEndpoints"
    notice = _NOTE

    def begin_create_or_update(self, endpoint: BatchEndpoint) -> CompletedPoller[BatchEndpoint]:
        return self._create_deployment(endpoint)

    def get(self, name: str) -> BatchEndpoint:
        found: BatchEndpoint = self._get_deployment(name)
        return found

    def list(self) -> Iterator[BatchEndpoint]:
        return self._list_entities(self._build_path())

    def begin_delete(self, name: str) -> CompletedPoller[None]:
        """Delete the endpoint and its deployments."""
        return self._delete_existing(self._build_path(name))

    def invoke(
        self,
        endpoint_name: str,
        *,
        deployment_name: str | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Raise the server's refusal: no deployment runs yet."""
        return self._post_action(endpoint_name, "invoke")

    def list_jobs(self, endpoint_name: str) -> Iterator[Any]:
        """Return the jobs that the endpoint ran: none yet."""
        self.get(endpoint_name)
        return iter(())


class BatchDeploymentOperations(EndpointDeploymentCollection):
    kind = "batch_deployment"
    segment = "deployments"
    endpoints = "batchEndpoints"
    notice = _NOTE

    def begin_create_or_update(
        self, deployment: Deployment, *, skip_script_validation: bool = False, **kwargs: Any
    ) -> CompletedPoller[Deployment]:
        return self._create_deployment(deployment)

    def get(self, name: str, endpoint_name: str) -> Deployment:
        found: Deployment = self._get_deployment(name, endpoint_name)
        return found

    def list(self, endpoint_name: str) -> Iterator[Deployment]:
        return self._list_deployments(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str) -> CompletedPoller[None]:
        return self._delete_existing(self._build_deployment_path(endpoint_name, name))

    def list_jobs(self, endpoint_name: str, *, name: str | None = None) -> Iterator[Any]:
        """Return the jobs that the deployment ran: none yet."""
        if name is not None:
            self.get(name, endpoint_name)
        else:
            self._connection.get(self._build_deployment_path(endpoint_name, "").removesuffix("/deployments/"))
        return iter(())
