"""Makes an environment real: a virtual environment, a conda prefix, an image of a container engine."""

from __future__ import annotations

from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders.mltable_wheel import version as own_mltable_version
from smalt.service.environments.environments import Built, Environments
from smalt.service.environments.resolution.curated_environments import lookup_curated
from smalt.service.environments.views.built_environments import Realised
from smalt.service.environments.views.host_python import HOST

__all__ = [
    "HOST",
    "Built",
    "EnvironmentFailed",
    "Environments",
    "Realised",
    "lookup_curated",
    "own_mltable_version",
]
