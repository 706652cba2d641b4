"""`ml_client.online_endpoints` and `ml_client.online_deployments`"""

from __future__ import annotations

import builtins
import json
import os
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from smalt.client.collections.endpoints import EndpointCollection, EndpointDeploymentCollection
from smalt.client.collections.pollers import CompletedPoller, LROPoller
from smalt.client.connection.errors import from_response
from smalt.exceptions import DeploymentException, NotFound, RefusedError, SmaltError, ValidationException

if TYPE_CHECKING:
    from smalt.client.connection.connection import ApiConnection
    from smalt.entities.endpoints.endpoint import OnlineEndpoint
    from smalt.entities.endpoints.online_deployment import OnlineDeployment
    from smalt.entities.responses import EndpointAuthKeys, EndpointAuthToken

_WAIT = 20
"""Seconds that the server is asked to hold an answer while a deployment is made."""
_SCORING_FAILED = 424
_IN_PROGRESS = "InProgress"


class OnlineEndpointOperations(EndpointCollection):
    """Endpoints that processes of the server's machine serve; `local=True` means the same as without it."""

    kind = "online_endpoint"
    segment = "onlineEndpoints"

    def begin_create_or_update(
        self, endpoint: OnlineEndpoint, *, local: bool = False
    ) -> CompletedPoller[OnlineEndpoint]:
        return self._create_deployment(endpoint)

    def get(self, name: str, *, local: bool = False) -> OnlineEndpoint:
        """Return the endpoint; its traffic names every deployment, as in the service."""
        found: OnlineEndpoint = self._get_deployment(name)
        traffic, mirror = dict(found.traffic or {}), found.mirror_traffic or {}
        for deployment in self._list_deployment_names(name):
            if not traffic.get(deployment) and not mirror.get(deployment):
                traffic[deployment] = 0
        found.traffic = traffic
        return found

    def list(self, *, local: bool = False) -> Iterator[OnlineEndpoint]:
        return self._list_entities(self._build_path())

    def begin_delete(self, name: str | None = None, *, local: bool = False) -> CompletedPoller[None]:
        """Delete the endpoint and its deployments, and stop their processes."""
        if name is None:
            raise ValidationException("the name of the online endpoint is missing")
        return self._delete_existing(self._build_path(name))

    def get_keys(self, name: str) -> EndpointAuthKeys | EndpointAuthToken:
        """Return the keys, or a token where the endpoint's auth_mode is not key."""
        from smalt.entities.responses import EndpointAuthKeys, EndpointAuthToken

        body = self._connection.get(self._build_path(name))
        if str(body["properties"].get("authMode") or "key").lower() == "key":
            found = self._post_action(name, "listKeys")
            return EndpointAuthKeys(primary_key=found["primaryKey"], secondary_key=found["secondaryKey"])
        found = self._post_action(name, "token")
        return EndpointAuthToken(
            access_token=found["accessToken"],
            expiry_time_utc=found["expiryTimeUtc"],
            refresh_after_time_utc=found["refreshAfterTimeUtc"],
            token_type=found["tokenType"],
        )

    def begin_regenerate_keys(self, name: str, *, key_type: str = "primary") -> CompletedPoller[None]:
        """Make another key; the one before opens nothing any more."""
        self._connection.post(f"{self._build_path(name)}/regenerateKeys", {"keyType": key_type.capitalize()})
        return CompletedPoller(None)

    def invoke(
        self,
        endpoint_name: str,
        *,
        request_file: str | os.PathLike[str] | None = None,
        deployment_name: str | None = None,
        input_data: Any = None,
        params_override: Any = None,
        local: bool = False,
        **kwargs: Any,
    ) -> str:
        """Send a file's JSON to the endpoint and return the answer's text; `local` finds the only deployment."""
        if request_file is None:
            raise ValidationException("invoke needs 'request_file', a file with the request's JSON")
        body = _read_request(request_file)
        uri = self._connection.get(self._build_path(endpoint_name))["properties"]["scoringUri"]
        names = self._list_deployment_names(endpoint_name)
        if deployment_name is None and local and len(names) == 1:
            deployment_name = names[0]
        if deployment_name is not None and deployment_name.lower() not in map(str.lower, names):
            known = ", ".join(names) or "it has none"
            raise NotFound(f"online endpoint '{endpoint_name}' has no deployment '{deployment_name}' ({known})")
        headers = {"Content-Type": "application/json", "Accept": "*/*", **self._make_authorization(endpoint_name)}
        if deployment_name is not None:
            headers["azureml-model-deployment"] = deployment_name
        path = urlsplit(uri).path.removeprefix(self._connection.server.prefix)
        status, answer = self._connection.exchange(path, body, headers)
        if status >= 400:
            raise _explain_answer(endpoint_name, status, answer)
        return answer.decode("utf-8", "replace")

    def _make_authorization(self, name: str) -> dict[str, str]:
        credentials = self.get_keys(name)
        secret = getattr(credentials, "primary_key", None) or getattr(credentials, "access_token", None)
        return {"Authorization": f"Bearer {secret}"}

    def _list_deployment_names(self, endpoint: str) -> builtins.list[str]:
        return [str(one["name"]) for one in self._connection.list_items(f"{self._build_path(endpoint)}/deployments")]


class OnlineDeploymentOperations(EndpointDeploymentCollection):
    """Deployments, whose processes the server starts; `local=True` means the same as without it."""

    kind = "online_deployment"
    segment = "deployments"
    endpoints = "onlineEndpoints"

    def begin_create_or_update(
        self,
        deployment: OnlineDeployment,
        *,
        local: bool = False,
        vscode_debug: bool = False,
        skip_script_validation: bool = False,
        local_enable_gpu: bool = False,
        **kwargs: Any,
    ) -> LROPoller[OnlineDeployment]:
        """Create or change a deployment; the poller's `result()` waits until its processes answer, and `local` too."""
        if vscode_debug:
            raise RefusedError(
                "smalt attaches no debugger to a deployment; set AZUREML_DEBUG_PORT among its environment_variables, "
                "for debugpy, and remove vscode_debug"
            )
        from smalt.client.endpoints.scoring_scripts import check_scoring_script

        check_scoring_script(deployment, checks_syntax=not skip_script_validation, needed=())
        made = self._create_deployment(deployment).result()
        path = self._build_deployment_path(made.endpoint_name, made.name)
        poller = DeploymentPoller(self._connection, path, lambda: self.get(made.name, made.endpoint_name))
        if local:  # Azure's client makes local deployments before it returns, and programs use them at once
            poller.result()
        return poller

    def get(self, name: str, endpoint_name: str, *, local: bool | None = False) -> OnlineDeployment:
        found: OnlineDeployment = self._get_deployment(name, endpoint_name)
        return found

    def list(self, endpoint_name: str, *, local: bool = False) -> Iterator[OnlineDeployment]:
        return self._list_deployments(endpoint_name)

    def begin_delete(self, name: str, endpoint_name: str, *, local: bool | None = False) -> CompletedPoller[None]:
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
        """Return the last lines of what the deployment's processes said, or of what was done before they started."""
        kinds = {"inference-server": "InferenceServer", "storage-initializer": "StorageInitializer"}
        if container_type is not None and container_type not in kinds:
            raise ValidationException(f"container_type must be {' or '.join(kinds)}, not '{container_type}'")
        body = {"tail": lines, "containerType": kinds[container_type or "inference-server"]}
        path = f"{self._build_deployment_path(endpoint_name, name)}/getLogs"
        return str(self._connection.post(path, body)["content"])


class DeploymentPoller(LROPoller["OnlineDeployment"]):
    """The making of a deployment; the server holds its answer until there is an end, so nothing polls in vain."""

    def __init__(self, connection: ApiConnection, path: str, get: Callable[[], OnlineDeployment]) -> None:
        super().__init__(lambda: self._fetch_status(0) != _IN_PROGRESS, get)
        self.on_log: Callable[[str], None] | None = None
        """Told of what happens while somebody waits, a few lines at a time."""
        self._offset = 0
        self._connection = connection
        self._path = path
        self._operation = str(connection.get(path)["properties"].get("provisioningOperation") or "")
        self._error: str | None = None

    def status(self) -> str:
        return self._fetch_status(0)

    def wait(self, timeout: float | None = None) -> None:
        until = None if timeout is None else time.monotonic() + timeout
        while (
            self._fetch_status(_WAIT if until is None else max(0, min(_WAIT, int(until - time.monotonic()))))
            == _IN_PROGRESS
        ):
            if until is not None and time.monotonic() >= until:
                return
        super().wait(0)

    def result(self, timeout: float | None = None) -> OnlineDeployment:
        self.wait(timeout)
        if self._error:
            raise DeploymentException(self._error)
        return super().result(0)

    def _fetch_status(self, wait: int) -> str:
        query = {} if self.on_log is None else {"log": self._offset}
        found = self._connection.get(
            f"{self._path}/operations/{self._operation}", wait=min(wait, _WAIT if self.on_log is None else 1), **query
        )
        if self.on_log is not None and found.get("log"):
            self._offset = int(found["logOffset"])
            self.on_log(str(found["log"]))
        self._error = (found.get("error") or {}).get("message")
        return str(found["status"])


def _read_request(path: str | os.PathLike[str]) -> bytes:
    try:
        with open(path, "rb") as file:
            body = file.read()
    except OSError as error:
        raise ValidationException(f"the request_file '{os.fspath(path)}' cannot be read: {error.strerror}") from None
    try:
        json.loads(body)
    except ValueError as error:
        raise ValidationException(
            f"{os.fspath(path)}: the request is not JSON ({error}); send other bodies to the scoring_uri, with curl"
        ) from None
    return body


def _explain_answer(endpoint: str, status: int, answer: bytes) -> SmaltError:
    """Return the error for an answer: the server's own sentence, or what the model said."""
    if status != _SCORING_FAILED:
        return from_response(status, answer, f"a request to online endpoint '{endpoint}'")
    said = " ".join(answer.decode("utf-8", "replace").split())[:500] or "nothing"
    return SmaltError(f"the model behind online endpoint '{endpoint}' failed and said: {said}")
