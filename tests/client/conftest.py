from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from smalt import MLClient
from smalt.client.connection import autostart
from smalt.client.connection.connection import ApiConnection
from smalt.machine.home import Home
from tests.client.waiting import until

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_server_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests use homes of their own, whatever the person who runs them uses."""
    for name in ("SMALT_URL", "SMALT_TOKEN", "SMALT_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home in which no server runs; one that a test starts is ended."""
    made = Home(tmp_path / "home")
    yield made
    end(made)


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A home with a server, for all tests that need any."""
    made = Home(tmp_path_factory.mktemp("served") / "home")
    autostart.start_server(made).close()
    yield made
    end(made)


@pytest.fixture
def client(served: Home) -> Iterator[MLClient]:
    """A client in a workspace of its own."""
    made = MLClient(home=served, workspace_name=f"ws{next(_numbers)}")
    yield made
    made.connection.close()


def end(home: Home) -> None:
    if autostart.is_running(home):
        connection = ApiConnection.open(home=home)
        connection.post("/smalt/v1/shutdown", {"force": True})
        connection.close()
        until(lambda: not autostart.is_running(home), "the server still runs")
