"""`ml_client.online_endpoints` and `ml_client.online_deployments`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.endpoints import Deployments, Endpoints
from smalt.client.collections.pollers import Done
from smalt.exceptions import Refused, ValidationException

if TYPE_CHECKING:
    from smalt.entities.endpoints.endpoint import OnlineEndpoint
    from smalt.entities.endpoints.online_deployment import OnlineDeployment

_NOTE = "online endpoints and deployments are kept, but smalt serves no requests yet"


class OnlineEndpointOperations(Endpoints):
    kind = "online_endpoint"
    segment = "onlineEndpoints"
    does_nothing = _NOTE

    def begin_create_or_update(self, endpoint: OnlineEndpoint, *, local: bool = False) -> Done[OnlineEndpoint]:
        _not_local(local)
        return self._create(endpoint)

    def get(self, name: str, *, local: bool = False) -> OnlineEndpoint:
        _not_local(local)
        found: OnlineEndpoint = self._one(name)
        return found

    def list(self, *, local: bool = False) -> Iterator[OnlineEndpoint]:
        _not_local(local)
        return self._pages(self._path())

    def begin_delete(self, name: str | None = None, *, local: bool = False) -> Done[None]:
        """The endpoint and its deployments."""
        _not_local(local)
        if name is None:
            raise ValidationException("the name of the online endpoint is missing")
        return self._remove(self._path(name))

    def get_keys(self, name: str) -> Any:
        """Refused: there is nothing yet that a key would open."""
        return self._refused(name, "listKeys")

    def begin_regenerate_keys(self, name: str, *, key_type: str = "primary") -> Done[None]:
        """Refused, as there are no keys."""
        return Done(self._refused(name, "regenerateKeys"))

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
        """Refused: no deployment answers yet."""
        _not_local(local)
        return str(self._refused(endpoint_name, "invoke"))


class OnlineDeploymentOperations(Deployments):
    kind = "online_deployment"
    segment = "deployments"
    endpoints = "onlineEndpoints"
    does_nothing = _NOTE

    def begin_create_or_update(
        self,
        deployment: OnlineDeployment,
        *,
        local: bool = False,
        vscode_debug: bool = False,
        skip_script_validation: bool = False,
        local_enable_gpu: bool = False,
        **kwargs: Any,
    ) -> Done[OnlineDeployment]:
        _not_local(local)
        return self._create(deployment)

    def get(self, name: str, endpoint_name: str, *, local: bool | None = False) -> OnlineDeployment:
        _not_local(local)
        found: OnlineDeployment = self._one(name, endpoint_name)
        return found

    def list(self, endpoint_name: str, *, local: bool = False) -> Iterator[OnlineDeployment]:
        _not_local(local)
        return self._every(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str, *, local: bool | None = False) -> Done[None]:
        _not_local(local)
        return self._remove(self._place(endpoint_name, name))

    def get_logs(
        self,
        name: str,
        endpoint_name: str,
        lines: int,
        *,
        container_type: str | None = None,
        local: bool = False,
    ) -> str:
        """Refused: there is no server that would log."""
        _not_local(local)
        return str(self._connection.post(f"{self._place(endpoint_name, name)}/getLogs", {"tail": lines}))


def _not_local(local: bool | None) -> None:
    if local:
        raise Refused(
            "smalt serves no local endpoints yet: it keeps endpoints and deployments only; leave out local=True"
        )
