"""`azure.identity`: its credentials, which take anything and ask nobody, since smalt's client needs none.

Their tokens are good for nothing: programs take them apart, or send them to services that are not smalt's.
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from smalt.python.core import AccessToken, AccessTokenInfo
from smalt.python.core_exceptions import ClientAuthenticationError

_LIFETIME = 3600

CREDENTIALS = (
    "AuthorizationCodeCredential", "AzureCliCredential", "AzureDeveloperCliCredential", "AzurePipelinesCredential",
    "AzurePowerShellCredential", "CertificateCredential", "ChainedTokenCredential", "ClientAssertionCredential",
    "ClientSecretCredential", "DefaultAzureCredential", "DeviceCodeCredential", "EnvironmentCredential",
    "InteractiveBrowserCredential", "ManagedIdentityCredential", "OnBehalfOfCredential", "SharedTokenCacheCredential",
    "UsernamePasswordCredential", "VisualStudioCodeCredential", "WorkloadIdentityCredential",
)  # fmt: skip


class StandInCredential:
    """Any of azure.identity's, under its own name."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def get_token(self, *scopes: str, **_: Any) -> AccessToken:
        return make_token(scopes[0] if scopes else "")

    def get_token_info(self, *scopes: str, options: object = None) -> AccessTokenInfo:
        return AccessTokenInfo(*make_token(scopes[0] if scopes else ""))

    def authenticate(self, **_: Any) -> AuthenticationRecord:
        return AuthenticationRecord()

    def close(self) -> None: ...

    def __enter__(self) -> StandInCredential:
        return self

    def __exit__(self, *_: object) -> None: ...


def make_token(scope: str) -> AccessToken:
    """A token in the form that Azure's have, unsigned."""
    now = int(time.time())
    claims = {
        "aud": scope.removesuffix("/.default"), "iss": "smalt", "tid": "smalt", "oid": "smalt", "sub": "smalt",
        "upn": "smalt", "name": "smalt", "appid": "smalt", "iat": now, "nbf": now, "exp": now + _LIFETIME,
    }  # fmt: skip
    return AccessToken(f"{_encode_part({'alg': 'none', 'typ': 'JWT'})}.{_encode_part(claims)}.", now + _LIFETIME)


def _encode_part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def get_bearer_token_provider(credential: Any, *scopes: str) -> Callable[[], str]:
    return lambda: str(credential.get_token(*scopes).token)


class CredentialUnavailableError(ClientAuthenticationError):
    """Never raised here."""


class AuthenticationRequiredError(CredentialUnavailableError):
    """Never raised here."""


class AuthenticationRecord:
    authority, client_id, home_account_id, tenant_id, username = "smalt", "smalt", "smalt", "smalt", "smalt"

    def serialize(self) -> str:
        return "{}"

    @classmethod
    def deserialize(cls, data: str) -> AuthenticationRecord:
        return cls()


class TokenCachePersistenceOptions:
    def __init__(self, **_: Any) -> None: ...


class AzureAuthorityHosts:
    AZURE_CHINA = "login.chinacloudapi.cn"
    AZURE_GOVERNMENT = "login.microsoftonline.us"
    AZURE_PUBLIC_CLOUD = "login.microsoftonline.com"


KnownAuthorities = AzureAuthorityHosts

globals().update({name: type(name, (StandInCredential,), {"__module__": "azure.identity"}) for name in CREDENTIALS})

__all__ = [  # noqa: PLE0604  # each is a str
    *CREDENTIALS, "AuthenticationRecord", "AuthenticationRequiredError", "AzureAuthorityHosts",
    "CredentialUnavailableError", "KnownAuthorities", "TokenCachePersistenceOptions", "get_bearer_token_provider",
]  # fmt: skip
