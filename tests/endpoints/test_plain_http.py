"""Plain heads are read as h11 reads them, and nothing is plain that h11 refuses or reads otherwise."""

from __future__ import annotations

import random

import h11
import pytest

from smalt.service.endpoints.online.plain_http import parse_request_head, parse_response_head

REQUEST = (
    b"POST /online/w/e/score?a=b HTTP/1.1\r\nHost: 127.0.0.1:1\r\nAccept-Encoding: identity\r\n"
    b"Content-Length: 2\r\nContent-Type:  application/json \r\nAuthorization: Bearer a-b_c\r\n\r\n"
)
RESPONSE = b"HTTP/1.1 200 OK\r\nServer: gunicorn\r\nConnection: close\r\nContent-Length: 2\r\nX-Odd: \xe9\r\n\r\n"
PIECES = (
    b"\r\n", b"\n", b"\r", b" ", b"\t", b":", b"\x00", b"\x7f", b"\xff", b"+2", b"-", b"2", b"0x", b",", b"#", b"%2e",
    b"HTTP/1.0", b"HTTP/1.1", b"100", b"204", b"\r\n\r\n", b" folded\r\n", b"Host: b\r\n", b"Content-Length: 3\r\n",
    b"Transfer-Encoding: chunked\r\n", b"transfer-encoding : chunked\r\n", b"Expect: 100-continue\r\n",
    b"Connection: close\r\n", b"Upgrade: h2c\r\n",
)  # fmt: skip


def mutate(head: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(0, 3)):
        at = chance.choice([0, *(place for place in range(len(head)) if head[place - 2 : place] == b"\r\n")])
        at = chance.choice([at, chance.randrange(len(head) + 1)])
        cut = chance.choice([0, 0, 1, chance.randint(0, 12)])
        head = head[:at] + chance.choice(PIECES) * chance.randint(0, 2) + head[at + cut :]
    return head


def read_by_h11(role: type[h11.CLIENT] | type[h11.SERVER], raw: bytes) -> tuple[h11.Event, list[h11.Event]]:
    """The head, and the body of the two bytes that follow a plain one."""
    http = h11.Connection(role)
    if role is h11.CLIENT:
        http.send(h11.Request(method="GET", target="/", headers=[("Host", "x"), ("Connection", "close")]))
        http.send(h11.EndOfMessage())
    http.receive_data(raw)
    head = http.next_event()
    rest = []
    while not rest or isinstance(rest[-1], h11.Data):
        event = http.next_event()
        if not isinstance(event, h11.Event):
            break
        rest.append(event)
    return head, rest


@pytest.mark.parametrize("seed", range(4))
def test_requests_are_read_as_h11_reads_them(seed: int) -> None:
    """Whatever is done to a request: method, target, headers and the length of the body are the same."""
    chance, plain = random.Random(seed), 0
    for _ in range(1500):
        raw = mutate(REQUEST, chance)
        found = parse_request_head(raw)
        if found is None:
            continue
        plain += 1
        body = b"x" * min(found.length, 4000)
        head, rest = read_by_h11(h11.SERVER, raw[: found.size] + body)
        assert isinstance(head, h11.Request), raw
        assert (head.method, head.target, head.http_version) == (b"POST", found.target, b"1.1"), raw
        assert list(head.headers) == found.headers, raw
        if found.length <= 4000:
            assert isinstance(rest[-1], h11.EndOfMessage), raw
            assert sum(len(part.data) for part in rest if isinstance(part, h11.Data)) == found.length, raw
    assert plain > 100


@pytest.mark.parametrize("seed", range(4))
def test_answers_are_read_as_h11_reads_them(seed: int) -> None:
    """Status, reason, headers and length."""
    chance, plain = random.Random(seed), 0
    for _ in range(1500):
        raw = mutate(RESPONSE, chance)
        found = parse_response_head(raw)
        if found is None:
            continue
        plain += 1
        assert found.length is not None
        head, rest = read_by_h11(h11.CLIENT, raw[: found.size] + b"x" * min(found.length, 4000))
        assert isinstance(head, h11.Response), raw
        assert (head.status_code, bytes(head.reason), list(head.headers)) == (
            found.status,
            found.reason,
            found.headers,
        ), raw
        if found.length <= 4000:
            assert isinstance(rest[-1], h11.EndOfMessage), raw
    assert plain > 100


@pytest.mark.parametrize(
    "raw",
    [
        REQUEST[:-1],
        REQUEST.replace(b"POST", b"PUT"),
        REQUEST.replace(b"/1.1", b"/1.0"),
        REQUEST.replace(b"Content-Length: 2\r\n", b""),
        REQUEST.replace(b"Content-Length: 2\r\n", b"Content-Length: 2\r\nContent-Length: 2\r\n"),
        REQUEST.replace(b"Content-Length: 2\r\n", b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n"),
        REQUEST.replace(b"Host:", b"Connection: close\r\nHost:"),
        REQUEST.replace(b"Host:", b"Expect: 100-continue\r\nHost:"),
        REQUEST.replace(b"\r\nHost", b"\nHost"),
        REQUEST.replace(b"Host: 127.0.0.1:1\r\n", b""),
        REQUEST.replace(b"/score", b"/%2e%2e/score"),
    ],
)
def test_what_is_not_plain_is_left_to_h11(raw: bytes) -> None:
    """Incomplete heads, other methods and versions, and every doubt about where a body ends."""
    assert parse_request_head(raw) is None
