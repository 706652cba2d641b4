"""`ml_client.online_endpoints` and `ml_client.online_deployments`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import EndpointCollection, EndpointDeploymentCollection
from smalt.client.collections.pollers import CompletedPoller
from smalt.exceptions import RefusedError, ValidationException

if TYPE_CHECKING:
    from smalt.entities.endpoints.endpoint import OnlineEndpoint
    from smalt.entities.endpoints.online_deployment import OnlineDeployment

_NOTE = "online endpoints and deployments are stored; smalt does not serve requests yet"


class OnlineEndpointOperations(EndpointCollection):
    kind = "online_endpoint"
    segment = "onlineEndpoints"
    notice = _NOTE

    def begin_create_or_update(
        self, endpoint: OnlineEndpoint, *, local: bool = False
    ) -> CompletedPoller[OnlineEndpoint]:
        _refuse_local(local)
        return self._create_deployment(endpoint)

    def get(self, name: str, *, local: bool = False) -> OnlineEndpoint:
        _refuse_local(local)
        found: OnlineEndpoint = self._get_deployment(name)
        return found

    def list(self, *, local: bool = False) -> Iterator[OnlineEndpoint]:
        _refuse_local(local)
        return self._list_entities(self._build_path())

    def begin_delete(self, name: str | None = None, *, local: bool = False) -> CompletedPoller[None]:
        """Delete the endpoint and its deployments."""
        _refuse_local(local)
        if name is None:
            raise ValidationException("the name of the online endpoint is missing")
        return self._delete_existing(self._build_path(name))

    def get_keys(self, name: str) -> Any:
        """Raise the server's refusal: there are no keys."""
        return self._post_action(name, "listKeys")

    def begin_regenerate_keys(self, name: str, *, key_type: str = "primary") -> CompletedPoller[None]:
        """Raise the server's refusal: there are no keys."""
        return CompletedPoller(self._post_action(name, "regenerateKeys"))

    def invoke(
        self,
        endpoint_name: str,
        *,
        request_file: str | None = None,
        deployment_name: str | None = None,
        input_data: Any = None,
        params_override: Any = None,
        local: bool = False,
        **kwargs: Any,
    ) -> str:
        """Raise the server's refusal: no deployment answers requests yet."""
        _refuse_local(local)
        return str(self._post_action(endpoint_name, "invoke"))


class OnlineDeploymentOperations(EndpointDeploymentCollection):
    kind = "online_deployment"
    segment = "deployments"
    endpoints = "onlineEndpoints"
    notice = _NOTE

    def begin_create_or_update(
        self,
        deployment: OnlineDeployment,
        *,
        local: bool = False,
        vscode_debug: bool = False,
        skip_script_validation: bool = False,
        local_enable_gpu: bool = False,
        **kwargs: Any,
    ) -> CompletedPoller[OnlineDeployment]:
        _refuse_local(local)
        return self._create_deployment(deployment)

    def get(self, name: str, endpoint_name: str, *, local: bool | None = False) -> OnlineDeployment:
        _refuse_local(local)
        found: OnlineDeployment = self._get_deployment(name, endpoint_name)
        return found

    def list(self, endpoint_name: str, *, local: bool = False) -> Iterator[OnlineDeployment]:
        _refuse_local(local)
        return self._list_deployments(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str, *, local: bool | None = False) -> CompletedPoller[None]:
        _refuse_local(local)
        return self._delete_existing(self._build_deployment_path(endpoint_name, name))

    def get_logs(
        self,
        name: str,
        endpoint_name: str,
        lines: int,
        *,
        container_type: str | None = None,
        local: bool = False,
    ) -> str:
        """Raise the server's refusal: no deployment runs, so none has logs."""
        _refuse_local(local)
        return str(
            self._connection.post(f"{self._build_deployment_path(endpoint_name, name)}/getLogs", {"tail": lines})
        )


def _refuse_local(local: bool | None) -> None:
    if local:
        raise RefusedError("smalt does not serve local endpoints yet; remove local=True")
