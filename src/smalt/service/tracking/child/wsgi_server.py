"""A WSGI server on a Unix socket: one thread per connection, at most as many as the server's pool keeps.

It serves smalt's own server alone (`tracking/http_client.py`), which sends well-formed HTTP/1.1, with a body of known
length or in chunks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, cast
from urllib.parse import unquote_to_bytes

log = logging.getLogger(__name__)

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_AT_ONCE = 8
"""Calls worked on at a time. More would only wait for each other's locks in the database; files are not counted."""
_FILES = "/api/2.0/mlflow-artifacts/"
_BLOCK = 1 << 18
_WITHOUT_BODY = ("204", "304")


class WsgiServer:
    """Serves a WSGI application on a Unix socket."""

    def __init__(self, path: str, app: App) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)  # with the umask of this process only its owner can connect
        self._socket.listen(128)
        self._app = app
        self._turn = threading.BoundedSemaphore(_AT_ONCE)

    def run(self) -> None:
        while True:
            connection, _ = self._socket.accept()
            threading.Thread(target=self._handle_connection, args=(connection,), daemon=True).start()

    def _handle_connection(self, connection: socket.socket) -> None:
        reader = cast(BinaryIO, connection.makefile("rb", _BLOCK))
        with contextlib.closing(connection), contextlib.closing(reader), contextlib.suppress(OSError, ValueError):
            while (environ := _read_head(reader)) is not None:
                self._handle_request(connection, environ)

    def _handle_request(self, connection: socket.socket, environ: dict[str, Any]) -> None:
        body = environ["wsgi.input"]
        is_file = environ["PATH_INFO"].startswith(_FILES)
        with contextlib.nullcontext() if is_file else self._turn:
            reply = _ResponseWriter(connection, environ["REQUEST_METHOD"])
            try:
                chunks = self._app(environ, reply.start_response)
            except Exception:
                log.exception("%s %s", environ["REQUEST_METHOD"], environ["PATH_INFO"])
                reply.start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
                chunks = [b"MLflow failed; its log says why"]
            if not is_file:
                chunks = _join_chunks(chunks)
        reply.send_body(chunks)
        body.read_rest()


def _join_chunks(chunks: Iterable[bytes]) -> list[bytes]:
    """Return the whole body, built while this call holds its turn."""
    try:
        return [b"".join(chunks)]
    finally:
        if hasattr(chunks, "close"):
            chunks.close()


def _read_head(reader: BinaryIO) -> dict[str, Any] | None:
    line = reader.readline(65537)
    if not line:
        return None
    method, target, _ = line.split(b" ", 2)
    path, _, query = target.partition(b"?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method.decode("latin-1"),
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.decode("latin-1"),
        "RAW_URI": target.decode("latin-1"),
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }
    while (line := reader.readline(65537)) not in (b"\r\n", b""):
        name, _, value = line.partition(b":")
        key = name.decode("latin-1").upper().replace("-", "_")
        if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            key = f"HTTP_{key}"
        environ[key] = value.strip().decode("latin-1")
    chunked = environ.pop("HTTP_TRANSFER_ENCODING", "") == "chunked"
    environ["wsgi.input"] = _RequestBody(reader, None if chunked else int(environ.get("CONTENT_LENGTH") or 0))
    return environ


class _RequestBody:
    """The `wsgi.input` of a request, which ends with the request's body."""

    def __init__(self, reader: BinaryIO, length: int | None) -> None:
        self._reader = reader
        self._left = length or 0
        self._chunked = length is None

    def read(self, size: int = -1) -> bytes:
        wanted = size if size is not None and size >= 0 else sys.maxsize
        parts = []
        while wanted and (left := self._count_available()):
            part = self._reader.read(min(wanted, left, _BLOCK))
            if not part:
                raise ConnectionError("the request broke off")
            self._left -= len(part)
            wanted -= len(part)
            parts.append(part)
        return b"".join(parts)

    def readline(self, size: int = -1) -> bytes:
        line = bytearray()
        while (len(line) < size or size < 0) and (one := self.read(1)):
            line += one
            if one == b"\n":
                break
        return bytes(line)

    def __iter__(self) -> Any:
        return iter(self.readline, b"")

    def read_rest(self) -> None:
        while self.read(_BLOCK):
            pass

    def _count_available(self) -> int:
        """Return the announced bytes that are left; 0 at the end."""
        if self._chunked and not self._left:
            line = self._reader.readline(64).strip() or self._reader.readline(64)  # the end of a chunk, then the next
            self._left = int(line, 16)
            if not self._left:
                self._reader.readline(64)
                self._chunked = False
        return self._left


class _ResponseWriter:
    def __init__(self, connection: socket.socket, method: str) -> None:
        self._connection = connection
        self._has_body = method != "HEAD"
        self._head = b""
        self._has_length = False

    def start_response(
        self, status: str, headers: list[tuple[str, str]], failure: Any = None
    ) -> Callable[[bytes], object]:
        self._has_body = self._has_body and not status.startswith(_WITHOUT_BODY)
        self._has_length = any(name.lower() == "content-length" for name, _ in headers)
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers)]
        self._head = "\r\n".join(lines).encode("latin-1")
        return self._refuse_write

    def send_body(self, chunks: Iterable[bytes]) -> None:
        """Send head and body; a body of unknown length goes in chunks."""
        if not self._has_length and isinstance(chunks, list):
            self._head += b"\r\nContent-Length: %d" % sum(map(len, chunks))
            self._has_length = True
        if not self._has_length and self._has_body:
            self._head += b"\r\nTransfer-Encoding: chunked"
        pending = self._head + b"\r\n\r\n"
        try:
            for chunk in chunks if self._has_body else ():
                if chunk:
                    framed = chunk if self._has_length else b"%x\r\n%b\r\n" % (len(chunk), chunk)
                    self._connection.sendall(pending + framed)
                    pending = b""
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        self._connection.sendall(pending + (b"" if self._has_length or not self._has_body else b"0\r\n\r\n"))

    def _refuse_write(self, data: bytes) -> object:
        raise RuntimeError("an application of WSGI gives its body back, it does not write it")
