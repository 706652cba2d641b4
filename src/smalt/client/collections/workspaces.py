"""`ml_client.workspaces`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt import wire
from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import Done
from smalt.exceptions import Refused
from smalt.wire.encoding.ids import PROVIDER, parse_id, workspace_id

if TYPE_CHECKING:
    from smalt.entities.workspaces.workspace import Workspace


class Workspaces(Collection):
    """Workspaces of the subscription and resource group of the client."""

    def _path(self, name: str = "", version: str | None = None) -> str:
        session = self._session
        return workspace_id(session.subscription_id, session.resource_group_name, name or session.workspace_name)

    def _entity(self, body: dict[str, Any]) -> Any:
        """With its resource group, which only the id tells."""
        workspace = super()._entity(body)
        parsed = parse_id(str(workspace.id))
        if parsed is not None:
            workspace.resource_group = parsed.resource_group
        if workspace.mlflow_tracking_uri and not self._connection.local:
            workspace.mlflow_tracking_uri = self._connection.server.own_url(workspace.mlflow_tracking_uri)
        return workspace

    def _scope(self, scope: str) -> str:
        """Return the path of all workspaces of the resource group, of the subscription or of the home."""
        if scope == "home":
            return "/smalt/v1/workspaces"
        base = f"/subscriptions/{self._session.subscription_id}"
        if scope == "resource_group":
            base += f"/resourceGroups/{self._session.resource_group_name}"
        return f"{base}/providers/{PROVIDER}/workspaces"

    def _no_network(self, name: str | None) -> NoReturn:
        raise Refused(
            f"workspace '{name or self._session.workspace_name}' got no network: jobs run on this machine and reach "
            "what it does; leave the call out"
        )


class WorkspaceOperations(Workspaces):
    kind = "workspace"

    def get(self, name: str | None = None, **kwargs: Any) -> Workspace:
        """Return a workspace; a program's own is made where it is not there, another is not found."""
        is_own = (name or "").lower() in ("", self._session.workspace_name.lower())
        headers = {} if is_own else {"X-Smalt-Makes-Workspaces": "0"}
        workspace: Workspace = self._entity(self._connection.request("GET", self._path(name or ""), headers=headers))
        return workspace

    def list(
        self,
        *,
        scope: str = "resource_group",
        filtered_kinds: str | list[str] | None = None,
    ) -> Iterator[Workspace]:
        """The workspaces of the resource group, or with scope="subscription" of the subscription."""
        wanted = [filtered_kinds] if isinstance(filtered_kinds, str) else filtered_kinds
        for body in self._connection.pages(self._scope(scope)):
            kind = str(body.get("kind") or "default").lower()
            if wanted is None or kind in [str(each).lower() for each in wanted]:
                yield self._entity(body)

    def begin_create(
        self, workspace: Workspace, update_dependent_resources: bool = False, **kwargs: Any
    ) -> Done[Workspace]:
        body = wire.to_rest(workspace)
        return Done(self._entity(self._connection.put(self._path(str(workspace.name or "")), body)))

    def begin_update(
        self, workspace: Workspace, *, update_dependent_resources: bool = False, **kwargs: Any
    ) -> Done[Workspace]:
        """Change what the workspace says; where it came from the server, what it says no more is removed."""
        body = wire.to_rest(workspace)
        if workspace.id is not None:
            there = wire.to_rest(self.get(workspace.name))
            body = {**{key: {} if key == "tags" else None for key in there}, **body}
            body["properties"] = {**dict.fromkeys(there["properties"]), **body["properties"]}
        return Done(self._entity(self._connection.patch(self._path(str(workspace.name or "")), body)))

    def begin_delete(
        self, name: str, *, delete_dependent_resources: bool = False, permanently_delete: bool = False, **kwargs: Any
    ) -> Done[None]:
        self._connection.delete(self._path(name))
        return Done(None)

    def get_keys(self, name: str | None = None) -> dict[str, Any]:
        """The keys of the workspace."""
        keys: dict[str, Any] = self._connection.post(f"{self._path(name or '')}/listKeys")
        return keys

    def begin_sync_keys(self, name: str | None = None) -> Done[None]:
        """There are no keys that could be out of date."""
        self.get(name)
        return Done(None)

    def begin_diagnose(self, name: str, **kwargs: Any) -> Done[Any]:
        """Refused: what it asks is about the cloud's network."""
        raise Refused(f"workspace '{name}' is not diagnosed from here; run 'smalt server status'")

    def begin_provision_network(
        self, *, workspace_name: str | None = None, include_spark: bool = False, **kwargs: Any
    ) -> Done[Any]:
        """Refused: there is no network to provide."""
        self._no_network(workspace_name)
