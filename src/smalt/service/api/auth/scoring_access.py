"""The right to send requests to an online endpoint: by one of its keys, or by a token, as its auth_mode says.

A key or token opens the one endpoint that it was made for, and nothing else of the server.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from smalt.exceptions import Unauthorized
from smalt.service.api.server_context import ServerContext
from smalt.service.endpoints.online.routes import EndpointRoute

KEY, AML_TOKEN = "key", "amltoken"
_REFRESH_BEFORE = 600


def is_open_to(service: ServerContext, route: EndpointRoute, secret: str) -> bool:
    """Return True if the secret is a key or token of the endpoint; raise if the endpoint takes tokens of the server."""
    if route.auth_mode == AML_TOKEN:
        return service.scoring_tokens.find_holder(secret) == (_make_holder(route), None)
    return service.online.keys.is_key(route.workspace.id, route.name, secret)


def takes_server_tokens(route: EndpointRoute) -> bool:
    """Return True if the endpoint is opened by what opens its workspace (auth_mode aad_token)."""
    return route.auth_mode not in (KEY, AML_TOKEN)


def issue_token(service: ServerContext, route: EndpointRoute) -> dict[str, Any]:
    """Return a token that opens the endpoint for an hour, as the service words it."""
    token, expiry = service.scoring_tokens.issue_token(_make_holder(route), f"endpoint {route.name}")
    return {
        "accessToken": token,
        "tokenType": "Bearer",
        "expiryTimeUtc": expiry,
        "refreshAfterTimeUtc": expiry - _REFRESH_BEFORE,
        "expiry": datetime.fromtimestamp(expiry, timezone.utc).isoformat(),
    }


def refuse_access(name: str, mode: str | None, has_secret: bool) -> Unauthorized:
    """Return the error of a request with the wrong key or none; it says as much of an endpoint that is not there."""
    kind = "token" if mode == AML_TOKEN else "key"
    said = f"this is no {kind} of endpoint '{name[:100]}'" if has_secret else f"endpoint '{name[:100]}' wants a {kind}"
    return Unauthorized(
        f"{said}; send 'Authorization: Bearer <{kind}>' with what 'smalt online-endpoint get-credentials' shows"
    )


def _make_holder(route: EndpointRoute) -> str:
    return f"{route.workspace.id}/{route.name}"
