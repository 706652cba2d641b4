"""One connection to the server: over the home's Unix socket, or to where `SMALT_URL` points."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from smalt.client.connection.errors import Unreachable, from_answer
from smalt.client.connection.http1 import Answer, Body, Broken, Parts, Wire
from smalt.exceptions import SmaltError, Unavailable
from smalt.wire.encoding.ids import url_path

if TYPE_CHECKING:
    from smalt.machine.home import Home

_CONNECT_SECONDS = 15.0
_STOPPING_SECONDS = 15.0
_LOST_SECONDS = 10.0
"""How long a server that went away under a call is waited for."""
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
_answered: set[str] = set()
"""The names of the servers that were there for an earlier call of this process."""
_QUIET_SECONDS = 60.0  # a stream says something every 10 s


class Connection:
    """Requests to one server, kept alive between them. Not for several threads at once: give each its own."""

    def __init__(self, server: LocalServer | RemoteServer) -> None:
        self.server = server
        self.patience = _PATIENCE
        self.makes_workspaces = False
        """Whether a workspace that is named and not there is made."""
        self.completed: Callable[[str], str] | None = None
        """Gives a sentence of the server's with its commands as they work from here."""
        self._wire: Wire | None = None
        self._process = os.getpid()

    @classmethod
    def open(cls, *, url: str | None = None, token: str | None = None, home: Home | None = None) -> Connection:
        """To `url`, else where `SMALT_URL` says, else to the home's own server, which is started if need be."""
        url = url or (os.environ.get("SMALT_URL") if home is None else None)
        if url:
            return cls(RemoteServer(url, token or os.environ.get("SMALT_TOKEN", "")))
        from smalt.machine.home import Home

        return cls(LocalServer(home or Home.find()))

    @property
    def local(self) -> bool:
        """Whether the server reads the same files as this process."""
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

    def pages(self, path: str, /, **query: object) -> Iterator[dict[str, Any]]:
        """The items of a list, page after page."""
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
        """The answer's JSON, None where it is empty; errors are raised."""
        data = self._ask(method, path, body, headers or {}, query or {})
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise Unavailable(f"what answers at {self.server.name} is not a smalt server") from None

    def stream(self, path: str, *, query: Mapping[str, object] | None = None) -> Answer:
        """An answer to be read as it comes, on a connection of its own; the caller closes it."""
        wire = Wire(self.server.connect(), self.server.host)
        try:
            wire.timeout(_QUIET_SECONDS)
            target, waiting = _target(self.server.prefix, path, query or {}), (self.patience, self._awaited())
            answer = wire.request("GET", target, self._headers({}), None, waiting)
            return _checked(answer, f"GET {path}", self.completed)
        except SmaltError:
            wire.close()
            raise

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _ask(
        self, method: str, path: str, body: object, headers: Mapping[str, str], query: Mapping[str, object]
    ) -> bytes:
        target = _target(self.server.prefix, path, query)
        data, kind = _encoded(body)
        sent = self._headers({**kind, **headers})
        may_repeat = data is None or isinstance(data, (bytes, Parts))
        if not may_repeat:
            self.close()  # what cannot be sent twice goes over a fresh connection
        tries = _Tries(may_repeat, method != "POST" or path.partition("?")[0].endswith(_REPEATABLE), self.server.name)
        while True:
            try:
                wire = self._opened()
                answer = wire.request(method, target, sent, data, (self.patience, self._awaited()))
                found = answer.read()
                _answered.add(self.server.name)
            except Unavailable as error:
                self.close()
                if not tries.may_go_on(error):
                    raise self.server.explained(error) if isinstance(error, Broken) else error from None
                continue
            if answer.status == 503 and tries.is_stopping():
                self.close()  # it is ending; the next one will do it
                continue
            if answer.status >= 400:
                raise from_answer(answer.status, found, f"{method} {path}", self.completed)
            _tell(answer)
            return found

    def _awaited(self) -> Callable[[], None]:
        """Return what is called while the server gives no answer, and raises where it is not there either."""
        began = time.monotonic()
        return lambda: self.server.check_it_answers(time.monotonic() - began)

    def _opened(self) -> Wire:
        if self._wire is None or not self._wire.reusable or self._process != os.getpid():
            self.close()  # a forked process must not use its parent's
            self._process = os.getpid()
            self._wire = Wire(self.server.connect(), self.server.host)
        return self._wire

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        from smalt._version import __version__

        known = {"Accept": "application/json", "User-Agent": f"smalt/{__version__}"}
        if self.makes_workspaces:
            known["X-Smalt-Makes-Workspaces"] = "1"
        if self.server.token:
            known["Authorization"] = f"Bearer {self.server.token}"
        return {**known, **headers}


def _tell(answer: Answer) -> None:
    """Say what the server has to say beside its answer."""
    text = answer.headers.get("x-smalt-note")
    if text:
        from smalt.client.connection.notices import print_notice

        print_notice(text)


class _Tries:
    """How often a request is sent: again where its server is ending; and once more where a kept connection was closed.

    What may be carried out twice is sent until the server is back, as it may have died under it. Where a server that
    answered before takes no connection, nothing was sent yet, so that is done with every call.
    """

    def __init__(self, may_repeat: bool, is_idempotent: bool, server: str) -> None:
        self._may_repeat = may_repeat
        self._is_idempotent = is_idempotent
        self._server = server
        self._began = time.monotonic()
        self._lost: float | None = None
        self._may_be_done = False
        self._pause = _PAUSE

    def may_go_on(self, error: Unavailable) -> bool:
        if isinstance(error, Silent) or not self._may_repeat or not (self._lost or self._was_there(error)):
            return False
        is_first, self._lost = self._lost is None, self._lost or time.monotonic()
        self._may_be_done = self._may_be_done or isinstance(error, Broken)
        if is_first and isinstance(error, Broken) and not error.started:
            return True
        if (self._may_be_done and not self._is_idempotent) or time.monotonic() - self._lost > _LOST_SECONDS:
            return False
        self._wait()
        return True

    def _was_there(self, error: Unavailable) -> bool:
        """Return whether the server broke off, or is gone that was there for an earlier call."""
        return isinstance(error, Broken) or (isinstance(error, Unreachable) and self._server in _answered)

    def is_stopping(self) -> bool:
        """Return whether to ask the next server, after a moment."""
        if not self._may_repeat or time.monotonic() - self._began > _STOPPING_SECONDS:
            return False
        time.sleep(_PAUSE)
        return True

    def _wait(self) -> None:
        time.sleep(self._pause)
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)


class Silent(Unavailable):
    """The server is there and does not answer."""


class LocalServer:
    """The server of a home, started when it does not run; its socket is in a private folder and needs no token."""

    host = "localhost"
    prefix = ""
    token = ""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.name = str(home.root)

    def own_url(self, url: str) -> str:
        return url

    def connect(self) -> socket.socket:
        from smalt.client.connection.autostart import connect

        return connect(self.home)

    def explained(self, error: Broken) -> SmaltError:
        """It listens before it knows that it can serve; what it said when it could not tells more."""
        from smalt.client.connection.autostart import failure

        said = failure(self.home)
        return Unavailable(f"the smalt server did not start: {said}") if said else error

    def check_it_answers(self, waited: float) -> None:
        """Raise unless the server answers something, or is still on its way up."""
        from smalt.client.connection.autostart import serving

        process = serving(self.home)
        if process is None and waited < _BOOT_SECONDS:
            return
        if process is not None and process.is_stopped:
            raise Silent(
                f"the smalt server (process {process.pid}) is stopped, so it does not answer; to let it go on: "
                f"kill -CONT {process.pid}"
            )
        with _socket(socket.AF_UNIX) as probe:
            if not _answers(probe, str(self.home.socket("server")), self.host, ""):
                who = f" (process {process.pid})" if process else ""
                raise Silent(
                    f"the smalt server{who} of {self.name} does not answer; to end it: smalt server stop --force"
                )


class RemoteServer:
    """A server somewhere else; nothing is started, and what is local here must be uploaded."""

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
            raise Unreachable(
                f"cannot reach the smalt server at {self.name} (from SMALT_URL): {error.strerror or error}"
            ) from None

    def own_url(self, url: str) -> str:
        """Return a URL of the server as SMALT_URL has it: before the server may be a proxy with TLS and other names."""
        parts = urlsplit(url)
        path = parts.path if parts.path.startswith(f"{self.prefix}/") else self.prefix + parts.path
        return parts._replace(scheme="https" if self._secure else "http", netloc=self.host, path=path).geturl()

    def explained(self, error: Broken) -> SmaltError:
        return error

    def check_it_answers(self, waited: float) -> None:
        """Raise unless the server answers something."""
        if self._secure:
            return  # a proxy is before it, which has its own limit
        try:
            with socket.create_connection((self._host_name, self._port), _PROBE_SECONDS) as probe:
                is_there = _answers(probe, None, self.host, self.prefix)
        except OSError:
            is_there = False
        if not is_there:
            raise Silent(f"the smalt server at {self.name} (from SMALT_URL) does not answer")


def _socket(family: int) -> socket.socket:
    made = socket.socket(family)
    made.settimeout(_PROBE_SECONDS)
    return made


def _answers(probe: socket.socket, address: str | None, host: str, prefix: str) -> bool:
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


def _target(prefix: str, path: str, query: Mapping[str, object]) -> str:
    if "?" not in path:
        path = url_path(path)
    given = {key.replace("__", "$"): _text(value) for key, value in query.items() if value is not None}
    if not given:
        return prefix + path
    return f"{prefix}{path}{'&' if '?' in path else '?'}{urlencode(given)}"


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _encoded(body: object) -> tuple[Body, dict[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, (dict, list)) and not isinstance(body, Parts):
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return text.encode(), {"Content-Type": "application/json"}
    if isinstance(body, (bytes, Iterable)):
        return body, {"Content-Type": "application/octet-stream"}
    raise TypeError(f"cannot send a {type(body).__name__}")


def _checked(answer: Answer, what: str, completed: Callable[[str], str] | None) -> Answer:
    if answer.status >= 400:
        raise from_answer(answer.status, answer.read(), what, completed)
    return answer
