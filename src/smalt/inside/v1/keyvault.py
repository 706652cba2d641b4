"""`Keyvault`, `run.get_secret`: the secrets of the job's workspace, by the job's own token."""

from __future__ import annotations

import json
import os
import ssl
import urllib.error
import urllib.request
from urllib.parse import quote

from .errors import make_user_error
from .unsupported import add_unsupported_members

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_NONE = "this job has no vault: set the secret with 'smalt secret set {0}' and submit the job again (docs/secrets.md)"
_TIMEOUT = 60.0


class Keyvault:
    """The one of the job's workspace, whichever is asked for."""

    def __init__(self, workspace: object = None, **_: Any) -> None:
        self.workspace = workspace

    def get_secret(self, name: str) -> str:
        return str(_request_secret("/secrets/" + quote(name, safe=""), name)["value"])

    def get_secrets(self, secrets: Iterable[str]) -> dict[str, str | None]:
        """Return the secrets by name; None for a name without one."""
        names = list(secrets)
        there = {one["name"] for one in self.list_secrets()} if names else set()
        return {name: self.get_secret(name) if name in there else None for name in names}

    def list_secrets(self) -> list[dict[str, str]]:
        listed = _request_secret("/secrets", "NAME").get("value", [])
        return [{"name": one["id"].rpartition("/")[2]} for one in listed]


add_unsupported_members(
    Keyvault,
    dict.fromkeys(
        ("set_secret", "set_secrets", "delete_secret", "delete_secrets"),
        "use 'smalt secret' before the job: a job reads secrets only",
    ),
)


def _request_secret(path: str, name: str) -> Any:
    url, endpoint = os.environ.get("AZURE_KEYVAULT_URL"), os.environ.get("IDENTITY_ENDPOINT")
    if not url or not endpoint:
        raise make_user_error(_NONE.format(name))
    asked = endpoint + "?resource=" + quote("https://vault.azure.net", safe="")
    token = _send_request(asked, {"X-IDENTITY-HEADER": os.environ.get("IDENTITY_HEADER", "")})["access_token"]
    return _send_request(url + path, {"Authorization": "Bearer " + token})


def _send_request(url: str, headers: dict[str, str]) -> Any:
    trust = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE"))
    here = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    try:
        with here.open(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            told = json.loads(error.read() or b"{}")
        found = told.get("error") or told
        raise make_user_error(found.get("message") or f"the vault answers {error.code}") from None
    except OSError as error:
        raise make_user_error(f"the vault cannot be reached: {error}") from None
