"""A small HTTP/1.1 client over any stream socket: requests, keep-alive, chunked answers; nothing that smalt needs not.

The standard library's `http.client` would do, but costs more to import (its e-mail and TLS packages) than a
whole `smalt` command may.
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


class Parts(list[bytes]):
    """A body in several pieces that are all here, so that its length is known and it can be sent again."""


Body = bytes | Parts | Iterable[bytes] | None


class Broken(Unavailable):
    """The connection ended early; `started` says whether a part of the answer had come."""

    def __init__(self, reason: str, *, started: bool) -> None:
        super().__init__(f"the smalt server went away: {reason}")
        self.started = started


class Answer:
    """Status and headers, with the body still to be read from the wire."""

    def __init__(self, status: int, headers: dict[str, str], wire: Wire, body: Iterator[bytes]) -> None:
        self.status = status
        self.headers = headers
        self._wire = wire
        self._body = body

    def pieces(self) -> Iterator[bytes]:
        """The body as it arrives."""
        return self._body

    def read(self) -> bytes:
        return b"".join(self._body)

    def lines(self) -> Iterator[bytes]:
        """The body's lines, without their ends, as soon as each is complete."""
        rest = b""
        for piece in self._body:
            *lines, rest = (rest + piece).split(b"\n")
            yield from lines
        if rest:
            yield rest

    def close(self) -> None:
        self._wire.close()


class Wire:
    """One connection: one request at a time, and the next one when the answer has been read to its end."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        self._sock = sock
        self._host = host
        self.reusable = True
        sock.settimeout(_SILENCE)
        self._file = cast("io.BufferedReader", sock.makefile("rb", _PIECE))

    def __del__(self) -> None:
        self.close()  # nobody is asked to close a client

    def timeout(self, seconds: float | None) -> None:
        """How long the other side may say nothing."""
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
    ) -> Answer:
        """Send a request and read the answer up to its body; raises Broken when the other side has gone.

        An answer may take its time. `waiting` is called each time that so many seconds have passed without one.
        """
        self.reusable = False
        try:
            self._send(method, path, headers, body)
        except OSError as error:
            if not self._answered():
                raise Broken(str(error), started=False) from None
        if waiting is not None:
            self._wait(*waiting)
        return self._receive(method)

    def _wait(self, seconds: float, waiting: Callable[[], None]) -> None:
        """Wait for the beginning of the answer."""
        import select

        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        while not self._buffered() and not poll.poll(seconds * 1000):
            waiting()

    def _buffered(self) -> bool:
        """Return whether a TLS connection holds bytes that its socket no longer has."""
        pending = getattr(self._sock, "pending", None)
        return bool(pending and pending())

    def _answered(self) -> bool:
        """Whether the other side, which stopped reading, has said why."""
        try:
            return bool(self._file.peek(1))
        except OSError:
            return False

    def _send(self, method: str, path: str, headers: Mapping[str, str], body: Body) -> None:
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self._host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if isinstance(body, bytes):
            lines.append(f"Content-Length: {len(body)}")
        elif isinstance(body, Parts):
            lines.append(f"Content-Length: {sum(map(len, body))}")
        elif body is not None:
            lines.append("Transfer-Encoding: chunked")
        elif method in ("POST", "PUT", "PATCH"):
            lines.append("Content-Length: 0")
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if body is None or isinstance(body, bytes):
            self._write(head + (body or b""))
            return
        self._write(head)
        if isinstance(body, Parts):
            for piece in body:
                self._write(piece)
            return
        for piece in filter(None, body):
            self._write(b"%x\r\n%b\r\n" % (len(piece), piece))
        self._write(b"0\r\n\r\n")

    def _write(self, data: bytes) -> None:
        """Send in pieces, as the socket's time is for each of them."""
        view = memoryview(data)
        for start in range(0, len(view), _PIECE):
            self._sock.sendall(view[start : start + _PIECE])

    def _receive(self, method: str) -> Answer:
        status = 100
        while 100 <= status < 200:
            status = self._status()
            headers = self._headers()
        keep = headers.get("connection", "").lower() != "close"
        if method == "HEAD" or status in (204, 304):
            body = self._fixed(0, keep)
        elif headers.get("transfer-encoding", "").lower() == "chunked":
            body = self._chunks(keep)
        elif "content-length" in headers:
            body = self._fixed(_number(headers["content-length"], 10), keep)
        else:
            body = self._until_end()
        return Answer(status, headers, self, body)

    def _status(self) -> int:
        line = self._line(started=False)
        parts = line.split(None, 2)
        if len(parts) < 2 or not parts[0].startswith("HTTP/1."):
            raise Broken("what answers is not an HTTP server", started=True)
        return _number(parts[1], 10)

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for _ in range(_MOST_HEADERS):
            line = self._line(started=True)
            if not line:
                return headers
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        raise Broken("its answer has too many headers", started=True)

    def _line(self, *, started: bool) -> str:
        try:
            line = self._file.readline(_LONGEST_LINE)
        except OSError as error:
            raise Broken(str(error), started=started) from None
        if not line.endswith(b"\n"):
            raise Broken("it closed the connection", started=started or bool(line))
        return line.rstrip(b"\r\n").decode("latin-1")

    def _some(self, size: int) -> bytes:
        try:
            piece = self._file.read1(min(size, _PIECE))
        except OSError as error:
            raise Broken(str(error), started=True) from None
        if not piece:
            raise Broken("it closed the connection in the middle of an answer", started=True)
        return piece

    def _fixed(self, length: int, keep: bool) -> Iterator[bytes]:
        if not length:
            self.reusable = keep
            return iter(())
        return self._counted(length, keep)

    def _counted(self, length: int, keep: bool) -> Iterator[bytes]:
        while length:
            piece = self._some(length)
            length -= len(piece)
            if not length:
                self.reusable = keep
            yield piece

    def _chunks(self, keep: bool) -> Iterator[bytes]:
        while size := _number(self._line(started=True).partition(";")[0], 16):
            while size:
                piece = self._some(size)
                size -= len(piece)
                yield piece
            self._line(started=True)
        while self._line(started=True):
            pass
        self.reusable = keep

    def _until_end(self) -> Iterator[bytes]:
        try:
            while piece := self._file.read1(_PIECE):
                yield piece
        except OSError as error:
            raise Broken(str(error), started=True) from None


def _number(text: str, base: int) -> int:
    try:
        return int(text.strip(), base)
    except ValueError:
        raise Broken("what answers is not an HTTP server", started=True) from None
