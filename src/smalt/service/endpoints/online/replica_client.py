"""HTTP/1.1 to a process that serves: one connection for each request, whole or streamed answers.

A new connection each time costs 0.05 ms on a Unix socket, and no request is ever sent on one that the server is just
closing, which could not be sent again without the risk of scoring twice; Azure's inference server closes each anyway,
and takes no other request until we have closed it, too. The connection is a bare socket on the event loop: asyncio's
transports take three turns of the loop to open one.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterable

import h11

from smalt.service.endpoints.online.plain_http import Headers, ResponseHead, build_head, parse_response_head

_MOST_BUFFERED = 1 << 20
_BLOCK = 1 << 18
_LONGEST_HEAD = 1 << 18
_ALWAYS_OURS = frozenset({
    b"connection", b"keep-alive", b"transfer-encoding", b"te", b"upgrade", b"proxy-connection", b"expect", b"host",
    b"content-length", b"trailer", b"proxy-authorization",
})  # fmt: skip
_OURS: Headers = [(b"Host", b"localhost"), (b"Connection", b"close")]


class NotReached(ConnectionError):
    """The process was not reached: nothing was sent, so the request may go to another one."""


class ReplicaTimedOut(ConnectionError):
    """The answer did not come within the time that it has."""


class ReplicaResponse:
    """The answer of a process; read it to its end or close it."""

    def __init__(self, connection: _Connection, head: ResponseHead) -> None:
        self._connection = connection
        self.status = head.status
        self.reason = head.reason
        self.headers = head.headers
        self.length = head.length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while part := await self._connection.read_part():
            yield part

    async def read_all(self) -> bytes:
        parts = []
        while part := await self._connection.read_part():
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

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
    connection = _Connection(await _connect_socket(address, timeout), method)
    connection.set_timeout(timeout)
    try:
        sent = [pair for pair in headers if pair[0].lower() not in _ALWAYS_OURS]
        sent += [*_OURS, (b"Content-Length", b"%d" % length)]
        await connection.send(build_head(b"%b %b HTTP/1.1" % (method.encode(), target), sent), body)
        return ReplicaResponse(connection, await connection.read_head())
    except BaseException:
        connection.close()
        raise


async def _connect_socket(address: str, timeout: float | None) -> socket.socket:
    is_unix = address.startswith("/")
    own = socket.socket(socket.AF_UNIX if is_unix else socket.AF_INET)
    try:
        own.setblocking(False)
        if is_unix:
            own.connect(address)  # at once, or never
        else:
            own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            host, _, port = address.rpartition(":")
            await asyncio.wait_for(asyncio.get_running_loop().sock_connect(own, (host, int(port))), timeout)
    except BaseException as error:
        own.close()
        if isinstance(error, asyncio.TimeoutError):
            raise ReplicaTimedOut("no connection in time") from None
        if isinstance(error, OSError):
            raise NotReached(error.strerror or str(error)) from None
        raise
    return own


class _Connection:
    """A socket with one request and its answer, which is closed as soon as the answer has come."""

    def __init__(self, own: socket.socket, method: str) -> None:
        self._loop = asyncio.get_running_loop()
        self._socket = own
        self._method = method
        self._head: ResponseHead | None = None
        self._left = 0
        """Bytes that are still to come of a body whose length is known."""
        self._http: h11.Connection | None = None
        """Reads an answer whose head is not plain."""
        self._parts: deque[bytes] = deque()
        self._buffered = 0
        self._waiter: asyncio.Future[None] | None = None
        self._error: ConnectionError | None = None
        self._is_complete = self._is_closed = self._is_paused = self._is_sending = False
        self._timer: asyncio.TimerHandle | None = None
        self._fileno = own.fileno()  # the loop finds a number quicker than a socket
        self._loop.add_reader(self._fileno, self._handle_readable)

    def set_timeout(self, seconds: float | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
        is_needed = seconds is not None and not self._is_closed
        self._timer = self._loop.call_later(seconds, self._expire) if is_needed and seconds is not None else None

    def close(self) -> None:
        if self._is_closed:
            return
        self.set_timeout(None)
        self._is_closed = True
        if not self._is_paused:
            self._loop.remove_reader(self._fileno)
        if self._is_sending:
            self._loop.remove_writer(self._fileno)
        self._socket.close()
        self._wake_waiter()

    # The request

    async def send(self, head: bytes, body: Iterable[bytes]) -> None:
        """Send the request; a process may answer, and close, before it has read all."""
        pending = head
        for part in body:
            if len(pending) >= _BLOCK:
                await self._write(pending)
                pending = b""
            pending += part
        await self._write(pending)

    async def _write(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest and not self._is_closed:
            try:
                rest = rest[self._socket.send(rest) :]
            except (BlockingIOError, InterruptedError):
                self._loop.add_writer(self._fileno, self._wake_waiter)
                self._is_sending = True
                await self._wait()
                if not self._is_closed:
                    self._loop.remove_writer(self._fileno)
                    self._is_sending = False
            except OSError:
                return  # what it has answered is still to be read; if it has not, reading fails
        if self._error is not None:
            raise self._error

    # The answer

    async def read_head(self) -> ResponseHead:
        while self._head is None:
            if self._error is not None:
                raise self._error
            await self._wait()
        return self._head

    async def read_part(self) -> bytes:
        """Return what has come of the body, and nothing at its end."""
        while not self._parts:
            if self._error is not None:
                raise self._error
            if self._is_complete:
                return b""
            await self._wait()
        part = self._parts.popleft()
        self._buffered -= len(part)
        if self._is_paused and self._buffered < _MOST_BUFFERED and not self._is_closed:
            self._is_paused = False
            self._loop.add_reader(self._fileno, self._handle_readable)
        return part

    def _handle_readable(self) -> None:
        try:
            data = self._socket.recv(_BLOCK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        try:
            self._receive(data)
        except h11.RemoteProtocolError as error:
            self._fail(ConnectionError(f"it sent what is not HTTP ({error})"))
        if self._is_complete:
            self.close()
        elif self._buffered >= _MOST_BUFFERED and not self._is_closed:
            self._is_paused = True
            self._loop.remove_reader(self._fileno)
        self._wake_waiter()

    def _receive(self, data: bytes) -> None:
        if self._http is not None:
            self._receive_by_h11(data)
            return
        if self._head is None:
            head = parse_response_head(data) if self._method != "HEAD" else None
            if head is None:
                self._http = _start_h11(self._method)
                self._receive_by_h11(data)
                return
            self._head, self._left = head, head.length or 0
            data = data[head.size :]
        elif not data:
            self._fail(ConnectionError("the connection broke off"))
        part = data[: self._left]
        self._left -= len(part)
        self._add_part(part)
        self._is_complete = self._left == 0

    def _receive_by_h11(self, data: bytes) -> None:
        assert self._http is not None
        self._http.receive_data(data)
        while not self._is_complete:
            event = self._http.next_event()
            if isinstance(event, h11.Response):
                self._head = _convert_head(event)
            elif isinstance(event, h11.Data):
                self._add_part(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._is_complete = True
            elif not isinstance(event, h11.InformationalResponse):
                if not data:
                    self._fail(ConnectionError("the connection broke off"))
                return

    def _add_part(self, part: bytes) -> None:
        if part:
            self._parts.append(part)
            self._buffered += len(part)

    # Waiting: one coroutine at a time sends, and then reads

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        await self._waiter

    def _wake_waiter(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _expire(self) -> None:
        self._fail(ReplicaTimedOut("no answer in time"))

    def _fail(self, error: ConnectionError) -> None:
        self._error = self._error or error
        self.close()


def _start_h11(method: str) -> h11.Connection:
    """Return a connection that has sent its request."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_LONGEST_HEAD)
    http.send(h11.Request(method=method, target=b"/", headers=_OURS))
    http.send(h11.EndOfMessage())
    return http


def _convert_head(event: h11.Response) -> ResponseHead:
    headers = [(bytes(name), bytes(value)) for name, value in event.headers]
    fields = dict(headers)
    length = None if b"transfer-encoding" in fields else fields.get(b"content-length")  # where both are, chunks count
    return ResponseHead(event.status_code, bytes(event.reason), headers, None if length is None else int(length), 0)
