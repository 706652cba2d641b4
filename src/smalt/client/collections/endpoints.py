"""What the collections of endpoints share, and those of deployments."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.name_rules import check_name
from smalt.client.collections.pollers import Done
from smalt.client.connection.notices import print_notice
from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import resource_id


class Endpoints(Collection):
    does_nothing = ""
    """What is told when one is created."""

    def _create(self, endpoint: Any) -> Done[Any]:
        print_notice(self.does_nothing)
        return Done(self._put(endpoint))

    def _one(self, name: str) -> Any:
        return self._entity(self._connection.get(self._path(name)))

    def _refused(self, name: str, verb: str) -> Any:
        """The server's sentence why not."""
        return self._connection.post(f"{self._path(name)}/{verb}", {})


class Deployments(Collection):
    """Of an endpoint, which must be there."""

    endpoints = ""
    """The segment of their endpoints."""
    does_nothing = ""

    def _create(self, deployment: Any) -> Done[Any]:
        endpoint = deployment.endpoint_name
        if not endpoint:
            raise ValidationException(f"{deployment.noun} needs 'endpoint_name'")
        self._connection.get(self._endpoint(endpoint))
        print_notice(self.does_nothing)
        path = self._place(endpoint, str(deployment.name or ""))
        return Done(self._of(self._put(self._complete(deployment), path), endpoint))

    def _one(self, name: str, endpoint: str) -> Any:
        return self._of(self._entity(self._connection.get(self._place(endpoint, name))), endpoint)

    def _every(self, endpoint: str) -> Iterator[Any]:
        found = self._pages(f"{self._endpoint(endpoint)}/deployments")
        return (self._of(each, endpoint) for each in found)

    def _endpoint(self, name: str) -> str:
        check_name("endpoint", name)
        return resource_id(self._workspace, self.endpoints, name)

    def _place(self, endpoint: str, name: str) -> str:
        check_name("deployment", name)
        return f"{self._endpoint(endpoint)}/deployments/{name}"

    def _complete(self, deployment: Any) -> Any:
        """With a model that is described in place registered, as its reference."""
        from smalt.client.collections.models import ModelOperations
        from smalt.entities.assets.model import Model

        if not isinstance(getattr(deployment, "model", None), Model):
            return deployment
        model = copy.copy(deployment.model)
        if model.id is None:
            model.name = model.name or f"{deployment.endpoint_name}-{deployment.name}"
            model = ModelOperations(self._session).create_or_update(model)
        changed = copy.copy(deployment)
        changed.model = f"azureml:{model.name}:{model.version}"
        return changed

    def _of(self, deployment: Any, endpoint: str) -> Any:
        deployment.endpoint_name = endpoint
        return deployment
