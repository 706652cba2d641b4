"""A server is there when it is needed, once, and keeps nothing of whoever started it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from smalt.client.connection import autostart
from smalt.client.connection.connection import ApiConnection
from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.machine.versions import is_older
from tests.helpers import LONGEST, read_descriptors

ASK = (
    "from smalt.client.connection.connection import ApiConnection as Server; "
    "print(Server.open().get('/smalt/v1/status')['pid'])"
)


def pid_of(home: Home) -> int:
    connection = ApiConnection.open(home=home)
    try:
        return int(connection.get("/smalt/v1/status")["pid"])
    finally:
        connection.close()


def test_a_server_is_started_and_found_again(home: Home) -> None:
    """The second request is answered by the same one."""
    assert not autostart.is_running(home)
    first = pid_of(home)
    assert autostart.is_running(home)
    assert pid_of(home) == first


def test_many_at_once_get_one_server(home: Home) -> None:
    """Whoever wins, all of them talk to the same."""
    environment = {**os.environ, "SMALT_HOME": str(home.root)}
    clients = [
        subprocess.Popen([sys.executable, "-c", ASK], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(5)
    ]
    pids = {client.communicate(timeout=LONGEST)[0] for client in clients}
    assert pids == {f"{pid_of(home)}\n"}


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_nothing_of_the_caller_is_kept(home: Home, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Not its session, its folder, its descriptors, nor its environment."""
    monkeypatch.setenv("A_SECRET", "x")
    monkeypatch.setenv("VIRTUAL_ENV", "/venv")
    monkeypatch.chdir(tmp_path)
    with open(tmp_path / "open", "w") as file:
        os.set_inheritable(file.fileno(), True)
        pid = pid_of(home)
    facts = Path("/proc", str(pid))
    assert os.readlink(facts / "cwd") == "/"
    assert os.getsid(pid) == pid != os.getsid(0)
    descriptors = read_descriptors(pid)
    assert descriptors
    assert str(tmp_path / "open") not in descriptors
    variables = (facts / "environ").read_text().split("\0")
    assert f"SMALT_HOME={home.root}" in variables
    assert not any(each.startswith(("A_SECRET", "VIRTUAL_ENV", "PYTEST")) for each in variables)


def test_a_short_list_of_variables_goes_along() -> None:
    """Those that find programs, homes, proxies, certificates and devices; where the server is needs not go along."""
    kept = {
        "PATH": "p",
        "LC_ALL": "C",
        "SMALT_DEBUG": "1",
        "PIP_INDEX_URL": "u",
        "UV_CACHE_DIR": "c",
        "DOCKER_HOST": "d",
        "NETRC": "n",
        "https_proxy": "h",
    }
    gone = {"VIRTUAL_ENV": "v", "PYTHONPATH": "p", "SMALT_URL": "u", "SMALT_TOKEN": "t", "AWS_SECRET": "s", "PWD": "/"}
    home = Home("/somewhere")
    assert autostart.build_environment(home, {**kept, **gone}) == {**kept, "SMALT_HOME": "/somewhere"}


def test_a_server_that_cannot_start_says_why(home: Home) -> None:
    """In its own sentence."""
    home.create()
    home.write("layout", "99\n")
    with pytest.raises(Unavailable, match=r"the smalt server did not start: smalt's home .* has layout 99"):
        pid_of(home)


def test_an_older_server_gives_way(home: Home) -> None:
    """It is asked to end, and this version's takes its place."""
    first = pid_of(home)
    facts = home.read_json("server.json")
    home.write("server.json", json.dumps({**facts, "version": "0.0.1"}))
    second = pid_of(home)
    assert second != first
    assert home.read_json("server.json")["version"] == facts["version"]


@pytest.mark.parametrize("version", ["999.0", "nonsense", None])
def test_another_server_is_left_alone(home: Home, version: str | None) -> None:
    """A newer one serves older clients."""
    first = pid_of(home)
    facts = home.read_json("server.json")
    home.write("server.json", json.dumps({**facts, "version": version}))
    assert pid_of(home) == first


@pytest.mark.parametrize(
    ("older", "newer"),
    [("0.1.0", "0.2.0"), ("0.9", "0.10"), ("1.0.0", "1.0.1"), ("1.0", "1.0.1"), ("1.0.0rc1", "1.0.1")],
)
def test_versions_compare_by_number(older: str, newer: str) -> None:
    """0.10 is newer than 0.9."""
    assert is_older(older, newer)
    assert not is_older(newer, older)
    assert not is_older(older, older)


def test_a_home_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    """Naming the folder and what to do."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable, match="SMALT_HOME"):
        pid_of(Home(tmp_path / "file" / "home"))
