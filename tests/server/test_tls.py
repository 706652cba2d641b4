"""The TLS listener when what it needs is not there."""

from __future__ import annotations

import socket
import ssl

from tests.helpers import LONGEST, WORKSPACE, Server, eventually, host_job

RUN = "import runpy; runpy.run_module('smalt.service', run_name='__main__')"
NO_PORT = """
from smalt.service import lifecycle
from smalt.exceptions import Unavailable
real = lifecycle.open_tcp_socket
def refuse(home, host, name="port"):
    if name == "tls-port":
        raise Unavailable("no port is free")
    return real(home, host, name)
lifecycle.open_tcp_socket = refuse
"""
PLACE = WORKSPACE.format("w")


def shake_hands(port: int) -> bool:
    """Return whether a client's handshake succeeds; one that is not answered in 30 seconds is an error."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port), timeout=LONGEST) as plain:
        try:
            with context.wrap_socket(plain):
                return True
        except TimeoutError:
            raise
        except OSError:
            return False


def run(server: Server, name: str) -> str:
    """Run a job, and return what it said."""
    assert server.ask("PUT", f"{PLACE}/jobs/{name}", host_job("env")).status == 201
    messages = list(server.stream(f"/smalt/v1{PLACE}/jobs/{name}/stream"))
    assert messages[-1]["status"] == "Completed", messages
    return "".join(message["text"] for message in messages if message["t"] == "log")


def test_clients_are_answered_once_a_damaged_authority_is_gone(own_server: Server) -> None:
    """While it is damaged, they are turned away with a line in the log, and none of them hangs."""
    home = own_server.home
    home.create()
    home.path("tls").mkdir()
    for name in ("authority.pem", "authority.key"):
        home.write(f"tls/{name}", "damaged")
    own_server.start()
    port = int(home.path("tls-port").read_text())
    assert [shake_hands(port) for _ in range(2)] == [False, False]
    asked = own_server.ask("POST", "/smalt/v1/tls")
    assert asked.status == 507
    assert "cannot answer over TLS" in asked.body["error"]["message"]
    assert "cannot answer over TLS" in home.path("server.log").read_text()
    assert "never retrieved" not in home.path("server.log").read_text()
    for name in ("authority.pem", "authority.key"):
        home.path("tls", name).unlink()
    assert eventually(lambda: shake_hands(port), "a handshake")
    assert own_server.ask("POST", "/smalt/v1/tls").status == 200


def test_a_server_without_a_port_for_tls_says_so_once(own_server: Server) -> None:
    """Jobs run and are told no URL of it; no step tries again to have a port."""
    process = own_server.spawn(program=("-c", NO_PORT + RUN))
    eventually(lambda: own_server.is_ready(process.pid), "the server")
    for name in ("a", "b"):
        assert "AZUREML_DEV_URL_MFE" not in run(own_server, name)
    assert own_server.home.path("server.log").read_text().count("jobs cannot open their workspace") == 1


def test_the_server_answers_while_the_authority_of_a_new_home_is_made(own_server: Server) -> None:
    """A first job waits for it; the server's loop does not."""
    slow = """
import threading, smalt.service.tls as tls
real = tls.write_trusted
def write_trusted(home):
    while not home.path("go").exists():
        threading.Event().wait(0.01)
    return real(home)
tls.write_trusted = write_trusted
"""
    process = own_server.spawn(program=("-c", slow + RUN))
    eventually(lambda: own_server.is_ready(process.pid), "the server")
    assert own_server.ask("PUT", f"{PLACE}/jobs/a", host_job("env")).status == 201
    where = f"{PLACE}/jobs/a"
    eventually(lambda: own_server.ask("GET", where).body["properties"]["status"] == "Preparing", "the job")
    own_server.home.path("go").touch()
    messages = list(own_server.stream(f"/smalt/v1{where}/stream"))
    assert messages[-1]["status"] == "Completed"
    assert any("REQUESTS_CA_BUNDLE" in message.get("text", "") for message in messages)
