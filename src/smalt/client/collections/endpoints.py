"""Operations common to all endpoints, and to all deployments of endpoints."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.name_rules import check_name
from smalt.client.connection.notices import print_notice
from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import build_resource_id


class EndpointCollection(Collection):
    notice = ""
    """The warning that is given when one is created; none if it is empty."""

    def _create_deployment(self, endpoint: Any) -> CompletedPoller[Any]:
        if self.notice:
            print_notice(self.notice)
        from smalt.client.jobs.validation import locate_problems

        with locate_problems(endpoint):
            return CompletedPoller(self._put_entity(endpoint))

    def _get_deployment(self, name: str) -> Any:
        return self._parse_entity(self._connection.get(self._build_path(name)))

    def _post_action(self, name: str, verb: str) -> Any:
        """Post an action of the endpoint, which the server refuses with its reason."""
        return self._connection.post(f"{self._build_path(name)}/{verb}", {})


class EndpointDeploymentCollection(Collection):
    """The deployments of an existing endpoint."""

    endpoints = ""
    """The segment of their endpoints."""
    notice = ""

    def _create_deployment(self, deployment: Any) -> CompletedPoller[Any]:
        endpoint = deployment.endpoint_name
        if not endpoint:
            raise ValidationException(f"{deployment.noun} needs 'endpoint_name'")
        self._connection.get(self._build_endpoint_path(endpoint))
        if self.notice:
            print_notice(self.notice)
        path = self._build_deployment_path(endpoint, str(deployment.name or ""))
        from smalt.client.jobs.validation import locate_problems

        with locate_problems(deployment):
            made = self._put_entity(self._register_model(deployment), path)
        return CompletedPoller(self._build_rule_path(made, endpoint))

    def _get_deployment(self, name: str, endpoint: str) -> Any:
        return self._build_rule_path(
            self._parse_entity(self._connection.get(self._build_deployment_path(endpoint, name))), endpoint
        )

    def _list_deployments(self, endpoint: str) -> Iterator[Any]:
        found = self._list_entities(f"{self._build_endpoint_path(endpoint)}/deployments")
        return (self._build_rule_path(each, endpoint) for each in found)

    def _build_endpoint_path(self, name: str) -> str:
        check_name("endpoint", name)
        return build_resource_id(self._workspace_id, self.endpoints, name)

    def _build_deployment_path(self, endpoint: str, name: str) -> str:
        check_name("deployment", name)
        return f"{self._build_endpoint_path(endpoint)}/deployments/{name}"

    def _register_model(self, deployment: Any) -> Any:
        """Return the deployment with a model that it describes in place registered, and named by reference."""
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

    def _build_rule_path(self, deployment: Any, endpoint: str) -> Any:
        deployment.endpoint_name = endpoint
        return deployment
