"""The keys of online endpoints: made of a secret of the home, so that none is stored, and each opens one endpoint."""

from __future__ import annotations

import base64
import hmac

from smalt.machine.home import Home
from smalt.service.records import online as records
from smalt.service.records.database import Database

_PURPOSE = "endpoints"


class EndpointKeys:
    def __init__(self, home: Home, db: Database) -> None:
        self._home = home
        self._db = db
        self._known: dict[tuple[int, str], dict[str, str]] = {}

    def get_keys(self, workspace_id: int, endpoint: str) -> dict[str, str]:
        """Return the keys by name, 'Primary' and 'Secondary'."""
        if (workspace_id, endpoint) not in self._known:
            salts = records.get_salts(self._db, workspace_id, endpoint)
            self._known[workspace_id, endpoint] = {
                name: self._make_key(workspace_id, endpoint, name, salt) for name, salt in salts.items()
            }
        return self._known[workspace_id, endpoint]

    def replace_key(self, workspace_id: int, endpoint: str, name: str) -> None:
        """Make another key; the one before opens nothing from now on."""
        records.get_salts(self._db, workspace_id, endpoint)
        records.put_salt(self._db, workspace_id, endpoint, name)
        self._known.pop((workspace_id, endpoint), None)

    def remove_keys(self, workspace_id: int, endpoint: str) -> None:
        records.remove_keys(self._db, workspace_id, endpoint)
        self._known.pop((workspace_id, endpoint), None)

    def is_key(self, workspace_id: int, endpoint: str, text: str) -> bool:
        given = text.encode("utf-8", "surrogateescape")
        keys = self.get_keys(workspace_id, endpoint).values()
        return sum(hmac.compare_digest(key.encode(), given) for key in keys) > 0  # no key is skipped

    def _make_key(self, workspace_id: int, endpoint: str, name: str, salt: str) -> str:
        secret, text = self._home.read_secret(_PURPOSE), f"{workspace_id}\n{endpoint}\n{name}\n{salt}"
        return base64.urlsafe_b64encode(hmac.digest(secret, text.encode(), "sha512")).rstrip(b"=").decode()
