"""New keys for all that a home has encrypted."""

from __future__ import annotations

from smalt.machine.home import Home
from smalt.service.records import resources, secrets
from smalt.service.records.database import Database
from smalt.service.secrets.encryption import SEALED, add_key, decrypt_text, encrypt_text, remove_old_keys

_KINDS = ("datastores", "connections")
"""The kinds of resources with encrypted secrets; each has its own key, as the vaults have."""


def rotate_keys(home: Home, db: Database) -> int:
    """Encrypt everything with new keys; return the number of encrypted values.

    After a crash everything can still be read: the old keys are removed when nothing needs them any more.
    """
    purposes = [purpose for purpose in ("secrets", *_KINDS) if home.read(f"{purpose}.key")]
    for purpose in purposes:
        add_key(home, purpose)

    def reseal_text(purpose: str, text: str) -> str:
        return encrypt_text(home, purpose, decrypt_text(home, purpose, text))

    with db.transaction():
        count = secrets.reseal(db, lambda text: reseal_text("secrets", text))
        for kind in _KINDS:
            count += resources.update_property(db, kind, SEALED, lambda text, kind=kind: reseal_text(kind, text))  # type: ignore[misc]
    for purpose in purposes:
        remove_old_keys(home, purpose)
    return count
