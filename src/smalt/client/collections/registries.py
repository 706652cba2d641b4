"""`ml_client.registries`"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from smalt.client.collections.collection import Collection
from smalt.client.collections.pollers import CompletedPoller
from smalt.client.connection.name_rules import check_name
from smalt.client.connection.notices import print_notice
from smalt.entities.rules.ineffective_keys import list_ineffective_keys
from smalt.exceptions import ValidationException
from smalt.wire.encoding.ids import build_registry_id

if TYPE_CHECKING:
    from smalt.entities.workspaces.registry import Registry

_BUILT_IN = "azureml"


class RegistryOperations(Collection):
    """The registry `azureml`, with the environments of smalt's catalogue, and the folders that a team shares."""

    kind = "registry"

    def get(self, name: str | None = None) -> Registry:
        return self._parse_entity(
            self._connection.get(self._build_path(name or self._session.registry_name or _BUILT_IN))
        )

    def list(self, *, scope: str = "resource_group") -> Iterator[Registry]:
        path = self._build_path("x").rpartition("/")[0]
        return (self._parse_entity(body) for body in self._connection.list_items(path))

    def begin_create(self, registry: Registry, **kwargs: Any) -> CompletedPoller[Registry]:
        """Create a registry in the folder that its location names; without a path there, in a folder of the home."""
        if not registry.name:
            raise ValidationException("a registry needs a name to be created")
        for line in list_ineffective_keys(registry):
            print_notice(f"registry '{registry.name}': {line}")
        location = str(registry.location or "")
        if location.startswith((".", "/", "~")):
            location = os.path.abspath(os.path.expanduser(location))
        return CompletedPoller(
            self._parse_entity(self._connection.put(self._build_path(registry.name), {"location": location}))
        )

    def begin_delete(self, *, name: str, **kwargs: Any) -> CompletedPoller[None]:
        """Remove the registry from the home; its folder stays as it is."""
        return self._delete_existing(self._build_path(name))

    def _build_path(self, name: str = "", version: str | None = None) -> str:
        check_name(self.kind, name)
        return build_registry_id(self._session.subscription_id, self._session.resource_group_name, name)

    def _parse_entity(self, body: dict[str, Any]) -> Registry:
        from smalt.entities.workspaces.registry import Registry

        description = body["properties"].get("description")
        made = Registry(name=body["name"], location=body["location"], description=description)
        made.id = body["id"]
        return made
