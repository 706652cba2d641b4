"""HTTP/1.1 to a process that serves: one connection for each request, whole or streamed answers.

A new connection each time costs 0.1 ms on a Unix socket, and no request is ever sent on one that the server is just
closing, which could not be sent again without the risk of scoring twice.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable

import h11

Headers = list[tuple[bytes, bytes]]

_MOST_BUFFERED = 1 << 20
_ALWAYS_OURS = frozenset({
    b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"proxy-connection", b"expect", b"host",
    b"content-length", b"trailer", b"proxy-authorization",
})  # fmt: skip


class NotReached(ConnectionError):
    """The process was not reached: nothing was sent, so the request may go to another one."""


class ReplicaTimedOut(ConnectionError):
    """The answer did not come within the time that it has."""


class ReplicaResponse:
    """The answer of a process; read it to its end or close it."""

    def __init__(self, connection: _Connection, head: h11.Response) -> None:
        self._connection = connection
        self.status = head.status_code
        self.reason = bytes(head.reason)
        self.headers: Headers = [(bytes(name), bytes(value)) for name, value in head.headers]

    @property
    def length(self) -> int | None:
        """The length of the body; None if it is not known beforehand."""
        for name, value in self.headers:
            if name == b"content-length":
                return int(value)
        return None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            event = await self._connection.read_event()
            if isinstance(event, h11.Data):
                yield bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                return

    def set_timeout(self, seconds: float | None) -> None:
        """Let reading fail unless all that is read from now on comes within so many seconds."""
        self._connection.set_timeout(seconds)

    def close(self) -> None:
        self._connection.close()


async def send_request(
    address: str,
    method: str,
    target: bytes,
    headers: Headers,
    body: Iterable[bytes],
    length: int,
    timeout: float | None = None,
) -> ReplicaResponse:
    """Send a request to the process at a Unix socket or at `host:port`; raise ConnectionError if it breaks off.

    `timeout` is for the whole answer, unless the response's `set_timeout` changes that.
    """
    connection = await _connect(address)
    connection.set_timeout(timeout)
    try:
        await connection.send(method, target, headers, body, length)
        while True:
            event = await connection.read_event()
            if isinstance(event, h11.Response):
                return ReplicaResponse(connection, event)
    except BaseException:
        connection.close()
        raise


async def _connect(address: str) -> _Connection:
    loop = asyncio.get_running_loop()
    try:
        if address.startswith("/"):
            _, connection = await loop.create_unix_connection(_Connection, address)
        else:
            host, _, port = address.rpartition(":")
            _, connection = await loop.create_connection(_Connection, host, int(port))
    except OSError as error:
        raise NotReached(error.strerror or str(error)) from None
    return connection


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=1 << 18)
        self._events: deque[h11.Event] = deque()
        self._buffered = 0
        self._reader: asyncio.Future[None] | None = None
        self._drained: asyncio.Future[None] | None = None
        self._error: ConnectionError | None = None
        self._is_paused = False
        self._timer: asyncio.TimerHandle | None = None

    def set_timeout(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._expire) if seconds is not None else None

    def _expire(self) -> None:
        self._fail(ReplicaTimedOut("no answer in time"))
        self._transport.abort()

    async def send(self, method: str, target: bytes, headers: Headers, body: Iterable[bytes], length: int) -> None:
        sent = [(name, value) for name, value in headers if name.lower() not in _ALWAYS_OURS]
        sent += [(b"Host", b"localhost"), (b"Connection", b"close"), (b"Content-Length", b"%d" % length)]
        pending = self._http.send(h11.Request(method=method, target=target, headers=sent)) or b""
        for part in body:
            self._transport.write(pending + (self._http.send(h11.Data(data=part)) or b""))
            pending = b""
            await self._wait_until_writable()
        self._transport.write(pending + (self._http.send(h11.EndOfMessage()) or b""))

    async def read_event(self) -> h11.Event:
        while not self._events:
            if self._error is not None:
                raise self._error
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        event = self._events.popleft()
        if isinstance(event, h11.Data):
            self._buffered -= len(event.data)
            if self._is_paused and self._buffered < _MOST_BUFFERED:
                self._is_paused = False
                self._transport.resume_reading()
        return event

    def close(self) -> None:
        self.set_timeout(None)
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._http.receive_data(data)
        self._take_events()
        if self._buffered >= _MOST_BUFFERED and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        self._http.receive_data(b"")
        self._take_events()

    def connection_lost(self, error: Exception | None) -> None:
        self.set_timeout(None)
        self._fail(ConnectionError("the connection broke off"))
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    def pause_writing(self) -> None:
        self._drained = asyncio.get_running_loop().create_future()

    def resume_writing(self) -> None:
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    async def _wait_until_writable(self) -> None:
        if self._drained is not None:
            await self._drained

    def _take_events(self) -> None:
        try:
            while True:
                event = self._http.next_event()
                if event is h11.NEED_DATA or event is h11.PAUSED or isinstance(event, h11.ConnectionClosed):
                    break
                if isinstance(event, h11.Data):
                    self._buffered += len(event.data)
                self._events.append(event)  # type: ignore[arg-type]
                if isinstance(event, h11.EndOfMessage):
                    self._transport.close()
                    break
        except h11.RemoteProtocolError as error:
            self._fail(ConnectionError(f"it sent what is not HTTP ({error})"))
        self._wake_reader()

    def _fail(self, error: ConnectionError) -> None:
        self._error = self._error or error
        self._wake_reader()

    def _wake_reader(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)
