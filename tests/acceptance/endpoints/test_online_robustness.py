"""Online endpoints under scripts and clients that misbehave: each is told in a sentence, and no other endpoint suffers.

Their home installs the inference server, so `-m integration` runs them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from smalt.client import MLClient
from smalt.exceptions import DeploymentException
from tests.acceptance.endpoints.online_rig import Asker, ask, create_endpoint, make_deployment
from tests.helpers import LONGEST, Server, eventually, running_server

pytestmark = pytest.mark.integration

MEMORY_MB = 1024
SCRIPT = """import itertools, json, os, time

numbers = itertools.count(1)

def init():
    time.sleep(float(os.environ.get("INIT_SECONDS", "0")))

def run(raw):
    given = json.loads(raw)
    time.sleep(given.get("sleep", 0))
    block = bytearray(given.get("mb", 0) << 20)
    return {"pid": os.getpid(), "answer": "x" * given.get("length", 0), "received": len(raw),
            "number": next(numbers)}
"""


class Served(NamedTuple):
    """An endpoint with one deployment, which has all of the traffic."""

    server: Server
    client: MLClient
    uri: str
    key: str

    def ask(self, body: Any = None, **more: Any) -> Any:
        return ask(self.server, self.uri, body, key=self.key, **more)

    def make_head(self, length: int, *more: str) -> bytes:
        lines = (
            f"POST {urlsplit(self.uri).path} HTTP/1.1", f"Host: 127.0.0.1:{self.server.port}",
            f"Authorization: Bearer {self.key}", "Content-Type: application/json", f"Content-Length: {length}", *more,
        )  # fmt: skip
        return "\r\n".join((*lines, "", "")).encode()

    def connect(self) -> socket.socket:
        own = socket.create_connection(("127.0.0.1", self.server.port), LONGEST)
        own.settimeout(LONGEST)
        return own


def read_answers(own: socket.socket, count: int, status: bytes = b"200") -> list[dict[str, Any]]:
    """So many answers of a script with that status, and nothing after them."""
    return [json.loads(body) for body in read_bodies(own, count, status)]


def read_bodies(own: socket.socket, count: int, status: bytes) -> list[bytes]:
    raw, found = b"", list[bytes]()
    while len(found) < count:
        head, end, rest = raw.partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0) if end else 0
        if end and len(rest) >= length:
            if not head.startswith(b"HTTP/1.1 100"):
                assert head.startswith(b"HTTP/1.1 " + status), head
                found.append(rest[:length])
            raw = rest[length:]
        else:
            part = own.recv(1 << 16)
            assert part, raw
            raw += part
    assert raw == b""
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running_server(online_memory_mb=MEMORY_MB) as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[MLClient]:
    client = MLClient(home=server.home, show_progress=False)
    yield client
    client.connection.close()


def serve(server: Server, client: MLClient, folder: Path, endpoint: str, **more: Any) -> Served:
    create_endpoint(client, endpoint)
    made = make_deployment(folder, script=SCRIPT, **{"endpoint_name": endpoint, **more})
    client.online_deployments.begin_create_or_update(made).result()
    found = client.online_endpoints.get(endpoint)
    found.traffic = {"blue": 100}
    client.online_endpoints.begin_create_or_update(found).result()
    return Served(
        server, client, str(client.online_endpoints.get(endpoint).scoring_uri),
        str(client.online_endpoints.get_keys(endpoint).primary_key),
    )  # fmt: skip


@pytest.fixture(scope="module")
def served(server: Server, client: MLClient, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """One process, one request at a time, which may take some seconds."""
    limits = {"request_timeout_ms": 8000, "max_queue_wait_ms": 30_000}
    return serve(server, client, tmp_path_factory.mktemp("served"), "served", request_settings=limits)


@pytest.fixture(scope="module")
def other(server: Server, client: MLClient, tmp_path_factory: pytest.TempPathFactory) -> Served:
    limits = {"request_timeout_ms": 30_000, "max_queue_wait_ms": 30_000}
    return serve(server, client, tmp_path_factory.mktemp("other"), "other", request_settings=limits)


@pytest.fixture
def neighbour(other: Served) -> Iterator[Asker]:
    """Asks another endpoint all the while; each of its requests must be answered."""
    with Asker(other.server, other.uri, other.key, threads=1) as asker:
        yield asker
        seen = len(asker.answers)
        eventually(lambda: len(asker.answers) > seen + 2, "answers of the other endpoint")
    assert [one for one in asker.answers if getattr(one, "status", 0) != 200] == []


@pytest.mark.parametrize(
    ("seconds", "words"),
    [("no number", "ValueError: could not convert"), ("3600", "did not become ready within 3 s")],
    ids=["raises", "hangs"],
)
def test_a_script_that_does_not_begin(
    client: MLClient, neighbour: Asker, tmp_path: Path, seconds: str, words: str
) -> None:
    """Its deployment fails with the reason."""
    create_endpoint(client, "beginning")
    made = make_deployment(
        tmp_path, script=SCRIPT, endpoint_name="beginning", environment_variables={"INIT_SECONDS": seconds},
        readiness_probe={"initial_delay": 1, "period": 1, "failure_threshold": 2 if seconds == "3600" else 30},
    )  # fmt: skip
    with pytest.raises(DeploymentException, match=words):
        client.online_deployments.begin_create_or_update(made).result()
    client.online_endpoints.begin_delete("beginning").wait()


def test_a_script_that_hangs(served: Served, neighbour: Asker) -> None:
    """Who asked is told so in time; whoever waits behind is answered by the process, or by the next one."""
    hung = served.ask({"sleep": 3600})
    assert (hung.status, hung.body["error"]["code"]) == (408, "RequestTimeout")
    assert "did not answer within 8 s" in hung.body["error"]["message"]
    eventually(lambda: served.ask({}).status == 200, "an answer after the one that hung", 3 * LONGEST)


def test_a_script_that_eats_memory(served: Served, neighbour: Asker) -> None:
    """It may have so much and no more; the process goes on."""
    pid = served.ask({"mb": 100}).body["pid"]
    failed = served.ask({"mb": 4 * MEMORY_MB})
    assert (failed.status, failed.headers["ms-azureml-model-error-statuscode"]) == (424, "500")
    assert served.ask({}).body["pid"] == pid
    assert "MemoryError" in served.client.online_deployments.get_logs("blue", "served", 200)


@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_request_of_100_megabytes(served: Served, neighbour: Asker, is_chunked: bool) -> None:
    """It is refused in a sentence; one that the limit permits passes."""
    if not is_chunked:
        refused = served.ask(raw=b"x" * 100_000_000)
        assert (refused.status, refused.body["error"]["code"]) == (413, "BodyTooLarge")
        assert "raise 'max-body-mb'" in refused.body["error"]["message"]
        padded = b" " * 20_000_000 + b"{}"
        assert served.ask(raw=padded).body["received"] == len(padded)
        return
    with served.connect() as own:
        own.sendall(served.make_head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked"))
        block = b"f4240\r\n" + b"x" * 1_000_000 + b"\r\n"
        for _ in range(100):
            own.sendall(block)
        own.sendall(b"0\r\n\r\n")
        assert own.recv(1000).startswith(b"HTTP/1.1 413 ")


def test_clients_that_are_slow(served: Served, neighbour: Asker) -> None:
    """Heads and bodies that do not end, and answers that nobody takes, keep no process from others."""
    whole = served.make_head(2) + b"{}"
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(served.connect()) for _ in range(68)]
        for own in slow[:30]:
            own.sendall(whole[:60])
        for own in slow[30:60]:
            own.sendall(whole[:-1])
        length = 4_000_000
        asked = json.dumps({"length": length}).encode()
        for own in slow[60:]:
            own.sendall(served.make_head(len(asked)) + asked)
        assert [served.ask({}).status for _ in range(10)] == [200] * 10
        for own in slow[30:60]:
            own.sendall(b"}")
        assert all(own.recv(100).startswith(b"HTTP/1.1 200 ") for own in slow[30:60])
        for own in slow[60:]:
            (answer,) = read_answers(own, 1)
            assert len(answer["answer"]) == length
        assert slow[0].recv(100) == b""  # a head has 20 seconds


async def test_500_clients_at_once(served: Served, neighbour: Asker) -> None:
    """Each is answered in its turn, or told that too many wait."""
    raw = served.make_head(2, "Connection: close") + b"{}"

    async def ask_once() -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", served.server.port)
        writer.write(raw)
        line = await reader.readline()
        await reader.read()
        writer.close()
        return line[9:12]

    statuses = await asyncio.gather(*(ask_once() for _ in range(500)))
    assert {*statuses} <= {b"200", b"429"}
    assert statuses.count(b"200") > 100
    assert served.ask({}).status == 200


def test_requests_of_every_form(served: Served, neighbour: Asker) -> None:
    """In one piece or many, several at once, with odd heads between plain ones: answered in their order."""
    plain = served.make_head(2) + b"{}"
    first = served.ask({}).body["pid"]

    with served.connect() as own:
        for index in range(0, len(plain), 40):
            own.sendall(plain[index : index + 40])
        assert read_answers(own, 1)[0]["pid"] == first
        own.sendall(plain[:-2])
        own.sendall(b"{")
        own.sendall(b"}")
        assert read_answers(own, 1)[0]["received"] == 2
        chunked = (
            served.make_head(0).replace(b"Content-Length: 0", b"Transfer-Encoding: chunked") + b"4\r\n{ } \r\n0\r\n\r\n"
        )
        expecting = served.make_head(3, "Expect: 100-continue") + b"{ }"
        long = b'{"length": 3000000}'
        own.sendall(plain + chunked + plain + expecting + served.make_head(len(long)) + long + plain * 2)
        answers = read_answers(own, 7)
        assert [one["received"] for one in answers] == [2, 4, 2, 3, len(long), 2, 2]
        assert len(answers[4]["answer"]) == 3_000_000
        own.sendall(plain.replace(served.key.encode(), b"wrong"))
        assert read_answers(own, 1, b"401")[0]["error"]["code"] == "Unauthorized"
        own.sendall(plain)
        assert read_answers(own, 1)[0]["pid"] == first
        own.sendall(plain.replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert own.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
    with served.connect() as own:
        own.sendall(plain.replace(b"Content-Length: 2", b"Content-Length: 2\r\nContent-Length: 3"))
        assert own.recv(1 << 16).startswith(b"HTTP/1.1 400 ")


def test_answers_that_nobody_takes(served: Served, neighbour: Asker) -> None:
    """A client that sends on and reads nothing is asked for no further than its answers find room; none is lost."""
    count, asked = 40, json.dumps({"length": 1_000_000}).encode()
    counted = served.ask({"length": 0}).body["number"]
    own = socket.socket()
    own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    with own:
        own.settimeout(LONGEST)
        own.connect(("127.0.0.1", served.server.port))
        own.sendall((served.make_head(len(asked)) + asked) * count)
        others = [served.ask({}).body["number"] for _ in range(3 * count)]  # each waits behind one of the client's
        assert others[-1] - counted - len(others) < count // 2
        assert [len(one["answer"]) for one in read_answers(own, count)] == [1_000_000] * count


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        ("POST /online/", "POST /online%2F", b"200"),
        ("/score HTTP", "%2Fscore HTTP", b"200"),
        ("POST /online/", "POST /online%2F../online/", b"401"),
        ("/score HTTP", "/nothing HTTP", b"424"),
        ("/score HTTP", "%2Fnothing HTTP", b"424"),
        ("/score HTTP", "/../../nothing HTTP", b"424"),
        ("POST /online/", "POST http://127.0.0.1/online/", b"401"),
        ("Host: 127.0.0.1", "Host: example.com", b"403"),
        ("Content-Type", "Origin: http://example.com\r\nContent-Type", b"403"),
        ("Content-Type", "Authorization: Bearer x\r\nContent-Type", b"403"),
        ("Content-Type", "Host: 127.0.0.1\r\nContent-Type", b"400"),
        ("Content-Type", "Transfer-Encoding: chunked\r\nContent-Type", b"400"),
        ("Content-Type:", "Content-Type :", b"400"),
        ("Content-Type:", "X-Nul: \0\r\nContent-Type:", b"400"),
        ("Content-Length: 2", "Content-Length: 2\r\nContent-Length: 1", b"400"),
        ("Content-Length: 2", "Content-Length: +2", b"400"),
        ("Content-Length: 2", "Content-Length: 0x2", b"400"),
        ("Content-Length: 2", "Content-Length: 2, 2", b"200"),
        ("Content-Type", " folded\r\nContent-Type", b"401"),
    ],
)
def test_requests_that_two_readers_might_read_in_two_ways(
    served: Served, before: str, after: str, status: bytes
) -> None:
    """Each is refused, and the connection closed if its end is in doubt, or read as h11 reads it."""
    plain = served.make_head(2)
    odd = plain.replace(before.encode(), after.encode(), 1)
    assert odd != plain
    with served.connect() as own:
        own.sendall(odd + b"{}")
        if status == b"400":
            raw = b"".join(iter(lambda: own.recv(1 << 16), b""))  # to the end of the connection
            assert raw.startswith(b"HTTP/1.1 400 ")
            assert raw.count(b"HTTP/1.1 ") == 1
            return
        assert len(read_bodies(own, 1, status)) == 1
        own.sendall(plain + b"{}")
        assert read_answers(own, 1)[0]["received"] == 2
