"""The base of all collections: paths, requests and entities of one kind of resource."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt import wire
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.name_rules import check_name, check_version
from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import build_asset_id, build_resource_id

if TYPE_CHECKING:
    from smalt.client.connection.connection import ApiConnection
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
    def _connection(self) -> ApiConnection:
        return self._session.connection

    @property
    def _workspace_id(self) -> str:
        return self._session.workspace_id

    def _build_path(self, name: str = "", version: str | None = None) -> str:
        if not name:
            return f"{self._workspace_id}/{self.segment}"
        check_name(self.kind, name)
        if version is None:
            return build_resource_id(self._workspace_id, self.segment, name)
        check_version(str(version))
        return build_asset_id(self._workspace_id, self.segment, name, version)

    def _parse_entity(self, body: dict[str, Any]) -> Any:
        return wire.from_rest(body, self.kind, is_answer=True)

    def _list_entities(self, path: str, **query: object) -> Iterator[Any]:
        return (self._parse_entity(body) for body in self._connection.list_items(path, **query))

    def _build_sent_body(self, entity: Any) -> dict[str, Any]:
        """Return the REST body of an entity, after the local files that it names were sent."""
        from smalt.client.transfers.local_assets import LocalAssets

        assets = LocalAssets(self._session)
        body = wire.to_rest(entity, assets)
        assets.send()
        return body

    def _put_entity(self, entity: Any, path: str | None = None) -> Any:
        if not entity.name:
            raise ValidationException(f"{entity.noun} needs a name to be created")
        return self._parse_entity(
            self._connection.put(path or self._build_path(entity.name), self._build_sent_body(entity))
        )

    def _delete_existing(self, path: str) -> CompletedPoller[None]:
        """Delete the resource; raises NotFound if there is no such resource."""
        self._connection.get(path)
        self._connection.delete(path)
        return CompletedPoller(None)
