"""MLClient: the collections of one workspace over one connection."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from smalt.client.workspace_collections import WorkspaceCollections
from smalt.exceptions import ValidationException

if TYPE_CHECKING:
    from smalt.client.collections.pollers import LROPoller
    from smalt.machine.home import Home


class MLClient(WorkspaceCollections):
    """A client named and called as the service's own. Credentials are accepted and ignored.

    Without `url` (or `SMALT_URL`) it talks to the server of the home on this machine, and starts it if needed.
    """

    def __init__(
        self,
        credential: object = None,
        subscription_id: str | None = None,
        resource_group_name: str | None = None,
        workspace_name: str | None = None,
        registry_name: str | None = None,
        *,
        url: str | None = None,
        token: str | None = None,
        home: Home | None = None,
        **kwargs: Any,
    ) -> None:
        if workspace_name is not None and registry_name is not None:
            raise ValidationException("workspace_name and registry_name exclude each other; give one of them")
        super().__init__(
            {"subscription": subscription_id, "group": resource_group_name, "workspace": workspace_name},
            registry_name,
            url=url,
            token=token,
            home=home,
            show_progress=kwargs.get("show_progress", True) is not False,
            makes_workspaces=bool(kwargs.get("_makes_workspaces", True)),
        )

    def __repr__(self) -> str:
        scope = f"subscription_id={self.subscription_id}, resource_group_name={self.resource_group_name}"
        place = f"registry_name={self.registry_name}" if self.registry_name else f"workspace_name={self.workspace_name}"
        return f"MLClient({scope}, {place})"

    @classmethod
    def from_config(
        cls,
        credential: object = None,
        *,
        path: str | os.PathLike[str] | None = None,
        file_name: str | None = None,
        **kwargs: Any,
    ) -> MLClient:
        """Return the client of the workspace that a `config.json` names, in `path`, the current folder or one above it.

        Without such a file the client is of the home's default workspace, and a notice says so. Raises
        ValidationException
        if `file_name` is given and there is no such file.
        """
        from smalt.client.connection.notices import print_notice
        from smalt.client.scope.config_file import find_config, read_scope

        found = find_config(os.path.abspath(path or "."), file_name)
        if found is not None:
            return cls(credential, *read_scope(found), **kwargs)
        if file_name is not None:
            raise ValidationException(
                f"there is no {file_name} in {os.path.abspath(path or '.')} or above it; give the workspace by name"
            )
        client = cls(credential, **kwargs)
        print_notice(
            f"there is no config.json in {os.path.abspath(path or '.')} or above it; "
            f"this is workspace '{client.workspace_name}', {client.why}"
        )
        return client

    def create_or_update(self, entity: Any, **kwargs: Any) -> Any:
        """Create or update the entity in the collection of its type."""
        collection = self._find_collection(entity)
        if hasattr(collection, "create_or_update"):
            return collection.create_or_update(entity, **kwargs)
        return self.begin_create_or_update(entity, **kwargs)

    def begin_create_or_update(self, entity: Any, **kwargs: Any) -> LROPoller[Any]:
        """Create or update the entity in the collection of its type, and return a poller."""
        from smalt.client.collections.pollers import CompletedPoller

        collection = self._find_collection(entity)
        begin = getattr(collection, "begin_create_or_update", None) or getattr(collection, "begin_create", None)
        if begin is not None:
            poller: LROPoller[Any] = begin(entity, **kwargs)
            return poller
        return CompletedPoller(collection.create_or_update(entity, **kwargs))

    def _find_collection(self, entity: Any) -> Any:
        for base in type(entity).__mro__:
            if base.__name__ in _COLLECTIONS:
                return getattr(self, _COLLECTIONS[base.__name__])
        if hasattr(entity, "_is_mldesigner_component"):
            return self.components
        if type(entity).__name__.endswith("Node") or hasattr(entity, "component"):
            return self.jobs
        raise TypeError(f"a {type(entity).__name__} cannot be created; give a job, an asset, an endpoint or a compute")


_COLLECTIONS = {
    "Job": "jobs",
    "Component": "components",
    "Environment": "environments",
    "Data": "data",
    "Model": "models",
    "Datastore": "datastores",
    "Compute": "compute",
    "FeatureStore": "feature_stores",
    "Workspace": "workspaces",
    "Schedule": "schedules",
    "OnlineEndpoint": "online_endpoints",
    "OnlineDeployment": "online_deployments",
    "BatchEndpoint": "batch_endpoints",
    "ModelBatchDeployment": "batch_deployments",
    "PipelineComponentBatchDeployment": "batch_deployments",
    "BatchDeployment": "batch_deployments",
    "ServerlessEndpoint": "serverless_endpoints",
    "MarketplaceSubscription": "marketplace_subscriptions",
    "Connection": "connections",
    "Registry": "registries",
    "FeatureSet": "feature_sets",
    "FeatureStoreEntity": "feature_store_entities",
    "Index": "indexes",
}
"""By the name of the entity's class or of one that it is derived from."""
