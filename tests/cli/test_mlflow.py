"""MLflow from outside: the URI and the token that a stock client needs, and MLflow's own pages."""

from __future__ import annotations

import http.client
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from wsgiref.simple_server import make_server

import pytest

from smalt.cli.mlflow_pages import MlflowPages, _PagesHandler, _PagesServer
from tests.helpers import LONGEST, Server, eventually

from .conftest import Ran, smalt

_WORKSPACE = "workspaces/default"


@pytest.fixture
def reached(server: Server, home: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The token of a server that is reached by its URL."""
    token = server.home.read_token() or ""
    monkeypatch.setenv("SMALT_URL", f"http://127.0.0.1:{server.port}")
    monkeypatch.setenv("SMALT_TOKEN", token)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "MLFLOW_TRACKING_USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    return token


def test_the_uri_is_one_that_any_client_can_use(server: Server, reached: str, call: Callable[..., Ran]) -> None:
    """Plain http with the server's own port, the same as the workspace tells."""
    uri = call("mlflow", "uri").out.strip()
    assert uri.startswith(f"http://127.0.0.1:{server.port}/mlflow/v1.0/subscriptions/")
    assert uri.endswith(_WORKSPACE)
    shown = call("workspace", "show", "--query", "mlflow_tracking_uri", "-o", "tsv").out.strip()
    assert shown == uri
    with_token = urlsplit(call("mlflow", "uri", "--with-token").out.strip())
    assert (with_token.password, with_token.path) == (reached, urlsplit(uri).path)
    assert "give one of" in call("mlflow", "uri", "--with-token", "--env").err


def test_a_shell_is_ready_after_eval(
    server: Server, reached: str, call: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    """URI and token; and what else would go before them is set, too."""
    uri = call("mlflow", "uri").out.strip()
    assert _evaluated(call) == {
        "MLFLOW_TRACKING_URI": uri,
        "MLFLOW_TRACKING_TOKEN": reached,
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    }
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:1")
    monkeypatch.setenv("NO_PROXY", "a.example")
    (home / ".mlflow").mkdir(parents=True)
    (home / ".mlflow" / "credentials").touch()
    found = _evaluated(call)
    assert found["MLFLOW_TRACKING_PASSWORD"] == reached
    assert found["NO_PROXY"] == "a.example,127.0.0.1"
    port, path = urlsplit(uri).port, urlsplit(uri).path
    assert _status(port, f"{path}/version", {"Authorization": f"Bearer {reached}x"}) == 401


def test_pages_need_the_full_package(reached: str, call: Callable[..., Ran]) -> None:
    """One sentence with what to install, and how to name it."""
    ran = call("mlflow", "ui", "--python", "/nowhere/python", "--no-browser")
    assert ran.code != 0
    assert ran.err.count("\n") == 1
    assert "/nowhere/python does not have" in ran.err
    assert "pip install mlflow" in ran.err


def _evaluated(call: Callable[..., Ran]) -> dict[str, str]:
    lines = [shlex.split(line) for line in call("mlflow", "uri", "--env").out.splitlines()]
    assert all(words[0] == "export" for words in lines)
    return dict(words[1].split("=", 1) for words in lines)


@pytest.fixture
def pages(server: Server) -> Iterator[MlflowPages]:
    """The pages' server, in front of a real smalt server; MLflow's own part says where it was asked."""

    def own(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/plain")])
        return [b"mlflow's own " + environ["PATH_INFO"].encode()]

    made = MlflowPages(f"http://127.0.0.1:{server.port}", server.home.read_token() or "", own)
    with make_server("127.0.0.1", 0, made, _PagesServer, _PagesHandler) as http_server:
        made.port = http_server.server_port
        thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        http_server.shutdown()
        thread.join()


def test_pages_open_with_their_key_only(pages: MlflowPages) -> None:
    """The printed address gives a cookie; without it, from another page or by another name nothing is answered."""
    assert _status(pages.port, "/") == 403
    assert _status(pages.port, "/?key=wrong") == 403
    status, headers, _ = _ask(pages.port, f"/?key={pages.key}")
    assert (status, headers["location"]) == (303, "/")
    cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
    assert "HttpOnly; SameSite=Strict" in headers["set-cookie"]
    assert _ask(pages.port, "/", cookie)[2] == b"mlflow's own /"
    assert _status(pages.port, "/", {**cookie, "Host": f"evil.example:{pages.port}"}) == 403
    assert _status(pages.port, "/", {**cookie, "Origin": "http://evil.example"}) == 403


def test_pages_ask_smalt_for_all_that_it_answers(pages: MlflowPages) -> None:
    """With its token, that the browser never sees; of MLflow's own server a few routes answer, the others do not."""
    cookie = {"Cookie": f"smalt-pages-{pages.port}={pages.key}"}
    assert _ask(pages.port, "/graphql", cookie)[2] == b"mlflow's own /graphql"
    assert _status(pages.port, "/ajax-api/2.0/mlflow/../../smalt/v1/status", cookie) == 404
    assert _status(pages.port, "/api/2.0/mlflow/experiments/search", cookie) == 404
    assert _status(pages.port, "/gateway/x", cookie) == 404
    status, headers, body = _ask(pages.port, "/ajax-api/2.0/mlflow/experiments/search?max_results=1", cookie)
    assert (status, headers["content-type"]) == (404, "application/json"), body  # the server, without a workspace
    assert b"error" in body


def test_pages_of_mlflow_itself(server: Server, reached: str, home: Path) -> None:
    """`smalt mlflow ui` with a full mlflow: its first page, and no process is left once the command ends."""
    python = os.environ.get("SMALT_TEST_MLFLOW_FULL")
    if not python:
        pytest.skip("no full MLflow here; name a Python that has it in SMALT_TEST_MLFLOW_FULL")
    command = [sys.executable, "-m", "smalt", "mlflow", "ui", "--no-browser", "--python", python]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        page = urlsplit(process.stdout.readline().strip())
        status, headers, _ = _ask(page.port, f"/?{page.query}")
        assert status == 303
        cookie = {"Cookie": headers["set-cookie"].partition(";")[0]}
        assert b"<title>MLflow</title>" in _ask(page.port, "/", cookie)[2]
        found = _ask(page.port, "/ajax-api/3.0/mlflow/assistant/status", cookie)
        assert (found[0], b"ENDPOINT_NOT_FOUND" in found[2]) == (404, True)
    finally:
        process.terminate()
        process.communicate()
    eventually(lambda: not _answers(page.port), "the end of the pages")


def _answers(port: int | None) -> bool:
    try:
        return bool(_status(port, "/"))
    except OSError:
        return False


def test_other_commands_do_not_load_it() -> None:
    """The noun is imported when it is used."""
    done = smalt("version")
    assert done.code == 0
    code = "import sys, smalt.cli.app; print(any(name.startswith('smalt.cli.commands.mlflow') for name in sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "False\n"


def _ask(port: int | None, path: str, headers: dict[str, str] | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LONGEST)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def _status(port: int | None, path: str, headers: dict[str, str] | None = None) -> int:
    return _ask(port, path, headers)[0]
