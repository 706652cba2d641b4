"""MLClient: the collections of one workspace over one connection."""

from __future__ import annotations

import json
import os
import threading
from functools import cached_property
from typing import TYPE_CHECKING, Any

from smalt.client.connection import Connection
from smalt.exceptions import ValidationException
from smalt.wire import ids

if TYPE_CHECKING:
    from smalt.client.code import CodeOperations
    from smalt.client.components import ComponentOperations
    from smalt.client.compute import ComputeOperations
    from smalt.client.data import DataOperations
    from smalt.client.datastores import DatastoreOperations
    from smalt.client.environments import EnvironmentOperations
    from smalt.client.jobs import JobOperations
    from smalt.client.models import ModelOperations
    from smalt.client.workspaces import WorkspaceOperations
    from smalt.entities.entity import Entity
    from smalt.home import Home

_CONFIG_FILES = (os.path.join(".azureml", "config.json"), "config.json")


class MLClient:
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
        *,
        registry_name: str | None = None,
        url: str | None = None,
        token: str | None = None,
        home: Home | None = None,
        **_: object,
    ) -> None:
        self._url, self._token, self._home = url, token, home
        self._threads = threading.local()
        self.registry_name = registry_name
        defaults = self._defaults() if None in (subscription_id, resource_group_name, workspace_name) else {}
        self.subscription_id = subscription_id or defaults.get("subscription") or ids.DEFAULT_SUBSCRIPTION
        self.resource_group_name = resource_group_name or defaults.get("group") or ids.DEFAULT_RESOURCE_GROUP
        self.workspace_name = workspace_name or defaults.get("workspace") or ids.DEFAULT_WORKSPACE

    @classmethod
    def from_config(
        cls,
        credential: object = None,
        *,
        path: str | os.PathLike[str] | None = None,
        file_name: str | None = None,
        **rest: Any,
    ) -> MLClient:
        """The workspace that a `config.json` names, in `path`, the current folder or one above it."""
        found = _find_config(os.path.abspath(path or "."), file_name)
        try:
            with open(found, encoding="utf-8") as file:
                scope = json.load(file)
            names = scope["subscription_id"], scope["resource_group"], scope["workspace_name"]
        except (OSError, ValueError, KeyError, TypeError):
            raise ValidationException(
                f"{found} is no workspace configuration; it needs subscription_id, resource_group and workspace_name"
            ) from None
        return cls(credential, *names, **rest)

    @property
    def connection(self) -> Connection:
        """This thread's connection."""
        connection: Connection | None = getattr(self._threads, "connection", None)
        if connection is None:
            connection = self._threads.connection = Connection.open(url=self._url, token=self._token, home=self._home)
        return connection

    @cached_property
    def workspace_id(self) -> str:
        """The id of the workspace; of the registry, for the client of one."""
        if self.registry_name is not None:
            return ids.registry_id(self.subscription_id, self.resource_group_name, self.registry_name)
        return ids.workspace_id(self.subscription_id, self.resource_group_name, self.workspace_name)

    @property
    def jobs(self) -> JobOperations:
        from smalt.client.jobs import JobOperations

        return JobOperations(self)

    @property
    def components(self) -> ComponentOperations:
        from smalt.client.components import ComponentOperations

        return ComponentOperations(self)

    @property
    def environments(self) -> EnvironmentOperations:
        from smalt.client.environments import EnvironmentOperations

        return EnvironmentOperations(self)

    @property
    def data(self) -> DataOperations:
        from smalt.client.data import DataOperations

        return DataOperations(self)

    @property
    def models(self) -> ModelOperations:
        from smalt.client.models import ModelOperations

        return ModelOperations(self)

    @property
    def compute(self) -> ComputeOperations:
        from smalt.client.compute import ComputeOperations

        return ComputeOperations(self)

    @property
    def datastores(self) -> DatastoreOperations:
        from smalt.client.datastores import DatastoreOperations

        return DatastoreOperations(self)

    @property
    def workspaces(self) -> WorkspaceOperations:
        from smalt.client.workspaces import WorkspaceOperations

        return WorkspaceOperations(self)

    @property
    def code(self) -> CodeOperations:
        from smalt.client.code import CodeOperations

        return CodeOperations(self)

    def create_or_update(self, entity: Entity) -> Any:
        """Whatever the entity is, in its collection."""
        for base in type(entity).__mro__:
            if base.__name__ in _COLLECTIONS:
                collection = getattr(self, _COLLECTIONS[base.__name__])
                create = getattr(collection, "create_or_update", None) or collection.begin_create_or_update
                return create(entity)
        raise TypeError(f"a {type(entity).__name__} cannot be created")

    def _defaults(self) -> dict[str, str]:
        """The home's `defaults` setting, where there is one: subscription, group, workspace."""
        if self._url or (os.environ.get("SMALT_URL") and self._home is None):
            return {}
        from smalt.home import Home

        config = (self._home or Home.find()).read_json("config.json")
        defaults = config.get("defaults") if isinstance(config, dict) else None
        return {key: value for key, value in (defaults or {}).items() if isinstance(value, str)}


_COLLECTIONS = {
    "Job": "jobs",
    "Component": "components",
    "Environment": "environments",
    "Data": "data",
    "Model": "models",
    "Datastore": "datastores",
    "Compute": "compute",
    "Workspace": "workspaces",
}


def _find_config(folder: str, file_name: str | None) -> str:
    if os.path.isfile(folder):
        return folder
    names = [os.path.join(".azureml", file_name), file_name] if file_name else list(_CONFIG_FILES)
    start = folder
    while True:
        for name in names:
            if os.path.isfile(os.path.join(folder, name)):
                return os.path.join(folder, name)
        parent = os.path.dirname(folder)
        if parent == folder:
            raise ValidationException(f"there is no {names[-1]} in {start} or above it; give the workspace by name")
        folder = parent
