"""Requests reach the server, errors come back as exceptions, and a lost connection is opened again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smalt.client.connection.autostart import find_start_failure, start_server
from smalt.client.connection.connection import ApiConnection
from smalt.exceptions import (
    Conflict,
    NotFound,
    RefusedError,
    SmaltError,
    Unauthorized,
    Unavailable,
    ValidationException,
)
from smalt.machine.home import Home
from tests.client.tiny import Reply, Tiny, answer
from tests.helpers import eventually

Serve = Callable[..., tuple[ApiConnection, Tiny]]


@pytest.fixture
def serve(home: Home) -> Iterator[Serve]:
    """A connection to a home whose server gives these replies."""
    made: list[tuple[ApiConnection, Tiny]] = []

    def start(*replies: Reply) -> tuple[ApiConnection, Tiny]:
        home.create()
        home.make_socket_folder()
        tiny = Tiny(home.socket_path("server"), list(replies))
        made.append((ApiConnection.open(home=home), tiny))
        return made[-1]

    yield start
    for connection, tiny in made:
        connection.close()
        tiny.close()
        home.socket_path("server").unlink()


def test_json_goes_and_comes(serve: Serve) -> None:
    """Bodies are JSON, queries are escaped, the connection is kept."""
    connection, tiny = serve(answer(b'{"a": 1}'), answer(b"[2]"))
    assert connection.put("/x y", {"b": "ü"}) == {"a": 1}
    assert connection.get("/z", list_of="a&b", flag=True, none=None) == [2]
    assert tiny.requests[0].startswith(b"PUT /x%20y HTTP/1.1\r\nHost: localhost\r\n")
    assert tiny.requests[0].endswith('{"b":"ü"}'.encode())
    assert tiny.requests[1].startswith(b"GET /z?list_of=a%26b&flag=true HTTP/1.1\r\n")
    assert tiny.connections == 1


def test_an_empty_answer_is_none(serve: Serve) -> None:
    """As that to a DELETE."""
    connection, _ = serve(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert connection.delete("/x") is None


def test_pages_are_followed(serve: Serve) -> None:
    """To the end of a list, wherever the server says that it goes on."""
    first = {"value": [{"n": 1}], "nextLink": "http://127.0.0.1:1/list?$skip=1"}
    connection, tiny = serve(answer(json.dumps(first).encode()), answer(b'{"value": [{"n": 2}]}'))
    assert [item["n"] for item in connection.list_items("/list", listViewType="All")] == [1, 2]
    assert tiny.requests[1].startswith(b"GET /list?$skip=1 ")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        ("400 Bad Request", "ValidationError", ValidationException),
        ("401 Unauthorized", "Unauthorized", Unauthorized),
        ("403 Forbidden", "Refused", RefusedError),
        ("404 Not Found", "NotFound", NotFound),
        ("409 Conflict", "Conflict", Conflict),
        ("507 Insufficient Storage", "Unavailable", Unavailable),
        ("404 Not Found", "SomethingNew", NotFound),
        ("400 Bad Request", "UserError", RefusedError),
        ("500 Internal Server Error", "InternalError", SmaltError),
    ],
)
def test_errors_come_back_as_they_were_raised(serve: Serve, status: str, code: str, kind: type[SmaltError]) -> None:
    """By their code, else by their status; the sentence is the server's."""
    body = {"error": {"code": code, "message": "the sentence", "details": [{"message": "the sentence"}]}}
    connection, _ = serve(answer(json.dumps(body).encode(), status))
    with pytest.raises(kind, match=r"^the sentence$") as caught:
        connection.get("/x")
    assert type(caught.value) is kind


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "text"}', b'{"error": {"message": 5}}'])
def test_an_error_without_a_reason_names_the_request(serve: Serve, body: bytes) -> None:
    """A proxy's page, say."""
    connection, _ = serve(answer(body, "502 Bad Gateway"))
    with pytest.raises(SmaltError, match="502 to GET /x"):
        connection.get("/x")


def test_all_problems_come_back(serve: Serve) -> None:
    """Each as a problem of its own, with the place that the server names."""
    details = [{"message": "one", "target": "a.yml"}, {"message": "two"}]
    body = {"error": {"code": "ValidationError", "message": "one\ntwo", "details": details}}
    connection, _ = serve(answer(json.dumps(body).encode(), "400 Bad Request"))
    with pytest.raises(ValidationException) as caught:
        connection.get("/x")
    assert [str(problem) for problem in caught.value.problems] == ["a.yml: one", "two"]


def test_a_connection_that_was_closed_meanwhile_is_opened_again(serve: Serve) -> None:
    """The server closes idle ones; nobody notices."""
    connection, tiny = serve(answer(b"1"), b"", answer(b"2"))
    assert connection.get("/x") == 1
    assert connection.get("/x") == 2
    assert tiny.connections == 2


def test_a_server_that_closes_twice_is_told(serve: Serve) -> None:
    """One repetition, not many, of what may have been carried out."""
    connection, tiny = serve(b"", b"", answer(b"never"))
    with pytest.raises(Unavailable, match="lost the smalt server"):
        connection.post("/x")
    assert len(tiny.requests) == 2


def test_a_failure_of_another_homes_server_is_not_told(serve: Serve, tmp_path: Path) -> None:
    """What this process started for another home, and failed, is no reason."""
    other = Home(tmp_path / "other")
    other.create()
    other.path("smalt.db").write_text("no database")
    with contextlib.suppress(Unavailable):
        start_server(other).close()
    eventually(lambda: find_start_failure(other), "its failure")
    connection, _ = serve(b"", b"")
    with pytest.raises(Unavailable, match="lost the smalt server"):
        connection.post("/x")


def test_an_answer_that_breaks_off_is_not_asked_for_again(serve: Serve) -> None:
    """The request may have been carried out."""
    connection, tiny = serve(lambda sock: sock.sendall(b"HTTP/1.1 200 OK\r\nCont"))
    with pytest.raises(Unavailable, match="lost the smalt server"):
        connection.post("/x", {})
    assert len(tiny.requests) == 1


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/x"), ("PUT", "/x"), ("PATCH", "/x"), ("DELETE", "/x"), ("POST", "/x/snapshots")]
)
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nCont", answer(b"12345")[:-2]], ids=["no", "head", "body"])
def test_what_may_be_said_twice_is_said_until_it_is_answered(serve: Serve, method: str, path: str, said: bytes) -> None:
    """A server that dies under a call, before its answer or in the middle of it, several times over."""
    dies = [lambda sock: sock.sendall(said)] * 3
    connection, tiny = serve(*dies, answer(b"1"))
    assert connection.request(method, path, {"a": 1}) == 1
    assert len(set(tiny.requests)) == 1
    assert len(tiny.requests) == 4


def test_a_server_that_is_ending_is_asked_again(serve: Serve) -> None:
    """It says 503; the same request to the next one is safe."""
    stopping = {"error": {"code": "ServerStopping", "message": "this server is ending"}}
    connection, tiny = serve(answer(json.dumps(stopping).encode(), "503 Service Unavailable"), answer(b"1"))
    assert connection.get("/x") == 1
    assert tiny.connections == 2


def test_another_server_is_told_from_ours(serve: Serve) -> None:
    """One that answers pages, say."""
    connection, _ = serve(answer(b"<html>hello</html>"))
    with pytest.raises(Unavailable, match="is not a smalt server"):
        connection.get("/x")


def test_a_forked_process_has_a_connection_of_its_own(serve: Serve) -> None:
    """Two that share one would read each other's answers."""
    connection, tiny = serve(answer(b"1"), answer(b"2"))
    assert connection.get("/x") == 1
    connection._process = -1  # as if this were a child
    assert connection.get("/x") == 2
    assert tiny.connections == 2


def test_a_stream_has_a_connection_of_its_own(serve: Serve) -> None:
    """So that other requests can be made while it is read."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na\n\r\n0\r\n\r\n"
    connection, tiny = serve(answer(b"1"), chunked)
    assert connection.get("/x") == 1
    connection.close()
    answered = connection.stream("/s", query={"follow": True})
    assert list(answered.read_lines()) == [b"a"]
    answered.close()
    assert tiny.requests[1].startswith(b"GET /s?follow=true ")


@pytest.mark.parametrize("url", ["ftp://host", "http://", "http://host:port"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    """Naming the variable that it comes from."""
    with pytest.raises(Unavailable, match="SMALT_URL"):
        ApiConnection.open(url=url).get("/smalt/v1/status")


def test_a_server_that_cannot_be_reached_is_named() -> None:
    """With its URL, and no traceback."""
    with pytest.raises(Unavailable, match=r"cannot reach the smalt server at http://127\.0\.0\.1:1 "):
        ApiConnection.open(url="http://127.0.0.1:1").get("/smalt/v1/status")
