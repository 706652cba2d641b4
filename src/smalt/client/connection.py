"""One connection to the server: over the home's Unix socket, or to where `SMALT_URL` points."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from smalt.client.errors import from_answer
from smalt.client.http1 import Answer, Body, Broken, Parts, Wire
from smalt.exceptions import SmaltError, Unavailable
from smalt.wire.ids import url_path

if TYPE_CHECKING:
    from smalt.home import Home

_CONNECT_SECONDS = 15.0
_STOPPING_SECONDS = 15.0
_PAUSE = 0.02
_QUIET_SECONDS = 60.0  # a stream says something every 10 s


class Connection:
    """Requests to one server, kept alive between them. Not for several threads at once: give each its own."""

    def __init__(self, server: LocalServer | RemoteServer) -> None:
        self.server = server
        self._wire: Wire | None = None
        self._process = os.getpid()

    @classmethod
    def open(cls, *, url: str | None = None, token: str | None = None, home: Home | None = None) -> Connection:
        """To `url`, else where `SMALT_URL` says, else to the home's own server, which is started if need be."""
        url = url or (os.environ.get("SMALT_URL") if home is None else None)
        if url:
            return cls(RemoteServer(url, token or os.environ.get("SMALT_TOKEN", "")))
        from smalt.home import Home

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
        answer = self._ask(method, path, body, headers or {}, query or {})
        data = answer.read()
        if not data:
            return None
        try:
            return json.loads(data)
        except ValueError:
            raise Unavailable(f"what answers at {self.server.name} is no smalt server") from None

    def stream(self, path: str, *, query: Mapping[str, object] | None = None) -> Answer:
        """An answer to be read as it comes, on a connection of its own; the caller closes it."""
        wire = Wire(self.server.connect(), self.server.host)
        try:
            wire.timeout(_QUIET_SECONDS)
            answer = wire.request("GET", _target(self.server.prefix, path, query or {}), self._headers({}), None)
            return _checked(answer, f"GET {path}")
        except SmaltError:
            wire.close()
            raise

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None

    def _ask(
        self, method: str, path: str, body: object, headers: Mapping[str, str], query: Mapping[str, object]
    ) -> Answer:
        target = _target(self.server.prefix, path, query)
        data, kind = _encoded(body)
        sent = self._headers({**kind, **headers})
        repeatable = data is None or isinstance(data, (bytes, Parts))
        if not repeatable:
            self.close()  # what cannot be sent twice goes over a fresh connection
        deadline, broken = time.monotonic() + _STOPPING_SECONDS, not repeatable
        while True:
            try:
                answer = self._opened().request(method, target, sent, data)
            except Broken as error:
                # A kept connection may be closed by now, and a server may just be ending: ask a second time.
                self.close()
                if error.started or broken:
                    raise self.server.explained(error) from None
                broken = True
                continue
            if answer.status == 503 and repeatable and time.monotonic() < deadline:
                self.close()  # it is ending; the next one will do it
                time.sleep(_PAUSE)
                continue
            return _checked(answer, f"{method} {path}")

    def _opened(self) -> Wire:
        if self._wire is None or not self._wire.reusable or self._process != os.getpid():
            self.close()  # a forked process must not use its parent's
            self._process = os.getpid()
            self._wire = Wire(self.server.connect(), self.server.host)
        return self._wire

    def _headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        from smalt._version import __version__

        known = {"Accept": "application/json", "User-Agent": f"smalt/{__version__}"}
        if self.server.token:
            known["Authorization"] = f"Bearer {self.server.token}"
        return {**known, **headers}


class LocalServer:
    """The server of a home, started when it does not run; its socket is in a private folder and needs no token."""

    host = "localhost"
    prefix = ""
    token = ""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.name = str(home.root)

    def connect(self) -> socket.socket:
        from smalt.client.autostart import connect

        return connect(self.home)

    def explained(self, error: Broken) -> SmaltError:
        """It listens before it knows that it can serve; what it said when it could not tells more."""
        from smalt.client.autostart import failure

        said = failure(self.home)
        return Unavailable(f"the smalt server did not start: {said}") if said else error


class RemoteServer:
    """A server somewhere else; nothing is started, and what is local here must be uploaded."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Unavailable(f"SMALT_URL is '{url}', which is no http or https URL")
        try:
            self._port = parts.port or (443 if parts.scheme == "https" else 80)
        except ValueError:
            raise Unavailable(f"SMALT_URL is '{url}', whose port is no port number") from None
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
            raise Unavailable(
                f"cannot reach the smalt server at {self.name} (from SMALT_URL): {error.strerror or error}"
            ) from None

    def explained(self, error: Broken) -> SmaltError:
        return error


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


def _checked(answer: Answer, what: str) -> Answer:
    if answer.status >= 400:
        raise from_answer(answer.status, answer.read(), what)
    return answer
