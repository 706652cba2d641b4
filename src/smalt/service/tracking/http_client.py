"""HTTP/1.1 over the Unix socket of MLflow's process: kept connections, whole or streamed bodies both ways.

h11 was measured in place of the framing below: 130 instead of 45 µs of CPU for a small request, 1.55 instead of 1.33 ms
of the server's CPU for an MLflow call through the proxy, four times the CPU for a download, and ten lines less. Both
ends of the socket are smalt's own (`child/wsgi_server.py`), so h11's tolerance of other servers is not needed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

_LIMIT = 64
_LARGEST_HEAD = 1 << 18
_BLOCK = 1 << 18

Headers = list[tuple[bytes, bytes]]
_HOP_BY_HOP = (b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"proxy-connection", b"expect")


class ConnectionPool:
    """Connections to one Unix socket.

    Whatever is wrong with one is a ConnectionError; a ConnectionRefusedError where nothing has been sent.
    """

    def __init__(self, path: Path, limit: int = _LIMIT) -> None:
        self._path = path
        self._idle: list[_ChildConnection] = []
        self._open: set[_ChildConnection] = set()
        self._turn = asyncio.Semaphore(limit)
        self._last = float("-inf")

    @property
    def idle_seconds(self) -> float:
        """Seconds since a request began or ended; 0 while one is in progress."""
        return 0.0 if len(self._open) > len(self._idle) else time.monotonic() - self._last

    async def send_request(
        self, method: str, target: bytes, headers: Headers, body: bytes | AsyncIterator[bytes] = b""
    ) -> ChildResponse:
        """Send a request and return its response, whose body is still to be read, or given up by `close()`.

        A streamed body is sent with the length in `headers`, else in chunks.
        """
        await self._turn.acquire()
        self._last = time.monotonic()
        try:
            connection = self._take_idle() or await self._open_connection()
        except BaseException:
            self._turn.release()
            raise
        try:
            await connection.send_request(method, target, headers, body)
            status, found = await connection.read_head()
        except BaseException:
            self._put_back(connection, reusable=False)
            raise
        return ChildResponse(self, connection, status, found, has_body=method != "HEAD" and status not in (204, 304))

    def close(self) -> None:
        """Break all connections; requests in progress end with a ConnectionError."""
        for connection in list(self._open):
            connection.abort()
        self._idle.clear()

    async def is_reachable(self) -> bool:
        """Return True if there is a connection, or one can be made."""
        connection = self._take_idle()
        with contextlib.suppress(ConnectionRefusedError):
            connection = connection or await self._open_connection()
        if connection is not None:
            self._idle.append(connection)
        return connection is not None

    def _take_idle(self) -> _ChildConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
            self._remove(connection)
        return None

    async def _open_connection(self) -> _ChildConnection:
        try:
            reader, writer = await asyncio.open_unix_connection(str(self._path), limit=_LARGEST_HEAD)
        except OSError as error:
            raise ConnectionRefusedError(f"MLflow does not answer: {error.strerror or error}") from None
        connection = _ChildConnection(reader, writer)
        self._open.add(connection)
        return connection

    def _put_back(self, connection: _ChildConnection, *, reusable: bool) -> None:
        if reusable and connection.is_open:
            self._idle.append(connection)
        else:
            self._remove(connection)
        self._last = time.monotonic()
        self._turn.release()

    def _remove(self, connection: _ChildConnection) -> None:
        connection.abort()
        self._open.discard(connection)


class ChildResponse:
    """A response that holds a connection of the pool until it is read to its end or closed."""

    def __init__(
        self,
        pool: ConnectionPool,
        connection: _ChildConnection,
        status: int,
        headers: Headers,
        *,
        has_body: bool = True,
    ) -> None:
        self.status = status
        self.headers = headers
        self._pool = pool
        self._connection: _ChildConnection | None = connection
        self._length, self._chunked = _get_framing(headers) if has_body else (0, False)
        if not self._length and not self._chunked:
            self._put_back(reusable=True)

    @property
    def length(self) -> int | None:
        """The length of the body; None if it is not known beforehand."""
        return None if self._chunked else self._length

    async def read(self) -> bytes:
        """Return the whole body."""
        return b"".join([chunk async for chunk in self])

    def close(self) -> None:
        """Give up the unread rest of the body."""
        self._put_back(reusable=False)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        connection = self._connection
        if connection is None:
            return
        try:
            if self._chunked:
                async for chunk in connection.read_chunks():
                    yield chunk
            else:
                async for chunk in connection.read_exactly(self._length):
                    yield chunk
            self._put_back(reusable=True)
        finally:
            self._put_back(reusable=False)

    def _put_back(self, *, reusable: bool) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool._put_back(connection, reusable=reusable)


class _ChildConnection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def is_open(self) -> bool:
        return not self._reader.at_eof() and not self._writer.is_closing()

    def abort(self) -> None:
        self._writer.transport.abort()

    async def send_request(
        self, method: str, target: bytes, headers: Headers, body: bytes | AsyncIterator[bytes]
    ) -> None:
        whole = isinstance(body, bytes)
        names = {name.lower() for name, _ in headers}
        lines = [b"%b %b HTTP/1.1" % (method.encode(), target), b"Host: localhost"]
        lines += [b"%b: %b" % pair for pair in _list_sendable(headers, without_length=whole)]
        chunked = not whole and b"content-length" not in names
        if isinstance(body, bytes):
            lines.append(b"Content-Length: %d" % len(body))
        elif chunked:
            lines.append(b"Transfer-Encoding: chunked")
        head = b"\r\n".join(lines) + b"\r\n\r\n"
        with _convert_errors():
            if isinstance(body, bytes):
                self._writer.write(head + body)
                await self._writer.drain()
                return
            self._writer.write(head)
            async for chunk in body:
                if chunk:
                    self._writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunked else chunk)
                    await self._writer.drain()
            if chunked:
                self._writer.write(b"0\r\n\r\n")
                await self._writer.drain()

    async def read_head(self) -> tuple[int, Headers]:
        with _convert_errors():
            first, *lines = (await self._reader.readuntil(b"\r\n\r\n"))[:-4].split(b"\r\n")
        headers = [(name, value.strip()) for name, _, value in (line.partition(b":") for line in lines)]
        return int(first.split(b" ", 2)[1]), headers

    async def read_exactly(self, length: int) -> AsyncIterator[bytes]:
        while length:
            with _convert_errors():
                chunk = await self._reader.read(min(length, _BLOCK))
            if not chunk:
                raise ConnectionError("MLflow broke off its answer")
            length -= len(chunk)
            yield chunk

    async def read_chunks(self) -> AsyncIterator[bytes]:
        while True:
            with _convert_errors():
                size = int(await self._reader.readline(), 16)
            async for part in self.read_exactly(size):
                yield part
            with _convert_errors():
                await self._reader.readexactly(2)
            if not size:
                return


def _get_framing(headers: Headers) -> tuple[int, bool]:
    """Return (length, True if the body comes in chunks)."""
    for name, value in headers:
        lower = name.lower()
        if lower == b"content-length":
            return int(value), False
        if lower == b"transfer-encoding":
            return 0, True
    return 0, False


def _list_sendable(headers: Headers, *, without_length: bool) -> Iterable[tuple[bytes, bytes]]:
    dropped = (*_HOP_BY_HOP, b"host", b"content-length") if without_length else (*_HOP_BY_HOP, b"host")
    return ((name, value) for name, value in headers if name.lower() not in dropped)


@contextlib.contextmanager
def _convert_errors():  # type: ignore[no-untyped-def]
    try:
        yield
    except ConnectionError:
        raise
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:  # EOFError: the head broke off
        raise ConnectionError(f"MLflow broke off the connection ({error})") from None
