"""`ml_client.environments`"""

from __future__ import annotations

from smalt.client.versioned import Versioned


class EnvironmentOperations(Versioned):
    kind = "environment"
    segment = "environments"
    reuses_latest = True
