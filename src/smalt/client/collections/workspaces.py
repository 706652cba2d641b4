"""`ml_client.workspaces`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt import wire
from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.exceptions import RefusedError
from smalt.wire.encoding.ids import PROVIDER, build_workspace_id, parse_id

if TYPE_CHECKING:
    from smalt.entities.workspaces.workspace import Workspace


class WorkspaceCollection(Collection):
    """The workspaces in the client's subscription and resource group."""

    def _build_path(self, name: str = "", version: str | None = None) -> str:
        session = self._session
        return build_workspace_id(session.subscription_id, session.resource_group_name, name or session.workspace_name)

    def _parse_entity(self, body: dict[str, Any]) -> Any:
        """Return the workspace with its resource group, which only the id has."""
        workspace = super()._parse_entity(body)
        parsed = parse_id(str(workspace.id))
        if parsed is not None:
            workspace.resource_group = parsed.resource_group
        if workspace.mlflow_tracking_uri and not self._connection.is_local:
            workspace.mlflow_tracking_uri = self._connection.server.to_client_url(workspace.mlflow_tracking_uri)
        return workspace

    def _build_scope_path(self, scope: str) -> str:
        """Return the path of all workspaces of the resource group, of the subscription or of the home."""
        if scope == "home":
            return "/smalt/v1/workspaces"
        base = f"/subscriptions/{self._session.subscription_id}"
        if scope == "resource_group":
            base += f"/resourceGroups/{self._session.resource_group_name}"
        return f"{base}/providers/{PROVIDER}/workspaces"

    def _refuse_network(self, name: str | None) -> NoReturn:
        raise RefusedError(
            f"workspace '{name or self._session.workspace_name}' has no network of its own: jobs run on this "
            "machine and reach what it does; remove the call"
        )


class WorkspaceOperations(WorkspaceCollection):
    kind = "workspace"

    def get(self, name: str | None = None, **kwargs: Any) -> Workspace:
        """Return a workspace; the client's own is created if it does not exist, any other raises NotFound."""
        is_own = (name or "").lower() in ("", self._session.workspace_name.lower())
        headers = {} if is_own else {"X-Smalt-Makes-Workspaces": "0"}
        workspace: Workspace = self._parse_entity(
            self._connection.request("GET", self._build_path(name or ""), headers=headers)
        )
        return workspace

    def list(
        self,
        *,
        scope: str = "resource_group",
        filtered_kinds: str | list[str] | None = None,
    ) -> Iterator[Workspace]:
        """Yield the workspaces of the resource group, or with scope="subscription" of the subscription."""
        wanted = [filtered_kinds] if isinstance(filtered_kinds, str) else filtered_kinds
        for body in self._connection.list_items(self._build_scope_path(scope)):
            kind = str(body.get("kind") or "default").lower()
            if wanted is None or kind in [str(each).lower() for each in wanted]:
                yield self._parse_entity(body)

    def begin_create(
        self, workspace: Workspace, update_dependent_resources: bool = False, **kwargs: Any
    ) -> CompletedPoller[Workspace]:
        body = wire.to_rest(workspace)
        return CompletedPoller(
            self._parse_entity(self._connection.put(self._build_path(str(workspace.name or "")), body))
        )

    def begin_update(
        self, workspace: Workspace, *, update_dependent_resources: bool = False, **kwargs: Any
    ) -> CompletedPoller[Workspace]:
        """Update the workspace; fields that one from the server no longer has are removed there."""
        body = wire.to_rest(workspace)
        if workspace.id is not None:
            there = wire.to_rest(self.get(workspace.name))
            body = {**{key: {} if key == "tags" else None for key in there}, **body}
            body["properties"] = {**dict.fromkeys(there["properties"]), **body["properties"]}
        return CompletedPoller(
            self._parse_entity(self._connection.patch(self._build_path(str(workspace.name or "")), body))
        )

    def begin_delete(
        self, name: str, *, delete_dependent_resources: bool = False, permanently_delete: bool = False, **kwargs: Any
    ) -> CompletedPoller[None]:
        self._connection.delete(self._build_path(name))
        return CompletedPoller(None)

    def get_keys(self, name: str | None = None) -> dict[str, Any]:
        """Return the keys of the workspace."""
        keys: dict[str, Any] = self._connection.post(f"{self._build_path(name or '')}/listKeys")
        return keys

    def begin_sync_keys(self, name: str | None = None) -> CompletedPoller[None]:
        """Do nothing: no keys can be out of date."""
        self.get(name)
        return CompletedPoller(None)

    def begin_diagnose(self, name: str, **kwargs: Any) -> CompletedPoller[Any]:
        """Raise Refused: the diagnosis is about the cloud's network."""
        raise RefusedError(f"workspace '{name}' is not diagnosed from here; run 'smalt server status'")

    def begin_provision_network(
        self, *, workspace_name: str | None = None, include_spark: bool = False, **kwargs: Any
    ) -> CompletedPoller[Any]:
        """Raise Refused: workspaces have no network of their own."""
        self._refuse_network(workspace_name)
