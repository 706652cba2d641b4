"""The secrets of a workspace's vault, a collection of smalt's own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from smalt.client.collections.collection import Collection


class SecretOperations(Collection):
    segment = "secrets"

    def set(self, name: str, value: str, *, tags: dict[str, str] | None = None) -> dict[str, Any]:
        """Store a value as the newest version of a secret."""
        return _parse_secret(self._connection.put(self._build_secret_path(name), {"value": value, "tags": tags or {}}))

    def get(self, name: str, version: str = "", *, include_value: bool = False) -> dict[str, Any]:
        """Return the attributes of a secret, and its value if `include_value`."""
        body = self._connection.get(self._build_secret_path(f"{name}/{version}" if version else name))
        return {**_parse_secret(body), "value": body["value"]} if include_value else _parse_secret(body)

    def list(self) -> Iterator[dict[str, Any]]:
        """Yield the attributes of all secrets, without their values."""
        return map(_parse_secret, self._connection.list_items(self._build_secret_path("")))

    def delete(self, name: str) -> None:
        """Delete a secret and all its versions permanently."""
        self._connection.delete(self._build_secret_path(name))
        self._connection.delete(f"/smalt/v1{self._workspace_id}/deletedsecrets/{name}")

    def rotate_keys(self) -> int:
        """Encrypt all secrets of the home, in all workspaces, with new keys; return how many values that were."""
        return int(self._connection.post("/smalt/v1/rotate-keys", {})["encrypted"])

    def _build_secret_path(self, name: str) -> str:
        return f"/smalt/v1{self._workspace_id}/secrets/{name}".rstrip("/")


def _parse_secret(body: dict[str, Any]) -> dict[str, Any]:
    name, _, version = str(body["id"]).partition("/secrets/")[2].partition("/")
    attributes = body["attributes"]
    about = {"name": name, "version": version, "enabled": attributes["enabled"], "tags": body.get("tags") or {},
             "created": attributes["created"], "updated": attributes["updated"]}  # fmt: skip
    return {key: value for key, value in about.items() if value != ""}
