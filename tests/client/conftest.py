from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from smalt import MLClient
from smalt.machine.home import Home
from tests.helpers import Server

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def no_server_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests use homes of their own, whatever the person who runs them uses."""
    for name in ("SMALT_URL", "SMALT_TOKEN", "SMALT_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def home(own_server: Server) -> Home:
    """A home in which no server runs; one that a test starts is ended."""
    return own_server.home


@pytest.fixture(scope="session")
def served(server: Server) -> Home:
    """A home with a server, for all tests that need any."""
    return server.home


@pytest.fixture
def client(served: Home) -> Iterator[MLClient]:
    """A client in a workspace of its own."""
    made = MLClient(home=served, workspace_name=f"ws{next(_numbers)}")
    yield made
    made.connection.close()
