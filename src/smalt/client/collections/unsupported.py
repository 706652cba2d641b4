"""Collections of services that only the cloud has; each method raises Refused."""

from __future__ import annotations

from typing import Any, NoReturn

from smalt.client.collections.collection import Collection
from smalt.exceptions import RefusedError


class CapabilityHostsOperations(Collection):
    """Capability hosts, which belong to the cloud's agent service."""

    def begin_create_or_update(self, capability_host: Any, **kwargs: Any) -> NoReturn:
        _refuse_call("capability hosts, which belong to the cloud's agent service")

    def get(self, name: str, **kwargs: Any) -> NoReturn:
        _refuse_call("capability hosts, which belong to the cloud's agent service")

    def begin_delete(self, name: str, **kwargs: Any) -> NoReturn:
        _refuse_call("capability hosts, which belong to the cloud's agent service")


class DeploymentTemplateOperations(Collection):
    """Deployment templates, which belong to the cloud's registries."""

    def create_or_update(self, deployment_template: Any, **kwargs: Any) -> NoReturn:
        _refuse_call("deployment templates, which belong to the cloud's registries")

    def get(self, name: str, version: str | None = None, label: str | None = None, **kwargs: Any) -> NoReturn:
        _refuse_call("deployment templates, which belong to the cloud's registries")

    def list(
        self,
        *,
        name: str | None = None,
        tags: str | None = None,
        count: int | None = None,
        stage: str | None = None,
        list_view_type: str = "ActiveOnly",
        **kwargs: Any,
    ) -> NoReturn:
        _refuse_call("deployment templates, which belong to the cloud's registries")

    def archive(self, name: str, version: str | None = None, **kwargs: Any) -> NoReturn:
        _refuse_call("deployment templates, which belong to the cloud's registries")

    def restore(self, name: str, version: str | None = None, **kwargs: Any) -> NoReturn:
        _refuse_call("deployment templates, which belong to the cloud's registries")

    def delete(self, name: str, version: str | None = None, **kwargs: Any) -> NoReturn:
        _refuse_call("deployment templates, which belong to the cloud's registries")


class AzureOpenAIDeploymentOperations(Collection):
    """Deployments of Azure OpenAI, which only Azure lists."""

    def list(self, connection_name: str, **kwargs: Any) -> NoReturn:
        _refuse_call("deployments of Azure OpenAI, which only Azure lists")


def _refuse_call(what: str) -> NoReturn:
    raise RefusedError(f"smalt has no {what}; remove the call")
