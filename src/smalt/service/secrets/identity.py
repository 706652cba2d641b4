"""What a job is told so that Azure's own clients read the secrets of its workspace: docs/secrets.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from smalt import authorities
from smalt.home import Home
from smalt.service.records.workspaces import Workspace
from smalt.service.secrets.vault import Vault

ROUTE = "/vaults"
TRUSTED = "tls/trusted.pem"
"""In the home: the authorities that were trusted before, and the home's own."""

URL = "AZURE_KEYVAULT_URL"
_OF_AZURE = "vault.azure.net"


def variables(
    home: Home, settings: Mapping[str, Any], vault: Vault, identity: tuple[str, str] | None, workspace: Workspace
) -> dict[str, str]:
    """Nothing where no workspace has secrets: then nobody listens there."""
    if vault.is_empty or identity is None or settings.get("job-identity") == "off":
        return {}
    port = (home.read("tls-port") or "").strip()
    if not port:
        return {}
    return {
        "IDENTITY_ENDPOINT": identity[0],
        "IDENTITY_HEADER": identity[1],
        URL: f"https://127.0.0.1:{port}{ROUTE}/{workspace.folder}",
        **dict.fromkeys(authorities.BUNDLES, str(home.path(TRUSTED))),
    }


def challenge(host: str) -> str:
    """Who asks for a secret without a token is told whose token it must be: of the name without its first part, as Key
    Vault's clients take only a parent of the host that they asked."""
    return f'Bearer authorization="https://{host}/smalt", resource="https://{host.partition(".")[2] or host}"'


def is_ours(home: Home, resource: str) -> bool:
    """Whether a token for `resource` would be one for this home's vaults."""
    try:
        parts = urlsplit(resource)
        return parts.hostname == _OF_AZURE or (parts.scheme == "https" and str(parts.port) == _port(home))
    except ValueError:
        return False


def _port(home: Home) -> str:
    return (home.read("tls-port") or "").strip()
