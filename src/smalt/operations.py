"""The classes of `MLClient`'s collections, for annotations and `isinstance`; only `MLClient` creates instances."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.client.collections.batch import BatchDeploymentOperations as BatchDeploymentOperations
    from smalt.client.collections.batch import BatchEndpointOperations as BatchEndpointOperations
    from smalt.client.collections.components import ComponentOperations as ComponentOperations
    from smalt.client.collections.compute import ComputeOperations as ComputeOperations
    from smalt.client.collections.connections import WorkspaceConnectionsOperations as WorkspaceConnectionsOperations
    from smalt.client.collections.data import DataOperations as DataOperations
    from smalt.client.collections.datastores import DatastoreOperations as DatastoreOperations
    from smalt.client.collections.environments import EnvironmentOperations as EnvironmentOperations
    from smalt.client.collections.features import FeatureSetOperations as FeatureSetOperations
    from smalt.client.collections.features import FeatureStoreEntityOperations as FeatureStoreEntityOperations
    from smalt.client.collections.features import FeatureStoreOperations as FeatureStoreOperations
    from smalt.client.collections.indexes import IndexOperations as IndexOperations
    from smalt.client.collections.jobs import JobOperations as JobOperations
    from smalt.client.collections.models import EvaluatorOperations as EvaluatorOperations
    from smalt.client.collections.models import ModelOperations as ModelOperations
    from smalt.client.collections.networks import WorkspaceOutboundRuleOperations as WorkspaceOutboundRuleOperations
    from smalt.client.collections.online import OnlineDeploymentOperations as OnlineDeploymentOperations
    from smalt.client.collections.online import OnlineEndpointOperations as OnlineEndpointOperations
    from smalt.client.collections.registries import RegistryOperations as RegistryOperations
    from smalt.client.collections.schedules import ScheduleOperations as ScheduleOperations
    from smalt.client.collections.serverless import (
        MarketplaceSubscriptionOperations as MarketplaceSubscriptionOperations,
    )
    from smalt.client.collections.serverless import ServerlessEndpointOperations as ServerlessEndpointOperations
    from smalt.client.collections.unsupported import AzureOpenAIDeploymentOperations as AzureOpenAIDeploymentOperations
    from smalt.client.collections.unsupported import CapabilityHostsOperations as CapabilityHostsOperations
    from smalt.client.collections.unsupported import DeploymentTemplateOperations as DeploymentTemplateOperations
    from smalt.client.collections.workspaces import WorkspaceOperations as WorkspaceOperations

_MODULES = {
    "batch": "BatchDeploymentOperations BatchEndpointOperations",
    "components": "ComponentOperations",
    "compute": "ComputeOperations",
    "connections": "WorkspaceConnectionsOperations",
    "data": "DataOperations",
    "datastores": "DatastoreOperations",
    "environments": "EnvironmentOperations",
    "features": "FeatureSetOperations FeatureStoreEntityOperations FeatureStoreOperations",
    "indexes": "IndexOperations",
    "jobs": "JobOperations",
    "models": "EvaluatorOperations ModelOperations",
    "networks": "WorkspaceOutboundRuleOperations",
    "online": "OnlineDeploymentOperations OnlineEndpointOperations",
    "registries": "RegistryOperations",
    "schedules": "ScheduleOperations",
    "serverless": "MarketplaceSubscriptionOperations ServerlessEndpointOperations",
    "unsupported": "AzureOpenAIDeploymentOperations CapabilityHostsOperations DeploymentTemplateOperations",
    "workspaces": "WorkspaceOperations",
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'smalt.operations' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"smalt.client.collections.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
