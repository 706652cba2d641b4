"""Makes an environment real: a virtual environment, a conda prefix, an image of a container engine."""

from __future__ import annotations

from smalt.service.environments.container_engine import Engine
from smalt.service.environments.curated import lookup_curated
from smalt.service.environments.environments import Built, Environments
from smalt.service.environments.failures import EnvironmentFailed
from smalt.service.environments.host import HOST
from smalt.service.environments.own_mltable import version as own_mltable_version
from smalt.service.environments.realised import Realised

__all__ = [
    "HOST",
    "Built",
    "Engine",
    "EnvironmentFailed",
    "Environments",
    "Realised",
    "lookup_curated",
    "own_mltable_version",
]
