"""MLflow's client in plain Python: the token of smalt's server is in its requests to that server, and in no others."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from smalt import MLClient
from smalt.machine.home import Home
from smalt.python.mlflow_headers import TokenHeaders
from tests.helpers import Server

OTHER = "http://tracking.example:5000/x"


@pytest.fixture
def uri(server: Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The tracking URI of the server's workspace, which is that of the home in effect."""
    for name in ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "SMALT_URL", "SMALT_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SMALT_HOME", str(server.home.root))
    client = MLClient(home=Home(server.home.root))
    return str(client.workspaces.get(client.workspace_name).mlflow_tracking_uri)


def lead_mlflow(monkeypatch: pytest.MonkeyPatch, tracking: str, registry: str | None = None) -> TokenHeaders:
    """Return the provider in a program that has set MLflow's URIs."""
    mlflow = SimpleNamespace(get_tracking_uri=lambda: tracking, get_registry_uri=lambda: registry or tracking)
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    return TokenHeaders()


def test_the_token_opens_the_server(server: Server, uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow finds the provider by its entry point, and sends the home's token."""
    declared = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    entry = f'smalt = "{TokenHeaders.__module__}:{TokenHeaders.__name__}"'
    assert f'[project.entry-points."mlflow.request_header_provider"]\n{entry}\n' in declared
    headers = lead_mlflow(monkeypatch, uri)
    assert headers.in_context()
    assert headers.request_headers() == {"Authorization": f"Bearer {server.home.read_token()}"}


@pytest.mark.parametrize("places", [(OTHER, None), ("URI", OTHER), (OTHER, "URI"), ("sqlite:///x.db", None)])
def test_no_other_server_gets_it(uri: str, monkeypatch: pytest.MonkeyPatch, places: tuple[str, str | None]) -> None:
    """Also where only the tracking or only the registry is another's, as MLflow asks once for both."""
    tracking, registry = (uri if place == "URI" else place for place in places)
    assert not lead_mlflow(monkeypatch, str(tracking), registry).in_context()
    assert not lead_mlflow(monkeypatch, uri.replace("http://127.0.0.1", "http://192.0.2.1")).in_context()


def test_credentials_of_the_user_have_precedence(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "mine")
    assert not lead_mlflow(monkeypatch, uri).in_context()


def test_a_server_elsewhere_gets_its_own_token(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMALT_URL", "https://smalt.example/")
    monkeypatch.setenv("SMALT_TOKEN", "far")
    assert lead_mlflow(monkeypatch, "https://smalt.example/mlflow").request_headers() == {"Authorization": "Bearer far"}
    assert not lead_mlflow(monkeypatch, "https://smalt.example.org/mlflow").in_context()
