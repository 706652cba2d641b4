"""`ml_client.workspaces`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt import wire
from smalt.client.collection import Collection, Done
from smalt.wire.ids import PROVIDER, workspace_id

if TYPE_CHECKING:
    from smalt.entities.workspace import Workspace


class WorkspaceOperations(Collection):
    kind = "workspace"

    def get(self, name: str | None = None, **_: object) -> Workspace:
        workspace: Workspace = self._entity(self._connection.get(self._path(name or "")))
        return workspace

    def list(self, *, scope: str = "subscription", **_: object) -> Iterator[Workspace]:
        """The workspaces of the subscription."""
        base = f"/subscriptions/{self._client.subscription_id}"
        if scope == "resource_group":
            base += f"/resourceGroups/{self._client.resource_group_name}"
        return self._pages(f"{base}/providers/{PROVIDER}/workspaces")

    def begin_create(self, workspace: Workspace, **_: object) -> Done[Workspace]:
        body = wire.to_rest(workspace)
        return Done(self._entity(self._connection.put(self._path(str(workspace.name or "")), body)))

    def begin_update(self, workspace: Workspace, **_: object) -> Done[Workspace]:
        body = wire.to_rest(workspace)
        return Done(self._entity(self._connection.patch(self._path(str(workspace.name or "")), body)))

    def begin_delete(self, name: str, **_: object) -> Done[None]:
        self._connection.delete(self._path(name))
        return Done(None)

    def get_keys(self, name: str | None = None) -> dict[str, Any]:
        """The keys of the workspace."""
        keys: dict[str, Any] = self._connection.post(f"{self._path(name or '')}/listKeys")
        return keys

    def _path(self, name: str = "", version: str | None = None) -> str:
        client = self._client
        return workspace_id(client.subscription_id, client.resource_group_name, name or client.workspace_name)
