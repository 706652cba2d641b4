"""`ml_client.connections`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection

if TYPE_CHECKING:
    from smalt.entities.workspaces.connection import Connection

_DATA = frozenset({"azure_blob", "azure_data_lake_gen2", "azure_one_lake"})


class WorkspaceConnectionsOperations(Collection):
    kind = "connection"
    segment = "connections"

    def create_or_update(
        self, workspace_connection: Connection, *, populate_secrets: bool = False, **kwargs: Any
    ) -> Connection:
        """Store the connection; its secrets are encrypted with a key of the home."""
        made = self._put_entity(workspace_connection)
        return self.get(made.name, populate_secrets=True) if populate_secrets else made

    def get(self, name: str, *, populate_secrets: bool = False, **kwargs: Any) -> Connection:
        """Return the connection, with its secrets if `populate_secrets`."""
        path = self._build_path(name)
        body = self._connection.post(f"{path}/listsecrets", {}) if populate_secrets else self._connection.get(path)
        found: Connection = self._parse_entity(body)
        return found

    def list(
        self,
        connection_type: str | None = None,
        *,
        populate_secrets: bool = False,
        include_data_connections: bool = False,
        **kwargs: Any,
    ) -> Iterator[Connection]:
        """Yield the connections of a type, by default of all.

        Data connections only if a type or the flag asks for them.
        """
        for one in self._list_entities(self._build_path()):
            if connection_type is not None and one.type != connection_type.lower():
                continue
            if one.type not in _DATA or include_data_connections or connection_type is not None:
                yield self.get(one.name, populate_secrets=True) if populate_secrets else one

    def delete(self, name: str, **kwargs: Any) -> None:
        self._delete_existing(self._build_path(name))
