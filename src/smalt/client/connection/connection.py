"""A connection to the server: over the home's Unix socket, or to the address in `SMALT_URL`."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from smalt.client.connection.errors import ServerUnreachable, from_response
from smalt.client.connection.http1 import Body, BodyParts, ConnectionLost, HttpConnection, HttpResponse
from smalt.exceptions import SmaltError, Unavailable
from smalt.wire.encoding.ids import build_url_path

if TYPE_CHECKING:
    from smalt.machine.home import Home

_CONNECT_SECONDS = 15.0
_STOPPING_SECONDS = 15.0
_LOST_SECONDS = 10.0
"""Seconds to wait for a server that went away during a call."""
_PATIENCE = 10.0
"""Seconds without an answer after which the server is asked whether it is there."""
_PROBE_SECONDS = 5.0
_BOOT_SECONDS = 120.0
_PAUSE = 0.02
_LONGEST_PAUSE = 0.5
_REPEATABLE = (
    "/snapshots", "/blobs", "/assets", "/resolve", "/fixed", "/validate", "/cancel", "/metrics", "/compare",
    "/listSecrets", "/listsecrets", "/listKeys", "/getLogs", "/uploads", "/uploads/content", "/uploads/finish",
    "/doctor",
)  # fmt: skip
"""Ends of the paths whose POST may be sent twice: they ask, or say again what is so."""
_REQUEST_ID = "repeatability_request-id"
"""The header by which the server knows a repeated POST."""
_answered: set[str] = set()
"""The names of the servers that were there for an earlier call of this process."""
_QUIET_SECONDS = 60.0  # a stream says something every 10 s


class ApiConnection:
    """Requests to one server over a kept-alive connection. Not thread-safe: give each thread its own."""

    def __init__(self, server: LocalServer | RemoteServer) -> None:
        self.server = server
        self.patience = _PATIENCE
        self.makes_workspaces = False
        """True if a named workspace that does not exist is created."""
        self.complete_commands: Callable[[str], str] | None = None
        """Gives a sentence of the server's with its commands as they work from here."""
        self._wire: HttpConnection | None = None
        self._process = os.getpid()

    @classmethod
    def open(cls, *, url: str | None = None, token: str | None = None, home: Home | None = None) -> ApiConnection:
        """Return a connection to `url`, else to `SMALT_URL`, else to the home's own server, started if needed."""
        url = url or (os.environ.get("SMALT_URL") if home is None else None)
        if url:
            return cls(RemoteServer(url, token or os.environ.get("SMALT_TOKEN", "")))
        from smalt.machine.home import Home

        return cls(LocalServer(home or Home.find()))

    @property
    def is_local(self) -> bool:
        """True if the server reads the same files as this process."""
        return isinstance(self.server, LocalServer)

    def get(self, path: str, /, **query: object) -> Any:
        return self.request("GET", path, query=query)

    def put(self, path: str, body: object) -> Any:
        return self.request("PUT", path, body)

    def post(self, path: str, body: object = None) -> Any:
        return self.request("POST", path, body)

    def patch(self, path: str, body: object) -> Any:
        return self.request("PATCH", path, body)

    def delete(self, path: str) -> Any:
        return self.request("DELETE", path)

    def list_items(self, path: str, /, **query: object) -> Iterator[dict[str, Any]]:
        """Yield the items of a list, page after page."""
        page = self.get(path, **query)
        while True:
            yield from page.get("value", ())
            following = page.get("nextLink")
            if not following:
                return
            parts = urlsplit(following)
            page = self.get(f"{parts.path.removeprefix(self.server.prefix)}?{parts.query}")

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        *,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        """Send a request and return the response's JSON, None for an empty body; raises the server's errors."""
        data = self._send_request(method, path, body, headers or {}, query or {})
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise Unavailable(f"what answers at {self.server.name} is not a smalt server") from None

    def exchange(self, path: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        """Post bytes, once, and return status and body as they come: the answer is not the server's own."""
        sent = self._build_headers(headers)
        wire = HttpConnection(self.server.connect(), self.server.host)
        try:
            target, waiting = _build_target(self.server.prefix, path, {}), (self.patience, self._make_wait_check())
            answer = wire.request("POST", target, sent, body, waiting)
            return answer.status, answer.read()
        except ConnectionLost as error:
            raise self.server.explain_failure(error) from None
        finally:
            wire.close()

    def stream(self, path: str, *, query: Mapping[str, object] | None = None) -> HttpResponse:
        """Return a response to be read as it arrives, over a connection of its own; the caller closes it."""
        wire = HttpConnection(self.server.connect(), self.server.host)
        try:
            wire.set_timeout(_QUIET_SECONDS)
            target, waiting = (
                _build_target(self.server.prefix, path, query or {}),
                (self.patience, self._make_wait_check()),
            )
            answer = wire.request("GET", target, self._build_headers({}), None, waiting)
            return _raise_for_status(answer, f"GET {path}", self.complete_commands)
        except SmaltError:
            wire.close()
            raise

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _send_request(
        self, method: str, path: str, body: object, headers: Mapping[str, str], query: Mapping[str, object]
    ) -> bytes:
        target = _build_target(self.server.prefix, path, query)
        data, kind = _encode_body(body)
        sent = self._build_headers({**kind, **headers})
        may_repeat = data is None or isinstance(data, (bytes, BodyParts))
        if not may_repeat:
            self.close()  # what cannot be sent twice goes over a fresh connection
        is_repeatable = path.partition("?")[0].endswith(_REPEATABLE) or _REQUEST_ID in headers
        tries = _RetryPolicy(may_repeat, method != "POST" or is_repeatable, self.server.name)
        while True:
            try:
                wire = self._get_wire()
                answer = wire.request(method, target, sent, data, (self.patience, self._make_wait_check()))
                found = answer.read()
                _answered.add(self.server.name)
            except Unavailable as error:
                self.close()
                if not tries.should_retry(error):
                    raise self.server.explain_failure(error) if isinstance(error, ConnectionLost) else error from None
                continue
            if answer.status == 503 and tries.wait_for_successor():
                self.close()  # it is ending; the next one will do it
                continue
            if answer.status >= 400:
                raise from_response(answer.status, found, f"{method} {path}", self.complete_commands)
            _print_server_notice(answer)
            return found

    def _make_wait_check(self) -> Callable[[], None]:
        """Return a function to call while no response comes; it raises if the server does not respond at all."""
        began = time.monotonic()
        return lambda: self.server.check_responds(time.monotonic() - began)

    def _get_wire(self) -> HttpConnection:
        if self._wire is None or not self._wire.reusable or self._process != os.getpid():
            self.close()  # a forked process must not use its parent's
            self._process = os.getpid()
            self._wire = HttpConnection(self.server.connect(), self.server.host)
        return self._wire

    def _build_headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        from smalt._version import __version__

        known = {"Accept": "application/json", "User-Agent": f"smalt/{__version__}"}
        if self.makes_workspaces:
            known["X-Smalt-Makes-Workspaces"] = "1"
        if self.server.token:
            known["Authorization"] = f"Bearer {self.server.token}"
        return {**known, **headers}


def _print_server_notice(answer: HttpResponse) -> None:
    """Print the notice that the server sent with its response, if any."""
    text = answer.headers.get("x-smalt-note")
    if text:
        from smalt.client.connection.notices import print_notice

        print_notice(text)


class _RetryPolicy:
    """The decision to send a request again after its server ended or its connection was lost.

    A lost kept-alive connection is replaced once. An idempotent request is repeated for `_LOST_SECONDS`, as the server
    may have died during it; any other request only if nothing was sent. A stopping server is awaited for
    `_STOPPING_SECONDS`.
    """

    def __init__(self, may_repeat: bool, is_idempotent: bool, server: str) -> None:
        self._may_repeat = may_repeat
        self._is_idempotent = is_idempotent
        self._server = server
        self._began = time.monotonic()
        self._lost: float | None = None
        self._may_be_done = False
        self._pause = _PAUSE

    def should_retry(self, error: Unavailable) -> bool:
        if (
            isinstance(error, ServerNotResponding)
            or not self._may_repeat
            or not (self._lost or self._was_reachable(error))
        ):
            return False
        is_first, self._lost = self._lost is None, self._lost or time.monotonic()
        self._may_be_done = self._may_be_done or isinstance(error, ConnectionLost)
        if is_first and isinstance(error, ConnectionLost) and not error.started:
            return True
        if (self._may_be_done and not self._is_idempotent) or time.monotonic() - self._lost > _LOST_SECONDS:
            return False
        self._pause_before_retry()
        return True

    def _was_reachable(self, error: Unavailable) -> bool:
        """Return True if the server broke off, or cannot be reached although it answered an earlier call."""
        return isinstance(error, ConnectionLost) or (isinstance(error, ServerUnreachable) and self._server in _answered)

    def wait_for_successor(self) -> bool:
        """Wait a moment and return True if the next server should be asked."""
        if not self._may_repeat or time.monotonic() - self._began > _STOPPING_SECONDS:
            return False
        time.sleep(_PAUSE)
        return True

    def _pause_before_retry(self) -> None:
        time.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class ServerNotResponding(Unavailable):
    """The server exists and does not respond."""


class LocalServer:
    """The server of a home, started if none runs; its socket is in a private folder and needs no token."""

    host = "localhost"
    prefix = ""
    token = ""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.name = str(home.root)

    def to_client_url(self, url: str) -> str:
        return url

    def connect(self) -> socket.socket:
        from smalt.client.connection.autostart import connect_to_server

        return connect_to_server(self.home)

    def explain_failure(self, error: ConnectionLost) -> SmaltError:
        """Return the reason why the server did not start, if that is why it broke off; else the error.

        A server listens before it knows that it can serve.
        """
        from smalt.client.connection.autostart import find_start_failure

        said = find_start_failure(self.home)
        return Unavailable(f"the smalt server did not start: {said}") if said else error

    def check_responds(self, waited: float) -> None:
        """Raise ServerNotResponding unless the server responds or is still starting."""
        from smalt.client.connection.autostart import find_server_process

        process = find_server_process(self.home)
        if process is None and waited < _BOOT_SECONDS:
            return
        if process is not None and process.is_stopped:
            raise ServerNotResponding(
                f"the smalt server (process {process.pid}) is suspended, so it does not respond; to resume it: "
                f"kill -CONT {process.pid}"
            )
        with _make_probe(socket.AF_UNIX) as probe:
            if not _is_responding(probe, str(self.home.socket_path("server")), self.host, ""):
                who = f" (process {process.pid})" if process else ""
                raise ServerNotResponding(
                    f"the smalt server{who} of {self.name} does not respond; to stop it: smalt server stop --force"
                )


class RemoteServer:
    """A server on another machine; it is never started from here, and local files must be uploaded to it."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unavailable(f"SMALT_URL is '{url}', which is not an http or https URL")
        try:
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise Unavailable(f"SMALT_URL is '{url}', whose port is not a port number") from None
        self.host = parts.netloc.rpartition("@")[2]
        self.prefix = parts.path.rstrip("/")
        self.name = url
        self._host_name = parts.hostname
        self._secure = parts.scheme == "https"
        self.token = token

    def connect(self) -> socket.socket:
        try:
            sock = socket.create_connection((self._host_name, self._port), _CONNECT_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._secure:
                import ssl

                sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self._host_name)
            sock.settimeout(None)
            return sock
        except OSError as error:
            raise ServerUnreachable(
                f"cannot reach the smalt server at {self.name} (from SMALT_URL): {error.strerror or error}"
            ) from None

    def to_client_url(self, url: str) -> str:
        """Return a URL of the server as seen from here: a proxy may serve it under another scheme, host and path."""
        parts = urlsplit(url)
        path = parts.path if parts.path.startswith(f"{self.prefix}/") else self.prefix + parts.path
        return parts._replace(scheme="https" if self._secure else "http", netloc=self.host, path=path).geturl()

    def explain_failure(self, error: ConnectionLost) -> SmaltError:
        return error

    def check_responds(self, waited: float) -> None:
        """Raise ServerNotResponding unless the server responds."""
        if self._secure:
            return  # a proxy is before it, which has its own limit
        try:
            with socket.create_connection((self._host_name, self._port), _PROBE_SECONDS) as probe:
                is_there = _is_responding(probe, None, self.host, self.prefix)
        except OSError:
            is_there = False
        if not is_there:
            raise ServerNotResponding(f"the smalt server at {self.name} (from SMALT_URL) does not answer")


def _make_probe(family: int) -> socket.socket:
    made = socket.socket(family)
    made.settimeout(_PROBE_SECONDS)
    return made


def _is_responding(probe: socket.socket, address: str | None, host: str, prefix: str) -> bool:
    try:
        if address is not None:
            probe.connect(address)
        ask = f"GET {prefix}/smalt/v1/status HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        probe.sendall(ask.encode())
        return bool(probe.recv(1))
    except BlockingIOError:
        return True  # many others wait, too
    except OSError:
        return False


def _build_target(prefix: str, path: str, query: Mapping[str, object]) -> str:
    if "?" not in path:
        path = build_url_path(path)
    given = {key.replace("__", "$"): _format_query_value(value) for key, value in query.items() if value is not None}
    if not given:
        return prefix + path
    return f"{prefix}{path}{'&' if '?' in path else '?'}{urlencode(given)}"


def _format_query_value(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encode_body(body: object) -> tuple[Body, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, (dict, list)) and not isinstance(body, BodyParts):
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return text.encode(), {"Content-Type": "application/json"}
    if isinstance(body, (bytes, Iterable)):
        return body, {"Content-Type": "application/octet-stream"}
    raise TypeError(f"cannot send a {type(body).__name__}")


def _raise_for_status(answer: HttpResponse, what: str, completed: Callable[[str], str] | None) -> HttpResponse:
    if answer.status >= 400:
        raise from_response(answer.status, answer.read(), what, completed)
    return answer
