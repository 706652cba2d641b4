"""Environments of jobs: from what a job declares to a built environment on disk, and each job's own view of it.

Running a job in one belongs to `smalt.service.compute`, which has the containers too.
"""

from __future__ import annotations

from smalt.service.environments.build_errors import EnvironmentFailed
from smalt.service.environments.builders.mltable_wheel import get_version as own_mltable_version
from smalt.service.environments.environments import Environments, StoredEnvironment
from smalt.service.environments.resolution.curated_environments import lookup_curated
from smalt.service.environments.views.built_environments import HOST, BuiltEnvironment

__all__ = [
    "HOST",
    "BuiltEnvironment",
    "EnvironmentFailed",
    "Environments",
    "StoredEnvironment",
    "lookup_curated",
    "own_mltable_version",
]
