"""Connections that say nothing, say it slowly, or are too many."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.helpers import WORKSPACE, Server, eventually, host_job

DESCRIPTORS = 200
LIMITS = f"import resource; resource.setrlimit(resource.RLIMIT_NOFILE, ({DESCRIPTORS}, {DESCRIPTORS})); "
SHORT = "import smalt.service.connections as c; c.HEAD_SECONDS = c.BODY_SECONDS = {}; "
RUN = "import runpy; runpy.run_module('smalt.service', run_name='__main__')"
PLACE = WORKSPACE.format("w")


def start(server: Server, program: str) -> None:
    process = server.spawn(program=("-c", program + RUN))
    eventually(lambda: server.is_ready(process.pid), "the server")


@contextlib.contextmanager
def half_open(server: Server, count: int, said: bytes = b"GET / HTTP/1.1\r\n") -> Iterator[list[socket.socket]]:
    """Open connections that began a request and say no more."""
    with contextlib.ExitStack() as stack:
        opened = []
        for _ in range(count):
            sock = stack.enter_context(socket.socket())
            sock.settimeout(120)
            sock.connect(("127.0.0.1", server.port))
            sock.sendall(said)
            opened.append(sock)
        yield opened


def is_closed(sock: socket.socket) -> bool:
    sock.settimeout(0.01)
    try:
        return sock.recv(65536) == b""
    except TimeoutError:
        return False
    except OSError:
        return True


def answered(sock: socket.socket) -> bytes:
    """Return an answer whose body is one JSON object."""
    text = b""
    while not text.endswith(b"}"):
        piece = sock.recv(65536)
        assert piece, text
        text += piece
    return text


def test_the_owner_is_answered_whatever_is_open_on_the_port(own_server: Server) -> None:
    """More half-open connections than the server has descriptors: jobs run, and the log says it once."""
    start(own_server, LIMITS)
    with half_open(own_server, 2 * DESCRIPTORS):
        for number in range(3):
            assert own_server.ask("PUT", f"{PLACE}/jobs/j{number}", host_job("echo said")).status == 201
            messages = list(own_server.stream(f"/smalt/v1{PLACE}/jobs/j{number}/stream"))
            assert messages[-1] == {"t": "end", "status": "Completed"}
        assert len(own_server.ask("GET", f"{PLACE}/jobs").body["value"]) == 3
        log = own_server.home.path("server.log").read_text()
        assert log.count("as many as there may be") == 1
        assert "accept" not in log
    answer = eventually(lambda: own_server.ask_tcp("GET", f"{PLACE}/jobs"), "an answer over the port")
    assert len(answer.body["value"]) == 3


def test_those_who_wait_are_served_when_the_slow_are_ended(own_server: Server) -> None:
    """The port answers again by itself, while whoever held it still does."""
    start(own_server, LIMITS + SHORT.format(0.5))
    with half_open(own_server, DESCRIPTORS):
        assert own_server.ask_tcp("GET", f"{PLACE}/jobs").status == 200


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET /smalt/v1/status HTTP/1.1\r\nHost: ",
        b"PUT /smalt/v1/config HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{",
        b"PUT /smalt/v1/config HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
    ids=["nothing", "head", "body", "chunk"],
)
def test_who_says_no_more_is_not_waited_for(own_server: Server, said: bytes) -> None:
    """In the head or in the body of a request; of one in the body the server forgets the request, too."""
    start(own_server, SHORT.format(0.5))
    with half_open(own_server, 3, said) as opened:
        for sock in opened:
            eventually(lambda sock=sock: is_closed(sock), "the end of the connection")  # type: ignore[misc]
    assert own_server.ask_tcp("GET", "/smalt/v1/status").status == 200


def test_a_second_request_has_its_own_time(own_server: Server) -> None:
    """A connection that is kept may say nothing for longer than a head may take, and then ask again."""
    start(own_server, SHORT.format(0.5))
    ask = b"GET /smalt/v1/status HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
    ask %= (own_server.home.read_token() or "").encode()
    with half_open(own_server, 1, ask) as (kept,), half_open(own_server, 1, b"GET") as (late,):
        assert answered(kept).startswith(b"HTTP/1.1 200")
        eventually(lambda: is_closed(late), "the end of another connection")
        kept.settimeout(120)
        kept.sendall(ask)
        assert answered(kept).startswith(b"HTTP/1.1 200")
        kept.sendall(b"GET /smalt")
        eventually(lambda: is_closed(kept), "the end of the connection")


@pytest.mark.parametrize("body", [b"zz\r\n\r\n", b"5\r\nabcdeXX", b"-1\r\n\r\n"], ids=["size", "end", "negative"])
def test_a_body_that_is_not_http_leaves_one_line_in_the_log(own_server: Server, body: bytes) -> None:
    """It is answered 400 while its handler waits for the rest, which then says nothing more."""
    own_server.start()
    for _ in range(3):
        with socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(120)
            sock.connect(str(own_server.home.socket_path("server")))
            head = f"PUT {PLACE}/jobs/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            sock.sendall(head.encode())
            assert own_server.ask("GET", "/smalt/v1/status").status == 200  # its handler waits for the body
            sock.sendall(body)
            text = b"".join(iter(lambda sock=sock: sock.recv(65536), b""))  # type: ignore[misc]
            assert text.startswith(b"HTTP/1.1 400 ")
    said = own_server.home.path("server.log").read_text()
    assert "Traceback" not in said
    assert said.count("Invalid HTTP request received.") == 3


def ask_and_close_side(server: Server, request: str, is_local: bool) -> socket.socket:
    """Send a request, and end the client's side of the connection."""
    sock = socket.socket(socket.AF_UNIX) if is_local else socket.socket()
    sock.settimeout(120)
    sock.connect(str(server.home.socket_path("server")) if is_local else ("127.0.0.1", server.port))
    token = f"Authorization: Bearer {server.home.read_token()}\r\n"
    sock.sendall(f"{request} HTTP/1.1\r\nHost: localhost\r\n{token}\r\n".encode())
    sock.shutdown(socket.SHUT_WR)
    return sock


def read_all(sock: socket.socket) -> bytes:
    with sock:
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("is_local", [True, False], ids=["socket", "port"])
def test_a_client_that_ends_its_side_is_answered(own_server: Server, is_local: bool) -> None:
    """A client may end its side once it has asked, also where the answer takes a thread."""
    own_server.start()
    own_server.ask("PUT", PLACE, {})
    for request, part in ((f"GET {PLACE}/jobs", b'"value"'), ("POST /smalt/v1/doctor", b'"troubles"')):
        answer = read_all(ask_and_close_side(own_server, request, is_local))
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert part in answer


def test_a_stream_goes_on_for_a_client_that_ended_its_side(own_server: Server, tmp_path: Path) -> None:
    """Over the Unix socket, which tells that from a client that is gone."""
    own_server.start()
    own_server.ask("PUT", PLACE, {})
    go = tmp_path / "go"
    body = host_job(f"until [ -e {go} ]; do sleep 0.05; done; echo the end")
    assert own_server.ask("PUT", f"{PLACE}/jobs/long", body).status == 201
    sock = ask_and_close_side(own_server, f"GET /smalt/v1{PLACE}/jobs/long/stream", is_local=True)
    first = sock.recv(65536)
    go.touch()
    answer = first + read_all(sock)
    assert b"the end" in answer
    assert answer.endswith(b"0\r\n\r\n")
