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

TIMEOUT = 600.0
"""Seconds without a byte until a call counts as broken: the first one waits until MLflow is installed."""

PATIENCE = 90.0
"""Seconds of trying until the server counts as gone; a restart of it takes a few."""

_TRY_AGAIN = (408, 429, 500, 502, 503, 504)
_BROKEN = (OSError, http.client.HTTPException)
_API, _ARTIFACTS = "/api/2.0/mlflow/", "/api/2.0/mlflow-artifacts/artifacts"


class TrackingUnreachable(AzureMLException):
    """Nobody answers, or only with errors that pass."""


class RequestRefused(AzureMLException):
    """The server's answer is no, and will be."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code = status, code


class RunClient:
    """Safe to share between threads, and after a fork."""

    def __init__(self, uri: str, token: str) -> None:
        self.uri = uri
        parts = urlsplit(uri)
        self._kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._host, self._prefix = parts.netloc.rpartition("@")[2], parts.path.rstrip("/")
        self._headers = {"Authorization": "Bearer " + token} if token else {}
        self._connections = threading.local()
        self._pid = os.getpid()

    def get_json(self, route: str, **query: Any) -> dict[str, Any]:
        asked = urlencode([(key, value) for key, value in query.items() if value is not None])
        return self._exchange_json("GET", _API + route + "?" + asked, None)

    def send_json(self, route: str, body: dict[str, Any], method: str = "POST") -> dict[str, Any]:
        return self._exchange_json(method, _API + route, body)

    def list_files(self, folder: str) -> list[dict[str, Any]]:
        """List a folder of the artifact store, each entry with `path` (its name), `is_dir` and `file_size`."""
        answer = self._exchange_json("GET", _ARTIFACTS + "?" + urlencode({"path": folder}), None)
        listed: list[dict[str, Any]] = answer.get("files", [])
        return listed

    def put_file(self, path: str, file: BinaryIO) -> None:
        """Store what a stream has, which can seek."""
        size = file.seek(0, os.SEEK_END)
        headers = {**self._headers, "Content-Type": "application/octet-stream", "Content-Length": str(size)}

        def send(connection: http.client.HTTPConnection) -> bytes:
            file.seek(0)
            connection.request("PUT", self._get_artifact_target(path), body=file, headers=headers)
            return _read_body(connection.getresponse())

        self._call_with_retries(send)

    def get_file(self, path: str, file: BinaryIO) -> None:
        def receive(connection: http.client.HTTPConnection) -> None:
            connection.request("GET", self._get_artifact_target(path), headers=self._headers)
            response = connection.getresponse()
            if response.status >= 300:
                _read_body(response)
            file.seek(0)
            file.truncate()
            shutil.copyfileobj(response, file, 1 << 20)

        self._call_with_retries(receive)

    def read_file(self, path: str) -> bytes:
        def receive(connection: http.client.HTTPConnection) -> bytes:
            connection.request("GET", self._get_artifact_target(path), headers=self._headers)
            return _read_body(connection.getresponse())

        return self._call_with_retries(receive)

    def _get_artifact_target(self, path: str) -> str:
        return self._prefix + _ARTIFACTS + "/" + quote(path)

    def _exchange_json(self, method: str, target: str, body: dict[str, Any] | None) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        headers = {**self._headers, "Content-Type": "application/json"} if data else self._headers

        def exchange(connection: http.client.HTTPConnection) -> dict[str, Any]:
            connection.request(method, self._prefix + target, body=data, headers=headers)
            found: dict[str, Any] = json.loads(_read_body(connection.getresponse()) or b"{}")
            return found

        return self._call_with_retries(exchange)

    def _call_with_retries(self, exchange: Callable[[http.client.HTTPConnection], T]) -> T:
        """Again, for a while, where the server is away; a kept connection may have been closed meanwhile."""
        deadline, pause = time.monotonic() + PATIENCE, 0.0
        while True:
            connection = self._get_connection()
            try:
                return exchange(connection)
            except (TrackingUnreachable, *_BROKEN) as problem:
                connection.close()
                if time.monotonic() + pause > deadline:
                    raise TrackingUnreachable(
                        f"the tracking server at {self.uri} does not answer: {problem}"
                    ) from problem
                time.sleep(pause)
                pause = min(max(0.05, pause * 2), 5.0)
            except BaseException:
                connection.close()  # whatever is left of the answer must not be read as the next one
                raise

    def _get_connection(self) -> http.client.HTTPConnection:
        if self._pid != os.getpid():  # forked: the connections are the parent's
            self._connections, self._pid = threading.local(), os.getpid()
        made: http.client.HTTPConnection | None = getattr(self._connections, "made", None)
        if made is None:
            made = self._connections.made = self._kind(self._host, timeout=TIMEOUT)
        return made


def _read_body(response: http.client.HTTPResponse) -> bytes:
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
        raise TrackingUnreachable(sentence)
    raise RequestRefused(response.status, code, sentence)
