"""The token of smalt's server for MLflow's client in plain Python, which loads this as an entry point.

A program then needs no more than `mlflow.set_tracking_uri(workspace.mlflow_tracking_uri)`, as in the cloud. MLflow asks
before each of its requests, also in jobs, so nothing is imported before it is known to be needed.
"""

from __future__ import annotations

import os
import sys
from urllib.parse import urlsplit

_OWN = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class TokenHeaders:
    """A provider of `mlflow.request_header_provider`: no other server gets the token."""

    def in_context(self) -> bool:
        return bool(_find_token())

    def request_headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {_find_token()}"}


def _find_token() -> str | None:
    """Return the token, if MLflow's tracking and registry are smalt's and the user has set no credentials for them."""
    mlflow = sys.modules.get("mlflow")
    if mlflow is None or any(os.environ.get(name) for name in _OWN):
        return None
    uris = [mlflow.get_tracking_uri(), mlflow.get_registry_uri()]
    if not all(str(uri).startswith(("http://", "https://")) for uri in uris):
        return None
    if given := os.environ.get("SMALT_URL"):
        base = f"{given.rstrip('/')}/"
        return os.environ.get("SMALT_TOKEN") if all(str(uri).startswith(base) for uri in uris) else None
    from smalt.exceptions import SmaltError
    from smalt.machine.home import Home

    try:
        home = Home.find()
        port = (home.read_json("server.json") or {}).get("port")
        places = [urlsplit(str(uri)) for uri in uris]
        is_ours = all(place.hostname in _LOOPBACK and place.port == port for place in places)
        return home.read_token() if is_ours else None
    except (SmaltError, OSError, ValueError):
        return None
