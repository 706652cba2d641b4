"""Fixtures for tests of jobs and pipelines; docs/testing.md. Loaded by every pytest, so it imports nothing else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from smalt.client import MLClient
    from smalt.machine.home import Home

_LONGEST = 60.0
"""Seconds until the server and all that it runs must have ended."""
_DYING = 1.0
"""Seconds between a process's last word and its end."""
_PAUSE = 0.005
_CLIENTS = ("SMALT_URL", "SMALT_TOKEN")
_WORKSPACE = ("AZUREML_ARM_SUBSCRIPTION", "AZUREML_ARM_RESOURCEGROUP", "AZUREML_ARM_WORKSPACE_NAME")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(
        "smalt_url_map",
        "URI=FOLDER, one a line: where the tests' jobs read datastores, assets and URLs; see map_uri.",
        type="linelist",
    )
    parser.addini("smalt_settings", "NAME=VALUE, one a line: settings of the tests' server.", type="linelist")


@pytest.fixture(scope="session")
def smalt_home(pytestconfig: pytest.Config) -> Iterator[Home]:
    """The home of this test run (of each xdist worker its own); its server ends with the run, and nothing is left."""
    import shutil
    import tempfile

    from smalt.machine.home import Home

    folder = Path(tempfile.mkdtemp(prefix="smalt-"))  # short, as the names of sockets must be
    home = Home(folder / "home")
    try:
        home.create()
        _write_settings(home, pytestconfig)
        yield home
    finally:
        try:
            _stop_server(home)
        finally:
            for place, _, _ in os.walk(folder):  # what is registered has no right to write
                os.chmod(place, 0o700)
            shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ml_client(smalt_home: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[MLClient]:
    """An MLClient on a new workspace of the test run's own server; its jobs end with the test.

    Until then it is the default workspace of any other MLClient, and of the command line.
    """
    import secrets

    from smalt.client import MLClient

    for name in (*_CLIENTS, *_WORKSPACE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SMALT_HOME", str(smalt_home.root))
    client = MLClient(workspace_name=f"test-{secrets.token_hex(6)}", home=smalt_home)
    client.connection.patch("/smalt/v1/config", {"defaults": {"workspace": client.workspace_name}})
    for name, value in zip(_WORKSPACE, client.scope, strict=True):  # goes before a config.json of the project's
        monkeypatch.setenv(name, value)
    try:
        yield client
        _cancel_jobs(client)
    finally:
        client.connection.close()


@pytest.fixture
def map_uri(ml_client: MLClient, request: pytest.FixtureRequest) -> Iterator[Callable[[str, str | Path], None]]:
    """`map_uri(URI, folder)`: jobs of this test read there what begins with that URI.

    A path of a datastore, an asset (`azureml:NAME:VERSION`) or a URL. A relative folder is one beside the test's file.
    """
    before = dict(ml_client.connection.get("/smalt/v1/config")["url-map"])
    mapped: set[str] = set()

    def map_one(uri: str, folder: str | Path) -> None:
        place = request.path.parent / folder
        if not place.exists():
            raise FileNotFoundError(f"cannot map {uri}: there is no {place}")
        ml_client.connection.patch("/smalt/v1/config", {"url-map": {uri: str(place)}})
        mapped.add(uri)

    yield map_one
    if mapped:
        ml_client.connection.patch("/smalt/v1/config", {"url-map": {uri: before.get(uri) for uri in mapped}})


def _write_settings(home: Home, config: pytest.Config) -> None:
    """Write the settings down before the server, which checks them, starts."""
    import json

    settings: dict[str, Any] = dict(_split_pairs(config, "smalt_settings"))
    places = {uri: str(config.rootpath / folder) for uri, folder in _split_pairs(config, "smalt_url_map")}
    for uri, place in places.items():
        if not os.path.exists(place):
            raise pytest.UsageError(f"smalt_url_map: {uri} is mapped to {place}, which is not there")
    if places:
        settings["url-map"] = places
    home.write("config.json", json.dumps(settings))


def _split_pairs(config: pytest.Config, option: str) -> Iterator[tuple[str, str]]:
    for line in config.getini(option):
        key, equals, value = line.rpartition("=")  # a URL may have an equals sign in it
        if not equals or not key.strip():
            raise pytest.UsageError(f"{option}: '{line}' is not of the form KEY=VALUE")
        yield key.strip(), value.strip()


def _cancel_jobs(client: MLClient) -> None:
    """Jobs that the test left running would take the slots of those of the next one."""
    from smalt.client.collections.jobs import OVER

    for job in client.jobs.list():
        if job.status not in OVER:
            client.jobs.begin_cancel(str(job.name))


def _stop_server(home: Home) -> None:
    """End the server, its jobs and its launcher, and wait until they are gone."""
    import time

    from smalt.client.connection import autostart
    from smalt.client.connection.connection import ApiConnection
    from smalt.exceptions import SmaltError

    if autostart.is_running(home):
        connection = ApiConnection.open(home=home)
        try:
            connection.post("/smalt/v1/shutdown", {"force": True})
        except SmaltError as error:
            pytest.fail(f"the server of {home.root} did not end: {error}")
        finally:
            connection.close()
    deadline = time.monotonic() + _LONGEST
    while any(_is_held(home.path(lock)) for lock in ("server.lock", "launcher.lock")):
        if time.monotonic() > deadline:
            pytest.fail(f"the server of {home.root} did not end within {_LONGEST:g} s; see {home.path('server.log')}")
        time.sleep(_PAUSE)
    deadline = time.monotonic() + _DYING
    while autostart.reap_servers() and time.monotonic() < deadline:
        time.sleep(_PAUSE)


def _is_held(lock: Path) -> bool:
    import fcntl

    try:
        with open(lock) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
