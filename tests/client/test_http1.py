"""The small HTTP client speaks HTTP/1.1 as servers do."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smalt.client.connection.http1 import ConnectionLost, HttpConnection
from tests.client.tiny import Reply, Tiny, answer

Serve = Callable[..., HttpConnection]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A wire to a server with these replies."""
    made: list[Tiny] = []
    wires: list[HttpConnection] = []

    def start(*replies: Reply) -> HttpConnection:
        made.append(Tiny(tmp_path / "s", list(replies)))
        sock = socket.socket(socket.AF_UNIX)
        sock.connect(str(tmp_path / "s"))
        wires.append(HttpConnection(sock, "localhost"))
        return wires[-1]

    yield start
    for wire in wires:
        wire.close()
    for tiny in made:
        tiny.close()


def test_one_wire_serves_many_requests(serve: Serve) -> None:
    """As long as each answer is read to its end."""
    wire = serve(answer(b"1"), answer(b""), answer(b"3"))
    for expected in (b"1", b"", b"3"):
        assert wire.request("GET", "/", {}, None).read() == expected
        assert wire.reusable


def test_a_wire_with_an_unread_answer_is_not_reused(serve: Serve) -> None:
    """The rest of it would be taken for the next answer."""
    wire = serve(answer(b"12345"))
    wire.request("GET", "/", {}, None)
    assert not wire.reusable


@pytest.mark.parametrize("cut", [1, 3, 1000])
def test_chunks_are_put_together(serve: Serve, cut: int) -> None:
    """In whatever pieces they arrive; extensions and trailers are skipped."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    raw = head + b"4;x=y\r\nab\nc\r\nA\r\n0123456789\r\n0\r\nTrailer: 1\r\n\r\n"

    def slowly(connection: socket.socket) -> None:
        for start in range(0, len(raw), cut):
            connection.sendall(raw[start : start + cut])

    wire = serve(slowly)
    assert wire.request("GET", "/", {}, None).read() == b"ab\nc0123456789"
    assert wire.reusable


def test_lines_come_as_soon_as_they_are_whole(serve: Serve) -> None:
    """A line that arrives in two chunks is one; the last needs no end."""
    raw = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab\ncd\r\n3\r\ne\nf\r\n0\r\n\r\n"
    wire = serve(raw)
    assert list(wire.request("GET", "/", {}, None).read_lines()) == [b"ab", b"cde", b"f"]


def test_a_body_without_a_length_ends_with_the_connection(serve: Serve) -> None:
    """As HTTP/1.0 servers have it."""
    wire = serve(lambda connection: connection.sendall(b"HTTP/1.0 200 OK\r\n\r\nall"))
    assert wire.request("GET", "/", {}, None).read() == b"all"
    assert not wire.reusable


def test_interim_answers_are_skipped(serve: Serve) -> None:
    """A 100 is not yet the answer."""
    wire = serve(b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"x", "201 Created"))
    assert wire.request("POST", "/", {}, b"body").status == 201


def test_answers_without_a_body_end_at_once(serve: Serve) -> None:
    """204, 304 and the answer to HEAD have none, whatever their headers say."""
    wire = serve(b"HTTP/1.1 204 No Content\r\n\r\n", answer(b"").replace(b"Length: 0", b"Length: 7"), answer(b"x"))
    assert wire.request("DELETE", "/", {}, None).read() == b""
    assert wire.request("HEAD", "/", {}, None).read() == b""
    assert wire.request("GET", "/", {}, None).read() == b"x"


def test_pieces_are_sent_in_chunks(tmp_path: Path) -> None:
    """A body of unknown length goes piece by piece, without empty ones, which would end it."""
    tiny = Tiny(tmp_path / "s", [answer(b"ok")])
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(tmp_path / "s"))
    wire = HttpConnection(sock, "localhost")
    assert wire.request("PUT", "/", {}, iter([b"ab", b"", b"cde"])).read() == b"ok"
    assert tiny.requests[0].endswith(b"\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n")
    wire.close()
    tiny.close()


@pytest.mark.parametrize(
    ("reply", "started"),
    [
        (b"", False),
        (b"HTTP/1.1 200 OK\r\nContent-", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nshort", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", True),
        (b"SSH-2.0-OpenSSH\r\n", True),
    ],
)
def test_an_answer_that_breaks_off_is_told(serve: Serve, reply: bytes, started: bool) -> None:
    """And whether any of it had come, so that a request may be repeated if not."""
    wire = serve(lambda connection: connection.sendall(reply))
    with pytest.raises(ConnectionLost) as caught:
        wire.request("GET", "/", {}, None).read()
    assert caught.value.started is started
