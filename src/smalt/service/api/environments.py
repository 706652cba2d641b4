"""Environments."""

from __future__ import annotations

from smalt.service.api.versioned import Collection

ENVIRONMENTS = Collection(
    "environments", "environment", content=("image", "condaFile", "build", "inferenceConfig", "osType")
)
