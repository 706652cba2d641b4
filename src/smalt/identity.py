"""Credentials, as `azure.ai.ml.identity` has them, and one that gives tokens of our own server.

`MLClient` takes any credential and asks none: it finds its server, and that server's token, by itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlencode

from smalt.client.connection.connection import ApiConnection
from smalt.exceptions import AzureError

__all__ = ["AccessToken", "AzureMLOnBehalfOfCredential", "CredentialUnavailableError", "SmaltCredential"]


class AccessToken(NamedTuple):
    token: str
    expires_on: int
    """Seconds since 1970."""


class CredentialUnavailableError(AzureError):
    """A credential that can give no token here."""

    def __init__(self, message: str | None = None, response: Any = None, **kwargs: Any) -> None:
        super().__init__(message or "this credential can give no token here")
        self.response = response


class AzureMLOnBehalfOfCredential:
    """May be made and handed to `MLClient`, which asks for no token."""

    def __init__(self, **kwargs: Any) -> None: ...

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        raise CredentialUnavailableError(
            "smalt runs a job as the user of its machine, so there is nobody in whose name a token could be had; "
            "log in to services of Azure with a credential of azure.identity"
        )

    def close(self) -> None: ...

    def __enter__(self) -> AzureMLOnBehalfOfCredential:
        return self

    def __exit__(self, *_: object) -> None: ...


class SmaltCredential:
    """Tokens of our own server, for programs that send them there themselves, such as the official `azure-ai-ml`."""

    def __init__(self, *, url: str | None = None, token: str | None = None) -> None:
        """The home's own server where no `url` is given, nor by `SMALT_URL`."""
        self._connection = ApiConnection.open(url=url, token=token)

    def get_token(self, *scopes: str, **kwargs: Any) -> AccessToken:
        query = urlencode({"scope": scopes[0]}) if scopes else ""
        found = self._connection.post(f"/smalt/v1/token?{query}" if query else "/smalt/v1/token")
        return AccessToken(found["access_token"], int(found["expires_on"]))

    def close(self) -> None:
        self._connection.close()
