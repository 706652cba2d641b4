"""What all collections share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt import wire
from smalt.client.collections.name_rules import check_name, check_version
from smalt.client.collections.pollers import Done
from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import asset_id, resource_id

if TYPE_CHECKING:
    from smalt.client.connection.connection import Connection
    from smalt.client.session import ClientSession


class Collection:
    """The operations on one kind of resource of a workspace."""

    kind = ""
    """The entities' word for it: "job", "data", …"""
    segment = ""
    """The path's: "jobs", "data", …"""

    def __init__(self, session: ClientSession) -> None:
        self._session = session

    @property
    def _connection(self) -> Connection:
        return self._session.connection

    @property
    def _workspace(self) -> str:
        return self._session.workspace_id

    def _path(self, name: str = "", version: str | None = None) -> str:
        if not name:
            return f"{self._workspace}/{self.segment}"
        check_name(self.kind, name)
        if version is None:
            return resource_id(self._workspace, self.segment, name)
        check_version(str(version))
        return asset_id(self._workspace, self.segment, name, version)

    def _entity(self, body: dict[str, Any]) -> Any:
        return wire.from_rest(body, self.kind, is_answer=True)

    def _pages(self, path: str, **query: object) -> Iterator[Any]:
        return (self._entity(body) for body in self._connection.pages(path, **query))

    def _sent(self, entity: Any) -> dict[str, Any]:
        """The body of its PUT; what is local in it is at the server by then."""
        from smalt.client.transfers.local_assets import Assets

        assets = Assets(self._session)
        body = wire.to_rest(entity, assets)
        assets.send()
        return body

    def _put(self, entity: Any, path: str | None = None) -> Any:
        if not entity.name:
            raise ValidationException(f"{entity.noun} needs a name to be created")
        return self._entity(self._connection.put(path or self._path(entity.name), self._sent(entity)))

    def _remove(self, path: str) -> Done[None]:
        """What is not there is refused by name."""
        self._connection.get(path)
        self._connection.delete(path)
        return Done(None)
