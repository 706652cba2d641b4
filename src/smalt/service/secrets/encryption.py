"""Encryption at rest, with keys of the home, each for one purpose, in files that only the home's owner can read.

A key file has one key per line. The first encrypts; the others decrypt text that was encrypted before a rotation.
"""

from __future__ import annotations

import base64
import json
import secrets as random
from collections.abc import Mapping
from typing import Any

from smalt.exceptions import Unavailable
from smalt.machine.home import Home

SEALED = "sealed"
"""The property of a resource that holds its encrypted secrets."""


def encrypt_text(home: Home, purpose: str, text: str) -> str:
    return str(_load_cipher(home, purpose).encrypt(text.encode()).decode())


def decrypt_text(home: Home, purpose: str, text: str) -> str:
    from cryptography.fernet import InvalidToken

    try:
        return str(_load_cipher(home, purpose).decrypt(text.encode()).decode())
    except InvalidToken:
        raise Unavailable(
            f"the encrypted values cannot be read: {home.path(f'{purpose}.key')} is not the key that encrypted "
            "them; put that file back, or set the secrets again"
        ) from None


def encrypt_credentials(home: Home, properties: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a datastore's properties with its secrets encrypted.

    Clients send back the properties they were shown, without secrets: then the earlier ones stay, as long as the
    kind of credentials is the same.
    """
    kept, credentials = dict(properties), properties.get("credentials")
    if not isinstance(credentials, Mapping):
        return kept
    kept["credentials"] = {key: value for key, value in credentials.items() if key != "secrets"}
    secrets = credentials.get("secrets")
    given = {key: value for key, value in secrets.items() if value} if isinstance(secrets, Mapping) else {}
    if any(key != "secretsType" for key in given):
        kept[SEALED] = encrypt_text(home, "datastores", json.dumps(given))
    elif (
        before
        and SEALED in before
        and _get_credentials_type(before.get("credentials")) == _get_credentials_type(credentials)
    ):
        kept[SEALED] = before[SEALED]
    return kept


def decrypt_credentials(home: Home, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return a datastore's properties with its secrets decrypted, as a client sent them."""
    found = {key: value for key, value in properties.items() if key != SEALED}
    if SEALED in properties:
        secrets = json.loads(decrypt_text(home, "datastores", str(properties[SEALED])))
        found["credentials"] = {**(found.get("credentials") or {}), "secrets": secrets}
    return found


def _get_credentials_type(credentials: Any) -> Any:
    return credentials.get("credentialsType") if isinstance(credentials, Mapping) else None


def add_key(home: Home, purpose: str) -> None:
    """Add a key that encrypts from now on."""
    home.write(f"{purpose}.key", "\n".join([random.token_hex(32), *_read_keys(home, purpose)]))


def remove_old_keys(home: Home, purpose: str) -> None:
    home.write(f"{purpose}.key", _read_keys(home, purpose)[0])


def _read_keys(home: Home, purpose: str) -> list[str]:
    return home.read_secret(purpose).decode().split()


def _load_cipher(home: Home, purpose: str) -> Any:
    from cryptography.fernet import Fernet, MultiFernet  # slow to load, and rarely needed

    return MultiFernet([Fernet(base64.urlsafe_b64encode(bytes.fromhex(key))) for key in _read_keys(home, purpose)])
