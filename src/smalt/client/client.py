"""MLClient: the collections of one workspace over one connection."""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smalt.client.connection.connection import Connection
from smalt.client.scope.command_hints import complete
from smalt.client.scope.workspace_choice import InEffect, Known, Names, options, workspace_in_effect
from smalt.client.workspace_collections import Collections
from smalt.exceptions import ValidationException
from smalt.machine.home import Home
from smalt.wire import ids

if TYPE_CHECKING:
    from smalt.client.collections.pollers import LROPoller


class MLClient(Collections):
    """Named and called as the service's own; whatever it is given to log in with, it needs not.

    Without `url` (or `SMALT_URL`) it talks to the server of the home on this machine, which it starts.
    It keeps nothing that knows it, so that it, and its connection, end with the last reference to it.
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
            raise ValidationException("a workspace_name and a registry_name are given; give one of them")
        self._url, self._token, self._home = url, token, home
        self.show_progress = kwargs.get("show_progress", True) is not False
        self._threads = threading.local()
        self.registry_name = registry_name
        self._makes_workspaces = bool(kwargs.get("_makes_workspaces", True))
        given = {"subscription": subscription_id, "group": resource_group_name, "workspace": workspace_name}
        self._in_effect = self._effect(given)
        self.subscription_id, self.resource_group_name, self.workspace_name = self._in_effect[:3]
        self.why, self.is_named = self._in_effect[3:]
        """Who names the workspace; whether that is the caller or the environment."""

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
        """The workspace that a `config.json` names, in `path`, the current folder or one above it.

        Where there is none the home's default workspace is taken, and said so.
        """
        from smalt.client.collections.collection import note
        from smalt.client.scope.config_file import find_config, read_scope

        found = find_config(os.path.abspath(path or "."), file_name)
        if found is not None:
            return cls(credential, *read_scope(found), **kwargs)
        if file_name is not None:
            raise ValidationException(
                f"there is no {file_name} in {os.path.abspath(path or '.')} or above it; give the workspace by name"
            )
        client = cls(credential, **kwargs)
        note(
            f"there is no config.json in {os.path.abspath(path or '.')} or above it; "
            f"this is workspace '{client.workspace_name}', {client.why}"
        )
        return client

    @property
    def connection(self) -> Connection:
        """This thread's connection."""
        connection: Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = Connection.open(url=self._url, token=self._token, home=self._home)
            connection.makes_workspaces = self._makes_workspaces
            own = weakref.WeakMethod(self.completed)
            connection.completed = lambda text: say(text) if (say := own()) else text
        return connection

    def _effect(self, given: Names, known: Known | None = None) -> InEffect:
        """Return the workspace that the names mean, by the one rule of `effect.py`."""
        is_remote = bool(self._url or (os.environ.get("SMALT_URL") and self._home is None))
        return workspace_in_effect(given, self._home or Home.find(), known=known, is_remote=is_remote)

    def completed(self, text: str) -> str:
        """Return the text with its commands as they work from here: with this workspace where another is in effect."""
        return complete(text, self._options)

    def options_of(self, workspace: str) -> str:
        """Return the options by which commands typed here mean the workspace of that id; none where it is in effect."""
        named = ids.parse_id(workspace)
        return options(named[:3], self._effect({}, self._known)) if named is not None else ""

    def _options(self) -> str:
        return self.options_of(self.uploads_id)

    def _known(self) -> Iterator[str]:
        return (str(one["id"]) for one in self.connection.pages("/smalt/v1/workspaces"))

    @property
    def scope(self) -> tuple[str, str, str]:
        """The names of subscription, resource group and workspace."""
        return self.subscription_id, self.resource_group_name, self.workspace_name

    @cached_property
    def workspace_id(self) -> str:
        """The id of the workspace; of the registry, for the client of one."""
        if self.registry_name is not None:
            return ids.registry_id(self.subscription_id, self.resource_group_name, self.registry_name)
        return ids.workspace_id(self.subscription_id, self.resource_group_name, self.workspace_name)

    @cached_property
    def uploads_id(self) -> str:
        """The id of the workspace through which local files reach the server, for the client of a registry too."""
        return ids.workspace_id(self.subscription_id, self.resource_group_name, self.workspace_name)

    def create_or_update(self, entity: Any, **kwargs: Any) -> Any:
        """Whatever the entity is, in its collection."""
        collection = self._collection(entity)
        if hasattr(collection, "create_or_update"):
            return collection.create_or_update(entity, **kwargs)
        return self.begin_create_or_update(entity, **kwargs)

    def begin_create_or_update(self, entity: Any, **kwargs: Any) -> LROPoller[Any]:
        """The same, with a poller; what is made at once is done at once."""
        from smalt.client.collections.pollers import Done

        collection = self._collection(entity)
        begin = getattr(collection, "begin_create_or_update", None) or getattr(collection, "begin_create", None)
        if begin is not None:
            poller: LROPoller[Any] = begin(entity, **kwargs)
            return poller
        return Done(collection.create_or_update(entity, **kwargs))

    def _collection(self, entity: Any) -> Any:
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
