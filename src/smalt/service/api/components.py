"""Components."""

from __future__ import annotations

from typing import Any

from smalt.service.api.call import Call
from smalt.service.api.versioned import Collection, Properties
from smalt.service.records import assets

_DESCRIPTIVE = {"$schema", "_source", "description", "display_name", "name", "tags", "version"}


def _content(properties: dict[str, Any]) -> Any:
    spec = properties.get("componentSpec")
    if not isinstance(spec, dict):
        return spec
    return {key: value for key, value in spec.items() if key not in _DESCRIPTIVE}


class _Components(Collection):
    def version(self, call: Call, version: assets.Version) -> Properties:
        """As the service, the specification tells name and version, sent or not: clients read them there."""
        shape = super().version(call, version)
        spec = shape["properties"].get("componentSpec")
        if isinstance(spec, dict):
            named = {"name": version.name, "version": version.version}
            shape["properties"]["componentSpec"] = {**spec, **{key: spec.get(key) or named[key] for key in named}}
        return shape


COMPONENTS = _Components("components", "component", content=(), comparable=_content)
