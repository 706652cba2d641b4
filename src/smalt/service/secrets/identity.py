"""The variables by which Azure's clients, and smalt's, open the workspace in which a job runs: docs/identity.md."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol
from urllib.parse import urlsplit

from smalt.machine import certificates
from smalt.machine.home import Home
from smalt.service.records.workspaces import Workspace

ROUTE = "/vaults"
TRUSTED = "tls/trusted.pem"
"""The file in the home with the authorities that jobs trust: the server's and the home's own."""

URL = "AZURE_KEYVAULT_URL"
_ASKED = "/identity/token"
_VAULTS = "vault.azure.net"
_API = frozenset({"management.azure.com", "management.core.windows.net", "ml.azure.com"})
"""Azure's clients ask for tokens for these hosts before they call the API of a workspace."""


DEPLOYMENT_MARK = "online-deployment"
"""The header by which a scoring script asks for a token, to be told that it gets none."""


class ServerAccess(NamedTuple):
    """The server's URL and the token by which a job reaches it."""

    base: str
    """The server's URL, without TLS."""
    token: str


class TlsListener(Protocol):
    """The TLS listener of a server. Azure's clients send their tokens over TLS only."""

    @property
    def is_ready(self) -> bool:
        """True if `ensure_trusted` answers at once. Making the authority of a new home takes a while."""

    def get_port(self) -> int | None:
        """Open the port if it is closed and return it; None if none is free."""

    def ensure_trusted(self) -> str:
        """Write the file of authorities that jobs trust if it is missing; return its path."""


class JobIdentity:
    """Gives jobs access to their server, unless there is no listener yet or the setting `job-identity` is off."""

    def __init__(self, home: Home, settings: Mapping[str, Any]) -> None:
        self.listener: TlsListener | None = None
        self._home = home
        self._settings = settings

    @property
    def is_on(self) -> bool:
        return self._settings.get("job-identity") != "off"

    @property
    def is_ready(self) -> bool:
        """True if `build_variables` answers at once."""
        return self.listener is None or not self.is_on or self.listener.is_ready

    def prepare(self) -> None:
        """Make the certificates that `build_variables` needs, if they are missing; this takes a while."""
        if self.listener is not None and self.is_on:
            self.listener.ensure_trusted()

    def build_variables(self, own: ServerAccess | None, workspace: Workspace, *, as_user: bool) -> dict[str, str]:
        """Return the variables for a job; `as_user` if the job declares that it runs as the user who submitted it."""
        if own is None or self.listener is None or not self.is_on:
            return {}
        port = self.listener.get_port()
        if port is None:
            return {}
        told = {
            **_build_workspace_variables(own.base, port, workspace.folder),
            "IDENTITY_HEADER": own.token,
            "MSI_SECRET": own.token,
            "OBO_ENDPOINT": f"{own.base}{_ASKED}?token={own.token}",
            "SMALT_TOKEN": own.token,
            **dict.fromkeys(certificates.BUNDLES, self.listener.ensure_trusted()),
        }
        if as_user:
            told["AZUREML_OBO_ENABLED"] = "True"
        return told

    def is_open_to_jobs(self, resource: str) -> bool:
        """True if a token for `resource` would be one for this server: its API or its vaults."""
        try:
            parts = urlsplit(resource)
            if parts.hostname == _VAULTS or parts.hostname in _API:
                return True
            kept = (self._home.read("tls-port") or "").strip()
            taken = self.listener.get_port() if self.listener is not None else None
            return parts.scheme == "https" and parts.port is not None and str(parts.port) in (kept, str(taken))
        except ValueError:
            return False


@functools.lru_cache(maxsize=100)
def _build_workspace_variables(base: str, port: int, folder: str) -> dict[str, str]:
    """Return the variables that all jobs of a workspace share."""
    url = f"https://{urlsplit(base).netloc.rpartition(':')[0]}:{port}"
    return {
        "IDENTITY_ENDPOINT": base + _ASKED,
        "MSI_ENDPOINT": base + _ASKED,
        "DEFAULT_IDENTITY_CLIENT_ID": str(uuid.uuid5(uuid.NAMESPACE_URL, f"smalt:{folder}")),
        "AZUREML_DEV_URL_MFE": url,
        URL: f"{url}{ROUTE}/{folder}",
        "SMALT_URL": base,
    }


def build_refusing_variables(base: str) -> dict[str, str]:
    """Return the variables for online deployments: credentials of managed identities end with a sentence of ours."""
    asked, mark = base + _ASKED, DEPLOYMENT_MARK
    return {"IDENTITY_ENDPOINT": asked, "IDENTITY_HEADER": mark, "MSI_ENDPOINT": asked, "MSI_SECRET": mark}


def build_challenge(host: str) -> str:
    """Return the WWW-Authenticate header for a request for a secret without a token.

    Its resource is the host without the first label: Key Vault's clients accept only a parent of the host they asked.
    """
    return f'Bearer authorization="https://{host}/smalt", resource="https://{host.partition(".")[2] or host}"'
