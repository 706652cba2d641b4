"""`ml_client.batch_endpoints` and `ml_client.batch_deployments`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import Deployments, Endpoints
from smalt.client.collections.pollers import Done

if TYPE_CHECKING:
    from smalt.entities.endpoints.deployment import Deployment
    from smalt.entities.endpoints.endpoint import BatchEndpoint

_NOTE = "batch endpoints and deployments are kept, but smalt runs none yet"


class BatchEndpointOperations(Endpoints):
    kind = "batch_endpoint"
    segment = "batchEndpoints"
    does_nothing = _NOTE

    def begin_create_or_update(self, endpoint: BatchEndpoint) -> Done[BatchEndpoint]:
        return self._create(endpoint)

    def get(self, name: str) -> BatchEndpoint:
        found: BatchEndpoint = self._one(name)
        return found

    def list(self) -> Iterator[BatchEndpoint]:
        return self._pages(self._path())

    def begin_delete(self, name: str) -> Done[None]:
        """The endpoint and its deployments."""
        return self._remove(self._path(name))

    def invoke(
        self,
        endpoint_name: str,
        *,
        deployment_name: str | None = None,
        inputs: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Refused: no deployment runs yet."""
        return self._refused(endpoint_name, "invoke")

    def list_jobs(self, endpoint_name: str) -> Iterator[Any]:
        """The jobs that it ran: none yet."""
        self.get(endpoint_name)
        return iter(())


class BatchDeploymentOperations(Deployments):
    kind = "batch_deployment"
    segment = "deployments"
    endpoints = "batchEndpoints"
    does_nothing = _NOTE

    def begin_create_or_update(
        self, deployment: Deployment, *, skip_script_validation: bool = False, **kwargs: Any
    ) -> Done[Deployment]:
        return self._create(deployment)

    def get(self, name: str, endpoint_name: str) -> Deployment:
        found: Deployment = self._one(name, endpoint_name)
        return found

    def list(self, endpoint_name: str) -> Iterator[Deployment]:
        return self._every(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str) -> Done[None]:
        return self._remove(self._place(endpoint_name, name))

    def list_jobs(self, endpoint_name: str, *, name: str | None = None) -> Iterator[Any]:
        """The jobs that it ran: none yet."""
        if name is not None:
            self.get(name, endpoint_name)
        else:
            self._connection.get(self._place(endpoint_name, "").removesuffix("/deployments/"))
        return iter(())
