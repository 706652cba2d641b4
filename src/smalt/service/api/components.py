"""Components."""

from __future__ import annotations

from typing import Any

from smalt.service.api.versioned import Collection

_DESCRIPTIVE = {"$schema", "_source", "description", "display_name", "name", "tags", "version"}


def _content(properties: dict[str, Any]) -> Any:
    spec = properties.get("componentSpec")
    if not isinstance(spec, dict):
        return spec
    return {key: value for key, value in spec.items() if key not in _DESCRIPTIVE}


COMPONENTS = Collection("components", "component", content=(), comparable=_content)
