"""The collections of a workspace, whose modules are imported at first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smalt.client.session import ClientSession

if TYPE_CHECKING:
    from smalt.client.collections.batch import BatchDeploymentOperations, BatchEndpointOperations
    from smalt.client.collections.code import CodeOperations
    from smalt.client.collections.components import ComponentOperations
    from smalt.client.collections.compute import ComputeOperations
    from smalt.client.collections.connections import WorkspaceConnectionsOperations
    from smalt.client.collections.data import DataOperations
    from smalt.client.collections.datastores import DatastoreOperations
    from smalt.client.collections.environments import EnvironmentOperations
    from smalt.client.collections.features import (
        FeatureSetOperations,
        FeatureStoreEntityOperations,
        FeatureStoreOperations,
    )
    from smalt.client.collections.indexes import IndexOperations
    from smalt.client.collections.jobs import JobOperations
    from smalt.client.collections.models import EvaluatorOperations, ModelOperations
    from smalt.client.collections.networks import WorkspaceOutboundRuleOperations
    from smalt.client.collections.online import OnlineDeploymentOperations, OnlineEndpointOperations
    from smalt.client.collections.registries import RegistryOperations
    from smalt.client.collections.schedules import ScheduleOperations
    from smalt.client.collections.serverless import MarketplaceSubscriptionOperations, ServerlessEndpointOperations
    from smalt.client.collections.unsupported import (
        AzureOpenAIDeploymentOperations,
        CapabilityHostsOperations,
        DeploymentTemplateOperations,
    )
    from smalt.client.collections.workspaces import WorkspaceOperations


class WorkspaceCollections(ClientSession):
    """A session with a property for each collection, whose module is imported at first use."""

    @property
    def jobs(self) -> JobOperations:
        from smalt.client.collections.jobs import JobOperations

        return JobOperations(self)

    @property
    def components(self) -> ComponentOperations:
        from smalt.client.collections.components import ComponentOperations

        return ComponentOperations(self)

    @property
    def environments(self) -> EnvironmentOperations:
        from smalt.client.collections.environments import EnvironmentOperations

        return EnvironmentOperations(self)

    @property
    def data(self) -> DataOperations:
        from smalt.client.collections.data import DataOperations

        return DataOperations(self)

    @property
    def models(self) -> ModelOperations:
        from smalt.client.collections.models import ModelOperations

        return ModelOperations(self)

    @property
    def evaluators(self) -> EvaluatorOperations:
        from smalt.client.collections.models import EvaluatorOperations

        return EvaluatorOperations(self)

    @property
    def compute(self) -> ComputeOperations:
        from smalt.client.collections.compute import ComputeOperations

        return ComputeOperations(self)

    @property
    def datastores(self) -> DatastoreOperations:
        from smalt.client.collections.datastores import DatastoreOperations

        return DatastoreOperations(self)

    @property
    def workspaces(self) -> WorkspaceOperations:
        from smalt.client.collections.workspaces import WorkspaceOperations

        return WorkspaceOperations(self)

    @property
    def schedules(self) -> ScheduleOperations:
        from smalt.client.collections.schedules import ScheduleOperations

        return ScheduleOperations(self)

    @property
    def online_endpoints(self) -> OnlineEndpointOperations:
        from smalt.client.collections.online import OnlineEndpointOperations

        return OnlineEndpointOperations(self)

    @property
    def online_deployments(self) -> OnlineDeploymentOperations:
        from smalt.client.collections.online import OnlineDeploymentOperations

        return OnlineDeploymentOperations(self)

    @property
    def batch_endpoints(self) -> BatchEndpointOperations:
        from smalt.client.collections.batch import BatchEndpointOperations

        return BatchEndpointOperations(self)

    @property
    def batch_deployments(self) -> BatchDeploymentOperations:
        from smalt.client.collections.batch import BatchDeploymentOperations

        return BatchDeploymentOperations(self)

    @property
    def serverless_endpoints(self) -> ServerlessEndpointOperations:
        from smalt.client.collections.serverless import ServerlessEndpointOperations

        return ServerlessEndpointOperations(self)

    @property
    def marketplace_subscriptions(self) -> MarketplaceSubscriptionOperations:
        from smalt.client.collections.serverless import MarketplaceSubscriptionOperations

        return MarketplaceSubscriptionOperations(self)

    @property
    def connections(self) -> WorkspaceConnectionsOperations:
        from smalt.client.collections.connections import WorkspaceConnectionsOperations

        return WorkspaceConnectionsOperations(self)

    @property
    def registries(self) -> RegistryOperations:
        from smalt.client.collections.registries import RegistryOperations

        return RegistryOperations(self)

    @property
    def feature_stores(self) -> FeatureStoreOperations:
        from smalt.client.collections.features import FeatureStoreOperations

        return FeatureStoreOperations(self)

    @property
    def feature_sets(self) -> FeatureSetOperations:
        from smalt.client.collections.features import FeatureSetOperations

        return FeatureSetOperations(self)

    @property
    def feature_store_entities(self) -> FeatureStoreEntityOperations:
        from smalt.client.collections.features import FeatureStoreEntityOperations

        return FeatureStoreEntityOperations(self)

    @property
    def indexes(self) -> IndexOperations:
        from smalt.client.collections.indexes import IndexOperations

        return IndexOperations(self)

    @property
    def workspace_outbound_rules(self) -> WorkspaceOutboundRuleOperations:
        from smalt.client.collections.networks import WorkspaceOutboundRuleOperations

        return WorkspaceOutboundRuleOperations(self)

    @property
    def capability_hosts(self) -> CapabilityHostsOperations:
        from smalt.client.collections.unsupported import CapabilityHostsOperations

        return CapabilityHostsOperations(self)

    @property
    def deployment_templates(self) -> DeploymentTemplateOperations:
        from smalt.client.collections.unsupported import DeploymentTemplateOperations

        return DeploymentTemplateOperations(self)

    @property
    def azure_openai_deployments(self) -> AzureOpenAIDeploymentOperations:
        from smalt.client.collections.unsupported import AzureOpenAIDeploymentOperations

        return AzureOpenAIDeploymentOperations(self)

    @property
    def code(self) -> CodeOperations:
        from smalt.client.collections.code import CodeOperations

        return CodeOperations(self)

    def __getattr__(self, name: str) -> Any:
        if name in _PRIVATE:
            return getattr(self, _PRIVATE[name])
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


_PRIVATE = {
    "_workspaces": "workspaces",
    "_workspace_outbound_rules": "workspace_outbound_rules",
    "_featuresets": "feature_sets",
    "_featurestoreentities": "feature_store_entities",
    "_code": "code",
}
"""Underscored names that programs use."""
