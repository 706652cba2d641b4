"""What programs written for Azure need around the API: a TLS listener, a token for their credentials, a cloud's
description. docs/official-client.md tells how `smalt exec` puts them together."""

from __future__ import annotations

from typing import Any

from smalt.exceptions import Unauthorized, ValidationException
from smalt.service.api.call import Call
from smalt.service.records import tokens


async def open_tls(call: Call) -> dict[str, Any]:
    """Open the TLS listener, if it is not; its URL, the certificate to trust, and where tokens are had."""
    url, authority = await call.service.tls()
    return {"url": url, "authority": authority, "identity": f"{call.service.base}/identity/token"}


async def get_identity_token(call: Call) -> dict[str, Any]:
    """As App Service gives managed identities their tokens; azure-identity asks here when IDENTITY_ENDPOINT is set."""
    header = call.headers.get("x-identity-header", "")
    known = tokens.find(call.service.db, header)
    if known is None or known.scope != "all":
        raise Unauthorized("the header X-IDENTITY-HEADER must be a token of this server; run the program by smalt exec")
    return issue(call, known.principal)


async def post_token(call: Call) -> dict[str, Any]:
    """The same for who has a token of this server already."""
    return issue(call, call.principal)


def issue(call: Call, principal: str) -> dict[str, Any]:
    audience = call.query("resource") or call.query("scope").removesuffix("/.default") or "https://ml.azure.com"
    if len(audience) > 500:
        raise ValidationException("'resource' is longer than 500 characters")
    token, expires = call.service.jwt.issue(principal, audience.rstrip("/"))
    return {"access_token": token, "expires_on": str(expires), "resource": audience, "token_type": "Bearer"}


async def get_cloud(call: Call) -> list[dict[str, Any]]:
    """The description of a custom cloud: what ARM_CLOUD_METADATA_URL and `cloud_metadata` name."""
    base = call.base
    return [
        {
            "name": "smalt",
            "portal": "http://portal.local.smalt/",
            "resourceManager": f"{base}/",
            "authentication": {"loginEndpoint": f"{base}/login", "audiences": ["https://management.azure.com/"]},
            "suffixes": {"storage": "core.windows.net"},
        }
    ]


ROUTES = [
    ("POST", "/smalt/v1/tls", open_tls),
    ("GET", "/identity/token", get_identity_token),
    ("POST", "/smalt/v1/token", post_token),
    ("GET", "/metadata/endpoints", get_cloud),
]
