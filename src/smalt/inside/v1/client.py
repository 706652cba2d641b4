"""Calls to MLflow's REST API, over one connection that stays open."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import threading
import time
from urllib.parse import quote, urlencode, urlsplit

from .errors import AzureMLException

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO, TypeVar

    T = TypeVar("T")

TIMEOUT = 120.0
"""Seconds without a byte until a call counts as broken."""

PATIENCE = 90.0
"""Seconds of trying until the server counts as gone; a restart of it takes a few."""

_TRY_AGAIN = (408, 429, 500, 502, 503, 504)
_BROKEN = (OSError, http.client.HTTPException)
_API, _ARTIFACTS = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts"


class Unreachable(AzureMLException):
    """Nobody answers, or only with errors that pass."""


class Refused(AzureMLException):
    """The server's answer is no, and will be."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class Client:
    """Safe to share between threads, and after a fork."""

    def __init__(self, uri: str, token: str) -> None:
        self.uri = uri
        parts = urlsplit(uri)
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._prefix = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        self._headers = {"Authorization": "Bearer " + token} if token else {}
        self._connections = threading.local()
        self._pid = os.getpid()

    def get(self, route: str, **query: Any) -> dict[str, Any]:
        asked = urlencode([(key, value) for key, value in query.items() if value is not None])
        return self._json("GET", _API + route + "?" + asked, None)

    def post(self, route: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        return self._json(method, _API + route, body)

    def files(self, folder: str) -> list[dict[str, Any]]:
        """What lies in a folder of the artifact store: `path` (the name), `is_dir`, `file_size`."""
        answer = self._json("GET", _ARTIFACTS + "?" + urlencode({"path": folder}), None)
        listed: list[dict[str, Any]] = answer.get("files", [])
        return listed

    def put_file(self, path: str, file: BinaryIO) -> None:
        """Store what a stream has, which can seek."""
        size = file.seek(0, os.SEEK_END)
        headers = {**self._headers, "Content-Type": "application/octet-stream", "Content-Length": str(size)}

        def send(connection: http.client.HTTPConnection) -> bytes:
            file.seek(0)
            connection.request("PUT", self._artifact(path), body=file, headers=headers)
            return _body(connection.getresponse())

        self._call(send)

    def get_file(self, path: str, file: BinaryIO) -> None:
        def receive(connection: http.client.HTTPConnection) -> None:
            connection.request("GET", self._artifact(path), headers=self._headers)
            response = connection.getresponse()
            if response.status >= 300:
                _body(response)
            file.seek(0)
            file.truncate()
            shutil.copyfileobj(response, file, 1 << 20)

        self._call(receive)

    def read_file(self, path: str) -> bytes:
        def receive(connection: http.client.HTTPConnection) -> bytes:
            connection.request("GET", self._artifact(path), headers=self._headers)
            return _body(connection.getresponse())

        return self._call(receive)

    def _artifact(self, path: str) -> str:
        return self._prefix + _ARTIFACTS + "/" + quote(path)

    def _json(self, method: str, target: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"} if data else self._headers

        def exchange(connection: http.client.HTTPConnection) -> dict[str, Any]:
            connection.request(method, self._prefix + target, body=data, headers=headers)
            found: dict[str, Any] = json.loads(_body(connection.getresponse()) or b"{}")
            return found

        return self._call(exchange)

    def _call(self, exchange: Callable[[http.client.HTTPConnection], T]) -> T:
        """Again, for a while, where the server is away; a kept connection may have been closed meanwhile."""
        deadline, pause = time.monotonic() + PATIENCE, 0.0
        while True:
            connection = self._connection()
            try:
                return exchange(connection)
            except (Unreachable, *_BROKEN) as problem:
                connection.close()
                if time.monotonic() + pause > deadline:
                    raise Unreachable(f"the tracking server at {self.uri} does not answer: {problem}") from problem
                time.sleep(pause)
                pause = min(max(0.05, pause * 2), 5.0)
            except BaseException:
                connection.close()  # whatever is left of the answer must not be read as the next one
                raise

    def _connection(self) -> http.client.HTTPConnection:
        if self._pid != os.getpid():  # forked: the connections are the parent's
            self._connections, self._pid = threading.local(), os.getpid()
        made: http.client.HTTPConnection | None = getattr(self._connections, "made", None)
        if made is None:
            made = self._connections.made = self._kind(self._host, timeout=TIMEOUT)
        return made


def _body(response: http.client.HTTPResponse) -> bytes:
    data = response.read()
    if response.status < 300:
        return data
    code, sentence = "", f"HTTP {response.status} {response.reason}"
    try:
        answer = json.loads(data)
        code, sentence = str(answer.get("error_code", "")), str(answer.get("message") or sentence)
    except (ValueError, AttributeError):
        pass
    if response.status in _TRY_AGAIN:
        raise Unreachable(sentence)
    raise Refused(response.status, code, sentence)
