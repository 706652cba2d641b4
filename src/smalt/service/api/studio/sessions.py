"""Sessions of browsers: a one-time code, or a token, is exchanged for a cookie.

A cookie reaches every port of its host, so its name has the port. It is accepted in the place of a token; a request
that changes something must also come from a page of this server.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import NamedTuple

from smalt.exceptions import RefusedError, Unauthorized
from smalt.service.records import tokens
from smalt.service.records.database import Database

CODE_SECONDS = 600
SESSION_SECONDS = 7 * 86400
_SCOPE = "studio"
_MOST_CODES = 100
_SAFE = ("GET", "HEAD")


class CodeHolder(NamedTuple):
    """The principal whom a one-time code lets in, and the time until which it does."""

    principal: str
    until: float


class SignInCodes:
    """One-time codes, in memory only: a server that ends forgets them."""

    def __init__(self) -> None:
        self._holders: dict[str, CodeHolder] = {}

    def issue_code(self, principal: str) -> tuple[str, float]:
        """Return a code that is good once, and the time until which it is."""
        now = time.time()
        self._holders = {key: one for key, one in self._holders.items() if one.until > now}
        while len(self._holders) >= _MOST_CODES:
            del self._holders[next(iter(self._holders))]
        code = secrets.token_urlsafe(32)
        self._holders[_hash_code(code)] = CodeHolder(principal, now + CODE_SECONDS)
        return code, now + CODE_SECONDS

    def redeem_code(self, code: str) -> str:
        """Return the principal whom the code lets in; the code is void from now on."""
        holder = self._holders.pop(_hash_code(code), None)
        if holder is None or holder.until < time.time():
            raise Unauthorized(
                "the link to the studio was used already or is older than ten minutes; get another: smalt studio"
            )
        return holder.principal


def open_session(db: Database, principal: str, workspace_id: int | None) -> str:
    """Record a session and return its secret."""
    tokens.remove_expired(db, _SCOPE)
    secret = secrets.token_urlsafe(32)
    until = time.time() + SESSION_SECONDS
    tokens.add_token(
        db, secret, principal, scope=_SCOPE, expires_at=until, workspace_id=workspace_id, created_by=_SCOPE
    )
    return secret


def find_session(db: Database, secret: str) -> tokens.Token | None:
    found = tokens.find_token(db, secret)
    return found if found is not None and found.scope == _SCOPE else None


def find_token_holder(db: Database, secret: str) -> tokens.Token:
    """Return the token that a person typed into the form; raise Unauthorized if it is good for no session."""
    found = tokens.find_token(db, secret)
    if found is None or found.scope != "all":
        raise Unauthorized("the token is unknown or has expired; it is what the server's home has in its file 'token'")
    return found


def check_source(method: str, headers: Mapping[str, str]) -> None:
    """Raise Refused if a request with a cookie changes something and does not say from which page it comes.

    The page that it names was checked before.
    """
    if method not in _SAFE and "origin" not in headers:
        raise RefusedError("a request with a cookie that changes something must name its page in the header 'Origin'")


def get_cookie_name(port: int) -> str:
    return f"smalt-studio-{port}"


def read_cookie(headers: Mapping[str, str], port: int) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(get_cookie_name(port))
    except CookieError:
        return None
    return found.value if found is not None and found.value else None


def build_cookie(port: int, secret: str, *, is_secure: bool, seconds: int = SESSION_SECONDS) -> str:
    """Return the value of the header that sets the cookie; 0 seconds remove it."""
    tls = "; Secure" if is_secure else ""
    return f"{get_cookie_name(port)}={secret}; HttpOnly; SameSite=Strict; Path=/; Max-Age={seconds}{tls}"


def _hash_code(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "surrogateescape")).hexdigest()
