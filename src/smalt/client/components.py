"""`ml_client.components`"""

from __future__ import annotations

from typing import Any

from smalt.client.versioned import Versioned


class ComponentOperations(Versioned):
    kind = "component"
    segment = "components"
    reuses_latest = True

    def _is_same(self, there: dict[str, Any], here: dict[str, Any]) -> bool:
        return bool(_without_version(there.get("componentSpec")) == _without_version(here["componentSpec"]))

    def _versioned(self, body: dict[str, Any], version: str) -> None:
        body["properties"]["componentSpec"]["version"] = version


def _without_version(spec: Any) -> Any:
    return {key: value for key, value in spec.items() if key != "version"} if isinstance(spec, dict) else spec
