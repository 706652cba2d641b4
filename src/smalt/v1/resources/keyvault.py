"""`Keyvault`: the secrets of the workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from smalt.client.collections.secrets import SecretOperations
from smalt.v1.exceptions import UserErrorException, raise_as
from smalt.v1.notices import tell_no_effect

if TYPE_CHECKING:
    from smalt.v1.workspace import Workspace


class KeyVaultContentType:
    """The content types of values; a value is kept as text."""

    not_provided = ""


class Keyvault:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._secrets = SecretOperations(workspace.client)

    def get_secret(self, name: str) -> str:
        with raise_as(UserErrorException):
            return str(self._secrets.get(name, include_value=True)["value"])

    def get_secret_content_type(self, name: str) -> tuple[str, str]:
        return self.get_secret(name), KeyVaultContentType.not_provided

    def get_secrets(self, secrets: Iterable[str]) -> dict[str, str | None]:
        """Return the secrets by name; None for a name without one."""
        there = {one["name"] for one in self.list_secrets()}
        return {name: self.get_secret(name) if name in there else None for name in secrets}

    def set_secret(self, name: str, value: str, content_type: str = KeyVaultContentType.not_provided) -> None:
        if content_type != KeyVaultContentType.not_provided:
            tell_no_effect("Keyvault.set_secret", {"content_type": content_type}, "a secret is text")
        with raise_as(UserErrorException):
            self._secrets.set(name, str(value))

    def set_secrets(self, secrets_batch: Mapping[str, str]) -> None:
        for name, value in secrets_batch.items():
            self.set_secret(name, value)

    def list_secrets(self) -> list[dict[str, str]]:
        return [{"name": str(one["name"])} for one in self._secrets.list()]

    def delete_secret(self, name: str) -> None:
        with raise_as(UserErrorException):
            self._secrets.delete(name)

    def delete_secrets(self, secrets: Iterable[str]) -> None:
        for name in secrets:
            self.delete_secret(name)
