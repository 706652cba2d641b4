"""`smalt config`: settings are checked before they are kept, and can be mended when no server starts."""

from __future__ import annotations

import json
import re
import socket
from pathlib import Path

import pytest

from smalt import cli
from smalt.client.connection.connection import RemoteServer
from tests.cli.conftest import smalt


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("listen", "0.0.0.0:9000", "must be an address or host name alone; the port has a setting of its own, 'port'"),
        ("listen", "[::1]:9000", "must be an address or host name alone"),
        ("listen", "203.0.113.7", "nothing can listen on '203.0.113.7'"),
        ("port", "70000", "must be a port, from 1 to 65535"),
        ("port", "http", "must be a number"),
        ("host-python", "/bin/ls", "/bin/ls does not run a line of Python"),
        ("mlflow-python", "/bin/ls", "/bin/ls does not run a line of Python"),
        ("public-url", "https://", "and a host"),
        ("allowed-hosts", "https://a.example/", "must be host names, without scheme and path"),
        ("fidelty", "strict", "there is no setting 'fidelty'; did you mean 'fidelity'?"),
    ],
)
def test_a_setting_that_cannot_work_is_not_kept(name: str, value: str, sentence: str, home: Path) -> None:
    """The sentence says what is wrong, no server is started for it, and the next one starts as before."""
    done = smalt("config", "set", name, value)
    assert (done.code, done.out) == (2, "")
    assert sentence in done.err
    assert done.err.count("\n") == 1
    assert not (home / "server.json").exists()
    assert not (home / "config.json").exists()


def test_the_server_checks_as_the_command_does(home: Path) -> None:
    """A running server answers with the same sentences, and changes nothing."""
    assert smalt("server", "start").code == 0
    done = smalt("config", "set", "listen", "0.0.0.0:9000")
    assert done.code == 2
    assert "must be an address or host name alone" in done.err
    assert not (home / "config.json").exists()


def test_a_setting_that_is_read_at_the_start_says_so(home: Path) -> None:
    """Only where a server runs that has read the old value."""
    assert smalt("config", "set", "cpus", "3").err == ""
    assert smalt("server", "start").code == 0
    assert smalt("config", "set", "cpus", "3").err == ""
    done = smalt("config", "set", "cpus", "4")
    assert json.loads(done.out) == {"cpus": 4}
    assert done.err == "note: 'cpus' takes effect when the server starts again: smalt server stop\n"
    assert smalt("config", "set", "idle-minutes", "5").err == ""


def test_a_setting_that_keeps_the_server_from_starting_can_be_unset(home: Path) -> None:
    """What a hand or an earlier smalt wrote is shown with what is wrong, and goes by `unset`; the others stay."""
    home.mkdir()
    (home / "config.json").write_text(json.dumps({"listen": "0.0.0.0:9000", "cpus": 2, "of-later": 1}))
    started = smalt("job", "list")
    assert started.code == 1
    assert "to remove it: smalt config unset listen" in started.err
    listed = smalt("config", "list")
    assert json.loads(listed.out)["listen"] == "0.0.0.0:9000"
    assert "smalt config unset listen" in listed.err
    assert json.loads(smalt("config", "unset", "listen").out) == {"listen": "127.0.0.1"}
    assert json.loads((home / "config.json").read_text()) == {"cpus": 2, "of-later": 1}
    assert smalt("job", "list").code == 0


def test_a_file_that_is_not_json_is_named(home: Path) -> None:
    home.mkdir()
    (home / "config.json").write_text("{")
    for line in (("config", "list"), ("config", "unset", "listen"), ("job", "list")):
        done = smalt(*line)
        assert done.code != 0
        assert str(home / "config.json") in done.err
        assert "correct the file or remove it" in done.err


def test_a_chosen_port_that_is_taken_is_refused() -> None:
    """A port that the user chose is never another one silently."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert smalt("config", "set", "port", str(port)).code == 0
        done = smalt("server", "start")
        assert done.code == 1
        assert f"cannot listen on port {port} of 127.0.0.1: Address already in use" in done.err
    assert json.loads(smalt("server", "start").out)["port"] == port


def test_a_port_of_the_home_that_is_taken_is_told_by_the_status(home: Path) -> None:
    """The home's own port, which smalt found, is replaced for a run, and the status says so."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        home.mkdir()
        (home / "port").write_text(f"{other.getsockname()[1]}\n")
        told = json.loads(smalt("server", "start").out)
        assert told["note"].startswith(f"port {other.getsockname()[1]} of this home is taken by another program")


def test_the_address_that_is_told_is_the_one_that_answers(home: Path) -> None:
    """With another `listen` the log, the status and MLflow's URI name it, and it answers there."""
    assert smalt("config", "set", "listen", "127.0.0.2").code == 0
    told = json.loads(smalt("server", "start").out)
    assert told["url"] == f"http://127.0.0.2:{told['port']}"
    assert f"on {told['url']}" in (home / "server.log").read_text()
    assert smalt("mlflow", "uri").out.startswith(told["url"])
    with socket.create_connection(("127.0.0.2", told["port"])) as connection:
        connection.sendall(f"GET /smalt/v1/status HTTP/1.1\r\nHost: 127.0.0.2:{told['port']}\r\n\r\n".encode())
        assert b" 401 " in connection.recv(65536).split(b"\r\n")[0] + b" "


@pytest.mark.parametrize(
    ("url", "uri"),
    [
        ("https://ml.example.org", "https://ml.example.org/mlflow/v1.0/x"),
        ("https://ml.example.org:8443/team", "https://ml.example.org:8443/team/mlflow/v1.0/x"),
        ("http://10.0.0.1:9000", "http://10.0.0.1:9000/mlflow/v1.0/x"),
    ],
)
def test_urls_of_a_remote_server_are_those_of_smalt_url(url: str, uri: str) -> None:
    """A proxy with TLS stands before the server, which knows nothing of it."""
    assert RemoteServer(url, "").to_client_url("http://ml.example.org:8080/mlflow/v1.0/x") == uri
    assert RemoteServer(url, "").to_client_url(uri) == uri


def test_messages_write_config_set_as_it_is_taken() -> None:
    """`smalt config set KEY VALUE`: with a `=` between them the command asks for the value."""
    sources = Path(cli.__file__).parent.parent.rglob("*.py")
    wrong = [path.name for path in sources if re.search(r"smalt config set [a-z-]+=", path.read_text())]
    assert wrong == []


def test_a_value_that_begins_with_a_dash_stands_behind_two(home: Path) -> None:
    """As docs/environments.md writes it."""
    done = smalt("config", "set", "container-arguments", "--", "--ulimit nofile=1024:1024")
    assert done.code == 0, done.err
    assert json.loads((home / "config.json").read_text())["container-arguments"] == "--ulimit nofile=1024:1024"
