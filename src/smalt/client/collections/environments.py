"""`ml_client.environments`"""

from __future__ import annotations

from typing import TYPE_CHECKING

from smalt.client.collections.versioned import Archivable

if TYPE_CHECKING:
    from smalt.entities.assets.environment import Environment


class EnvironmentOperations(Archivable):
    kind = "environment"
    segment = "environments"
    reuses_latest = True

    def create_or_update(self, environment: Environment) -> Environment:
        """Register the environment; one without a version that is as the latest is that one."""
        return self._register(environment)  # type: ignore[no-any-return]
