"""Links that replace a token: one file, read only, for a day. Azure's clients fetch logs by them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from urllib.parse import parse_qs, quote

_LIFETIME = 86400


class SignedLinks:
    """Signs with a key that lives as long as the server; clients ask for new links each time they look at a run."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def sign_path(self, path: str) -> str:
        """Return `path` with a query that permits reading it."""
        until = int(time.time()) + _LIFETIME
        return f"{quote(path)}?until={until}&signature={self._compute_signature(path, str(until))}"

    def is_valid(self, method: str, path: str, query: str) -> bool:
        given = parse_qs(query)
        until, signature = given.get("until", [""])[0], given.get("signature", [""])[0]
        if method not in ("GET", "HEAD") or not until.isascii() or not until.isdecimal() or len(until) > 15:
            return False
        is_right = hmac.compare_digest(self._compute_signature(path, until).encode(), signature.encode())
        return is_right and int(until) > time.time()

    def _compute_signature(self, path: str, until: str) -> str:
        return hmac.new(self._key, f"{until}\n{path}".encode(), hashlib.sha256).hexdigest()
