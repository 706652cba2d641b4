"""The classes of `MLClient`'s collections, for annotations and `isinstance`; `MLClient` makes them."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smalt.client.batch import BatchDeploymentOperations as BatchDeploymentOperations
    from smalt.client.batch import BatchEndpointOperations as BatchEndpointOperations
    from smalt.client.components import ComponentOperations as ComponentOperations
    from smalt.client.compute import ComputeOperations as ComputeOperations
    from smalt.client.connections import WorkspaceConnectionsOperations as WorkspaceConnectionsOperations
    from smalt.client.data import DataOperations as DataOperations
    from smalt.client.datastores import DatastoreOperations as DatastoreOperations
    from smalt.client.elsewhere import AzureOpenAIDeploymentOperations as AzureOpenAIDeploymentOperations
    from smalt.client.elsewhere import CapabilityHostsOperations as CapabilityHostsOperations
    from smalt.client.elsewhere import DeploymentTemplateOperations as DeploymentTemplateOperations
    from smalt.client.environments import EnvironmentOperations as EnvironmentOperations
    from smalt.client.features import FeatureSetOperations as FeatureSetOperations
    from smalt.client.features import FeatureStoreEntityOperations as FeatureStoreEntityOperations
    from smalt.client.features import FeatureStoreOperations as FeatureStoreOperations
    from smalt.client.indexes import IndexOperations as IndexOperations
    from smalt.client.jobs import JobOperations as JobOperations
    from smalt.client.models import EvaluatorOperations as EvaluatorOperations
    from smalt.client.models import ModelOperations as ModelOperations
    from smalt.client.networks import WorkspaceOutboundRuleOperations as WorkspaceOutboundRuleOperations
    from smalt.client.online import OnlineDeploymentOperations as OnlineDeploymentOperations
    from smalt.client.online import OnlineEndpointOperations as OnlineEndpointOperations
    from smalt.client.registries import RegistryOperations as RegistryOperations
    from smalt.client.schedules import ScheduleOperations as ScheduleOperations
    from smalt.client.serverless import MarketplaceSubscriptionOperations as MarketplaceSubscriptionOperations
    from smalt.client.serverless import ServerlessEndpointOperations as ServerlessEndpointOperations
    from smalt.client.workspaces import WorkspaceOperations as WorkspaceOperations

_MODULES = {
    "batch": "BatchDeploymentOperations BatchEndpointOperations",
    "components": "ComponentOperations",
    "compute": "ComputeOperations",
    "connections": "WorkspaceConnectionsOperations",
    "data": "DataOperations",
    "datastores": "DatastoreOperations",
    "elsewhere": "AzureOpenAIDeploymentOperations CapabilityHostsOperations DeploymentTemplateOperations",
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
    "workspaces": "WorkspaceOperations",
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = list(_WHERE)


def __getattr__(name: str) -> Any:
    module = _WHERE.get(name)
    if module is None:
        raise AttributeError(f"module 'smalt.operations' has no attribute '{name}'")
    value = globals()[name] = getattr(import_module(f"smalt.client.{module}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
