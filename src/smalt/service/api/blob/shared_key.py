"""Shared Key: blob requests signed with an account's key, as clients with a connection string send them.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key defines the signed text.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qsl

_SIGNED = (
    "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
    "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
)  # fmt: skip
_SKEW = 900.0
"""Seconds that a request may be old, or early, as in the service."""


class AccountKeys:
    """Derives the key of each workspace's account from the home's `secret`."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def get_key(self, account: str) -> str:
        return base64.b64encode(self._derive_key(account)).decode()

    def is_signed(self, method: str, account: str, path: str, query: str, headers: Mapping[str, str]) -> bool:
        """True if the header `authorization` signs this request; `path` is still percent-encoded."""
        kind, _, given = headers.get("authorization", "").partition(" ")
        name, _, signature = given.strip().partition(":")
        if kind.lower() != "sharedkey" or not _is_recent(headers.get("x-ms-date") or headers.get("date", "")):
            return False
        text = _build_signed_text(method, f"/{name}{path}", query, headers)
        try:
            sent = base64.b64decode(signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        right = hmac.digest(self._derive_key(account), text.encode("utf-8", "surrogateescape"), "sha256")
        return hmac.compare_digest(right, sent)

    def _derive_key(self, account: str) -> bytes:
        return hmac.digest(self._secret, f"account\n{account}".encode("utf-8", "surrogateescape"), "sha256")


def _build_signed_text(method: str, resource: str, query: str, headers: Mapping[str, str]) -> str:
    left_out = {name for name in ("content-length",) if headers.get(name) == "0"}
    left_out |= {"date"} if "x-ms-date" in headers else set()
    lines = [method, *("" if name in left_out else headers.get(name, "") for name in _SIGNED)]
    own = sorted((name, value) for name, value in headers.items() if name.startswith("x-ms-"))
    lines += [f"{name}:{value}" for name, value in own]
    asked: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        asked.setdefault(name.lower(), []).append(value)
    return "\n".join([*lines, resource, *(f"{name}:{','.join(sorted(asked[name]))}" for name in sorted(asked))])


def _is_recent(date: str) -> bool:
    try:
        return abs(parsedate_to_datetime(date).timestamp() - time.time()) < _SKEW
    except (TypeError, ValueError, IndexError):
        return False
