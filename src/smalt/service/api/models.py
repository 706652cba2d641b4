"""Models."""

from __future__ import annotations

from smalt.service.api.versioned import Collection

MODELS = Collection(
    "models",
    "model",
    content=("modelUri", "modelType"),
    defaults=lambda: {"flavors": {}, "modelType": "custom_model"},
    uri="modelUri",
)
