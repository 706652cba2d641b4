"""The collections of a workspace, each loaded when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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


class Collections:
    """What MLClient has a property for; the arguments that a collection is made of are the client's own business."""

    @property
    def jobs(self) -> JobOperations:
        from smalt.client.collections.jobs import JobOperations

        return JobOperations(self)  # type: ignore[arg-type]

    @property
    def components(self) -> ComponentOperations:
        from smalt.client.collections.components import ComponentOperations

        return ComponentOperations(self)  # type: ignore[arg-type]

    @property
    def environments(self) -> EnvironmentOperations:
        from smalt.client.collections.environments import EnvironmentOperations

        return EnvironmentOperations(self)  # type: ignore[arg-type]

    @property
    def data(self) -> DataOperations:
        from smalt.client.collections.data import DataOperations

        return DataOperations(self)  # type: ignore[arg-type]

    @property
    def models(self) -> ModelOperations:
        from smalt.client.collections.models import ModelOperations

        return ModelOperations(self)  # type: ignore[arg-type]

    @property
    def evaluators(self) -> EvaluatorOperations:
        from smalt.client.collections.models import EvaluatorOperations

        return EvaluatorOperations(self)  # type: ignore[arg-type]

    @property
    def compute(self) -> ComputeOperations:
        from smalt.client.collections.compute import ComputeOperations

        return ComputeOperations(self)  # type: ignore[arg-type]

    @property
    def datastores(self) -> DatastoreOperations:
        from smalt.client.collections.datastores import DatastoreOperations

        return DatastoreOperations(self)  # type: ignore[arg-type]

    @property
    def workspaces(self) -> WorkspaceOperations:
        from smalt.client.collections.workspaces import WorkspaceOperations

        return WorkspaceOperations(self)  # type: ignore[arg-type]

    @property
    def schedules(self) -> ScheduleOperations:
        from smalt.client.collections.schedules import ScheduleOperations

        return ScheduleOperations(self)  # type: ignore[arg-type]

    @property
    def online_endpoints(self) -> OnlineEndpointOperations:
        from smalt.client.collections.online import OnlineEndpointOperations

        return OnlineEndpointOperations(self)  # type: ignore[arg-type]

    @property
    def online_deployments(self) -> OnlineDeploymentOperations:
        from smalt.client.collections.online import OnlineDeploymentOperations

        return OnlineDeploymentOperations(self)  # type: ignore[arg-type]

    @property
    def batch_endpoints(self) -> BatchEndpointOperations:
        from smalt.client.collections.batch import BatchEndpointOperations

        return BatchEndpointOperations(self)  # type: ignore[arg-type]

    @property
    def batch_deployments(self) -> BatchDeploymentOperations:
        from smalt.client.collections.batch import BatchDeploymentOperations

        return BatchDeploymentOperations(self)  # type: ignore[arg-type]

    @property
    def serverless_endpoints(self) -> ServerlessEndpointOperations:
        from smalt.client.collections.serverless import ServerlessEndpointOperations

        return ServerlessEndpointOperations(self)  # type: ignore[arg-type]

    @property
    def marketplace_subscriptions(self) -> MarketplaceSubscriptionOperations:
        from smalt.client.collections.serverless import MarketplaceSubscriptionOperations

        return MarketplaceSubscriptionOperations(self)  # type: ignore[arg-type]

    @property
    def connections(self) -> WorkspaceConnectionsOperations:
        from smalt.client.collections.connections import WorkspaceConnectionsOperations

        return WorkspaceConnectionsOperations(self)  # type: ignore[arg-type]

    @property
    def registries(self) -> RegistryOperations:
        from smalt.client.collections.registries import RegistryOperations

        return RegistryOperations(self)  # type: ignore[arg-type]

    @property
    def feature_stores(self) -> FeatureStoreOperations:
        from smalt.client.collections.features import FeatureStoreOperations

        return FeatureStoreOperations(self)  # type: ignore[arg-type]

    @property
    def feature_sets(self) -> FeatureSetOperations:
        from smalt.client.collections.features import FeatureSetOperations

        return FeatureSetOperations(self)  # type: ignore[arg-type]

    @property
    def feature_store_entities(self) -> FeatureStoreEntityOperations:
        from smalt.client.collections.features import FeatureStoreEntityOperations

        return FeatureStoreEntityOperations(self)  # type: ignore[arg-type]

    @property
    def indexes(self) -> IndexOperations:
        from smalt.client.collections.indexes import IndexOperations

        return IndexOperations(self)  # type: ignore[arg-type]

    @property
    def workspace_outbound_rules(self) -> WorkspaceOutboundRuleOperations:
        from smalt.client.collections.networks import WorkspaceOutboundRuleOperations

        return WorkspaceOutboundRuleOperations(self)  # type: ignore[arg-type]

    @property
    def capability_hosts(self) -> CapabilityHostsOperations:
        from smalt.client.collections.unsupported import CapabilityHostsOperations

        return CapabilityHostsOperations(self)  # type: ignore[arg-type]

    @property
    def deployment_templates(self) -> DeploymentTemplateOperations:
        from smalt.client.collections.unsupported import DeploymentTemplateOperations

        return DeploymentTemplateOperations(self)  # type: ignore[arg-type]

    @property
    def azure_openai_deployments(self) -> AzureOpenAIDeploymentOperations:
        from smalt.client.collections.unsupported import AzureOpenAIDeploymentOperations

        return AzureOpenAIDeploymentOperations(self)  # type: ignore[arg-type]

    @property
    def code(self) -> CodeOperations:
        from smalt.client.collections.code import CodeOperations

        return CodeOperations(self)  # type: ignore[arg-type]

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
"""What programs use though it is underscored."""
