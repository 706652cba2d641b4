"""`ml_client.environments`"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalt.client.collections.versioned import ArchivableCollection

if TYPE_CHECKING:
    from smalt.entities.assets.environment import Environment


class EnvironmentOperations(ArchivableCollection):
    kind = "environment"
    segment = "environments"
    reuses_latest = True

    def create_or_update(self, environment: Environment) -> Environment:
        """Register the environment; without a version, return the latest version if it is identical."""
        return self._register_asset(environment)  # type: ignore[no-any-return]
