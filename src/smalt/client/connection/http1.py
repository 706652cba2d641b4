"""A small HTTP/1.1 client over any stream socket: requests, keep-alive, chunked responses.

Libraries cost too much for a command that takes 0.1 s. `http.client` imports the e-mail and TLS packages. h11 0.16
takes 9 ms of CPU to import, where all imports of `smalt job list` take 78 ms, and 50 µs of CPU for a request and its
300-byte response over a Unix socket, where this module takes 17 µs (bench/http_clients.py).
"""

from __future__ import annotations

import io
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast

from smalt.exceptions import Unavailable

_MOST_HEADERS = 200
_LONGEST_LINE = 65536
_PIECE = 1 << 18
_SILENCE = 60.0
"""Seconds that the other side may take for the next piece of what is sent or answered."""


class BodyParts(list[bytes]):
    """A body in pieces that are all in memory, so that its length is known and it can be sent again."""


Body = bytes | BodyParts | Iterable[bytes] | None


class ConnectionLost(Unavailable):
    """The connection ended early; `started` is True if a part of the response had arrived."""

    def __init__(self, reason: str, *, started: bool) -> None:
        super().__init__(f"lost the smalt server: {reason}")
        self.started = started


class HttpResponse:
    """Status and headers, and a body that is still to be read."""

    def __init__(self, status: int, headers: dict[str, str], wire: HttpConnection, body: Iterator[bytes]) -> None:
        self.status = status
        self.headers = headers
        self._wire = wire
        self._body = body

    def read_pieces(self) -> Iterator[bytes]:
        """Return the body's bytes as they arrive."""
        return self._body

    def read(self) -> bytes:
        return b"".join(self._body)

    def read_lines(self) -> Iterator[bytes]:
        """Yield the body's lines without their ends, each as soon as it is complete."""
        rest = b""
        for piece in self._body:
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def close(self) -> None:
        self._wire.close()


class HttpConnection:
    """A connection for one request at a time; the next may be sent once the response was read to its end."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        self._sock = sock
        self._host = host
        self.reusable = True
        sock.settimeout(_SILENCE)
        self._file = cast("io.BufferedReader", sock.makefile("rb", _PIECE))

    def __del__(self) -> None:
        self.close()  # nobody is asked to close a client

    def set_timeout(self, seconds: float | None) -> None:
        """Set how many seconds the other side may be silent; None for ever."""
        self._sock.settimeout(seconds)

    def close(self) -> None:
        self.reusable = False
        self._file.close()
        self._sock.close()

    def request(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Body,
        waiting: tuple[float, Callable[[], None]] | None = None,
    ) -> HttpResponse:
        """Send a request and read the response up to its body; raises ConnectionLost if the other side is gone.

        A response may take its time: `waiting` is a number of seconds and a function to call each time they have
        passed.
        """
        self.reusable = False
        try:
            self._send_request(method, path, headers, body)
        except OSError as error:
            if not self._has_response():
                raise ConnectionLost(str(error), started=False) from None
        if waiting is not None:
            self._wait_for_response(*waiting)
        return self._read_response(method)

    def _wait_for_response(self, seconds: float, waiting: Callable[[], None]) -> None:
        """Wait for the beginning of the response."""
        import select

        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        while not self._has_buffered_bytes() and not poll.poll(seconds * 1000):
            waiting()

    def _has_buffered_bytes(self) -> bool:
        """Return True if a TLS connection holds bytes that its socket no longer has."""
        pending = getattr(self._sock, "pending", None)
        return bool(pending and pending())

    def _has_response(self) -> bool:
        """Return True if the other side, which stopped reading, has sent a response."""
        try:
            return bool(self._file.peek(1))
        except OSError:
            return False

    def _send_request(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if isinstance(body, bytes):
            lines.append(f"Content-Length: {len(body)}")
        elif isinstance(body, BodyParts):
            lines.append(f"Content-Length: {sum(map(len, body))}")
        elif body is not None:
            lines.append("Transfer-Encoding: chunked")
        elif method in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: 0")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if body is None or isinstance(body, bytes):
            self._send_bytes(head + (body or b""))
            return
        self._send_bytes(head)
        if isinstance(body, BodyParts):
            for piece in body:
                self._send_bytes(piece)
            return
        for piece in filter(None, body):
            self._send_bytes(b"%x\r\n%b\r\n" % (len(piece), piece))
        self._send_bytes(b"0\r\n\r\n")

    def _send_bytes(self, data: bytes) -> None:
        """Send in pieces, as the socket's timeout applies to each of them."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self._sock.sendall(view[start : start + _PIECE])

    def _read_response(self, method: str) -> HttpResponse:
        status = 100
        while 100 <= status < 200:
            status = self._read_status()
            headers = self._read_headers()
        keep = headers.get("connection", "").lower() != "close"
        if method == "HEAD" or status in (204, 304):
            body = self._read_fixed(0, keep)
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._read_chunks(keep)
        elif "content-length" in headers:
            body = self._read_fixed(_parse_number(headers["content-length"], 10), keep)
        else:
            body = self._read_until_end()
        return HttpResponse(status, headers, self, body)

    def _read_status(self) -> int:
        line = self._read_line(started=False)
        parts = line.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith("HTTP/1."):
            raise ConnectionLost("what answers is not an HTTP server", started=True)
        return _parse_number(parts[1], 10)

    def _read_headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            line = self._read_line(started=True)
            if not line:
                return headers
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raise ConnectionLost("its answer has too many headers", started=True)

    def _read_line(self, *, started: bool) -> str:
        try:
            line = self._file.readline(_LONGEST_LINE)
        except OSError as error:
            raise ConnectionLost(str(error), started=started) from None
        if not line.endswith(b"\n"):
            raise ConnectionLost("it closed the connection", started=started or bool(line))
        return line.rstrip(b"\r\n").decode("latin-1")

    def _read_some(self, size: int) -> bytes:
        try:
            piece = self._file.read1(min(size, _PIECE))
        except OSError as error:
            raise ConnectionLost(str(error), started=True) from None
        if not piece:
            raise ConnectionLost("it closed the connection in the middle of an answer", started=True)
        return piece

    def _read_fixed(self, length: int, keep: bool) -> Iterator[bytes]:
        if not length:
            self.reusable = keep
            return iter(())
        return self._read_counted(length, keep)

    def _read_counted(self, length: int, keep: bool) -> Iterator[bytes]:
        while length:
            piece = self._read_some(length)
            length -= len(piece)
            if not length:
                self.reusable = keep
            yield piece

    def _read_chunks(self, keep: bool) -> Iterator[bytes]:
        while size := _parse_number(self._read_line(started=True).partition(";")[0], 16):
            while size:
                piece = self._read_some(size)
                size -= len(piece)
                yield piece
            self._read_line(started=True)
        while self._read_line(started=True):
            pass
        self.reusable = keep

    def _read_until_end(self) -> Iterator[bytes]:
        try:
            while piece := self._file.read1(_PIECE):
                yield piece
        except OSError as error:
            raise ConnectionLost(str(error), started=True) from None


def _parse_number(text: str, base: int) -> int:
    try:
        return int(text.strip(), base)
    except ValueError:
        raise ConnectionLost("what answers is not an HTTP server", started=True) from None
