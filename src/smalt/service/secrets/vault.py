"""The vaults: one per workspace, with secrets as in Azure's Key Vault: named, versioned, deleted and recovered."""

from __future__ import annotations

import json
import secrets as random
import time
from collections.abc import Callable
from typing import Any, TypeVar

from smalt.exceptions import Conflict, NotFound, RefusedError, ValidationException
from smalt.machine.home import Home
from smalt.service.records import secrets
from smalt.service.records.database import Database
from smalt.service.records.secrets import Secret
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.encryption import decrypt_text, encrypt_text
from smalt.service.secrets.masks import SecretMask
from smalt.service.secrets.references import SecretName, find_names, resolve_references

Result = TypeVar("Result")
Ask = Callable[..., Any]
"""Calls a function on the thread that owns the records, with the arguments that follow it."""

LARGEST = 25_600
"""Bytes of a value, as in Azure's Key Vault."""
_KEPT = ("contentType", "tags", "enabled", "nbf", "exp")


class SecretNotFound(NotFound):
    code = "SecretNotFound"


class Vault:
    """The secrets of all workspaces of a home.

    Call it on the thread that owns the records, except `get_mask` and `resolve_references`.
    """

    def __init__(self, home: Home, db: Database, ask: Ask) -> None:
        self._home = home
        self._db = db
        self._ask = ask
        self._masks: dict[int, SecretMask] = {}
        self._any: bool | None = None

    @property
    def is_empty(self) -> bool:
        """True if no workspace has, or ever had, a secret."""
        if self._any is None:
            self._any = secrets.has_any(self._db)
        return not self._any

    def set_secret(self, workspace: Workspace, name: str, value: str, about: dict[str, Any], principal: str) -> Secret:
        """Store a new version of a secret."""
        if len(value.encode("utf-8", "surrogateescape")) > LARGEST:
            raise ValidationException(f"the value of secret '{name}' is larger than {LARGEST} bytes")
        if secrets.get_secret(self._db, workspace.id, name, deleted=True):
            raise Conflict(f"the secret '{name}' is deleted but not purged; recover or purge it first")
        version = random.token_hex(16)
        sealed = encrypt_text(self._home, "secrets", json.dumps([workspace.id, name, version, value]))
        body = {key: about[key] for key in _KEPT if about.get(key) is not None}
        secrets.add_secret(self._db, workspace.id, name, version, sealed, body, principal)
        self._remove_mask(workspace)
        self._any = True
        return self.get_secret(workspace, name, version)

    def get_secret(self, workspace: Workspace, name: str, version: str = "") -> Secret:
        found = secrets.get_secret(self._db, workspace.id, name, version)
        if found is None:
            at = f" of version {version}" if version else ""
            raise SecretNotFound(
                f"there is no secret '{name}'{at} in workspace '{workspace.name}'; 'smalt secret list' shows which"
            )
        return found

    def get_value(self, secret: Secret) -> str:
        """Return the value of a secret; raise Refused if it is disabled, expired or not valid yet."""
        about, now = secret.content, time.time()
        if about.get("enabled") is False:
            raise RefusedError(f"the secret '{secret.name}' is disabled")
        if about.get("exp") is not None and about["exp"] <= now:
            raise RefusedError(f"the secret '{secret.name}' has expired")
        if about.get("nbf") is not None and about["nbf"] > now:
            raise RefusedError(f"the secret '{secret.name}' is not valid yet")
        return self._decrypt_value(secret)

    def list_newest(self, workspace: Workspace) -> list[Secret]:
        return secrets.list_newest(self._db, workspace.id)

    def list_versions(self, workspace: Workspace, name: str) -> list[Secret]:
        self.get_secret(workspace, name)
        return secrets.list_versions(self._db, workspace.id, name)

    def update_secret(self, workspace: Workspace, secret: Secret, changes: dict[str, Any]) -> Secret:
        body = {**secret.content, **{key: value for key, value in changes.items() if key in _KEPT}}
        secrets.update_secret(self._db, secret.id, {key: value for key, value in body.items() if value is not None})
        return self.get_secret(workspace, secret.name, secret.version)

    def delete_secret(self, workspace: Workspace, name: str) -> Secret:
        """Delete a secret; it can be recovered until it is purged."""
        self.get_secret(workspace, name)
        secrets.mark_deleted(self._db, workspace.id, name, time.time())
        return self.get_deleted(workspace, name)

    def get_deleted(self, workspace: Workspace, name: str) -> Secret:
        found = secrets.get_secret(self._db, workspace.id, name, deleted=True)
        if found is None:
            raise SecretNotFound(f"there is no deleted secret '{name}' in workspace '{workspace.name}'")
        return found

    def list_deleted(self, workspace: Workspace) -> list[Secret]:
        return secrets.list_newest(self._db, workspace.id, deleted=True)

    def recover_secret(self, workspace: Workspace, name: str) -> Secret:
        self.get_deleted(workspace, name)
        secrets.mark_deleted(self._db, workspace.id, name, None)
        return self.get_secret(workspace, name)

    def purge_secret(self, workspace: Workspace, name: str) -> None:
        self.get_deleted(workspace, name)
        secrets.purge(self._db, workspace.id, name)
        self._remove_mask(workspace)

    def check_references(self, value: Any, workspace: Workspace) -> None:
        """Raise SecretNotFound if the value of an environment variable names a secret that does not exist."""
        for name, version in find_names(value):
            self.get_secret(workspace, name, version)

    def resolve_references(self, value: str, workspace: Workspace) -> str:
        """Return the value of an environment variable with its secret references replaced by values."""

        def look_up(reference: SecretName) -> str:
            return self.get_value(self.get_secret(workspace, *reference))

        found: str = self._ask(resolve_references, value, look_up) if find_names(value) else value
        return found

    def get_mask(self, workspace: Workspace) -> SecretMask | None:
        """Return the mask of all values that the workspace's secrets have or had; None if there are none."""
        made = self._masks.get(workspace.id)
        if made is None:
            made = self._masks[workspace.id] = self._ask(self._build_mask, workspace)
        return made or None

    def get_hider(self, workspace: Workspace) -> Callable[[str], str] | None:
        """Return a function that masks the workspace's secrets in a text; None if there are none."""
        mask = self.get_mask(workspace)
        return mask.hide_text if mask else None

    def _build_mask(self, workspace: Workspace) -> SecretMask:
        if self.is_empty:
            return SecretMask(())
        return SecretMask([self._decrypt_value(one) for one in secrets.list_secrets(self._db, workspace.id)])

    def _remove_mask(self, workspace: Workspace) -> None:
        self._masks.pop(workspace.id, None)

    def _decrypt_value(self, secret: Secret) -> str:
        """Return the value; raise Refused if the encrypted text belongs to another row."""
        *place, value = json.loads(decrypt_text(self._home, "secrets", secret.sealed))
        if place != [secret.workspace_id, secret.name, secret.version]:
            raise RefusedError(f"the stored value of secret '{secret.name}' belongs to another secret")
        return str(value)
