"""`ml_client.registries`"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NoReturn

from smalt.client.collection import Collection
from smalt.exceptions import NotFound, Refused

if TYPE_CHECKING:
    from smalt.entities.registry import Registry

_BUILT_IN = "azureml"


class RegistryOperations(Collection):
    """There is one, `azureml`, with the environments of smalt's catalogue."""

    kind = "registry"

    def get(self, name: str | None = None) -> Registry:
        name = name or self._client.registry_name or _BUILT_IN
        if name.lower() != _BUILT_IN:
            raise NotFound(f"there is no registry '{name}' here; smalt has '{_BUILT_IN}'")
        return _azureml()

    def list(self, *, scope: str = "resource_group") -> Iterator[Registry]:
        return iter((_azureml(),))

    def begin_create(self, registry: Registry, **kwargs: Any) -> NoReturn:
        """Refused: assets are shared by their workspaces so far."""
        raise Refused(
            f"registry '{registry.name}' was not created: smalt has no registries of your own yet; register the assets "
            "in the workspace that uses them"
        )

    def begin_delete(self, *, name: str, **kwargs: Any) -> NoReturn:
        """Refused: the only one belongs to smalt."""
        self.get(name)
        raise Refused(f"the registry '{name}' belongs to smalt and cannot be deleted")


def _azureml() -> Registry:
    from smalt.entities.registry import Registry

    return Registry(name=_BUILT_IN, location="local", description="the environments of smalt's catalogue")
