"""The secrets of a workspace's vault: smalt's own collection."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalt.client.collections.collection import Collection


class SecretOperations(Collection):
    segment = "secrets"

    def set(self, name: str, value: str, *, tags: dict[str, str] | None = None) -> dict[str, Any]:
        """Keep a value under a name, as its newest version."""
        return _about(self._connection.put(self._at(name), {"value": value, "tags": tags or {}}))

    def get(self, name: str, version: str = "", *, include_value: bool = False) -> dict[str, Any]:
        """What is known of a secret; its value only where that is asked for."""
        body = self._connection.get(self._at(f"{name}/{version}" if version else name))
        return {**_about(body), "value": body["value"]} if include_value else _about(body)

    def list(self) -> Iterator[dict[str, Any]]:
        """Without their values."""
        return map(_about, self._connection.pages(self._at("")))

    def delete(self, name: str) -> None:
        """With all its versions, for good."""
        self._connection.delete(self._at(name))
        self._connection.delete(f"/smalt/v1{self._workspace}/deletedsecrets/{name}")

    def rotate_keys(self) -> int:
        """New keys for all that the home has encrypted, in all workspaces; gives how much that was."""
        return int(self._connection.post("/smalt/v1/rotate-keys", {})["encrypted"])

    def _at(self, name: str) -> str:
        return f"/smalt/v1{self._workspace}/secrets/{name}".rstrip("/")


def _about(body: dict[str, Any]) -> dict[str, Any]:
    name, _, version = str(body["id"]).partition("/secrets/")[2].partition("/")
    attributes = body["attributes"]
    about = {"name": name, "version": version, "enabled": attributes["enabled"], "tags": body.get("tags") or {},
             "created": attributes["created"], "updated": attributes["updated"]}  # fmt: skip
    return {key: value for key, value in about.items() if value != ""}
