"""The server's connections: accepting them, their maximum number, and time limits for silent ones."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import select
import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from smalt.service.listeners import get_peer_uid

logger = logging.getLogger("smalt")

HEAD_SECONDS = 20.0
"""Seconds for the head of a request, from the connection or its first byte."""
BODY_SECONDS = 120.0
"""Seconds that a sender may pause within a body."""
TAKING_SECONDS = 120.0
"""Seconds in which a client must take what waits for it, up to 64 KiB."""
IDLE_SECONDS = 120
"""Seconds that a connection is kept after an answer."""

_HANDSHAKE_SECONDS = 10.0
_LOOK = 1.0
_BACKLOG = 2048
_AT_ONCE = 64
"""Connections that are accepted in one turn of the event loop."""
_PAUSE = 0.1
"""Seconds until the next try where the system has no descriptor left."""
_SILENCE = 60.0
"""Seconds until the same warning is logged again."""
_LARGEST_CAP = 10_000
_LEAST_RESERVE = 64


def get_connection_limit() -> int:
    """Return the maximum number of TCP connections that leaves enough descriptors for the owner's socket and for
    files."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft in (-1, resource.RLIM_INFINITY):
        return _LARGEST_CAP
    return max(8, min(_LARGEST_CAP, soft - max(_LEAST_RESERVE, soft // 3)))


class ConnectionLimit:
    """Counts the open TCP connections over all ports; the Unix socket, its owner's, has no limit."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.waiting: list[Callable[[], None]] = []
        self._open: set[socket.socket] = set()
        self._warn = _RareWarning()

    def add(self, connection: socket.socket) -> None:
        self._open.add(connection)

    def remove(self, connection: socket.socket) -> None:
        self._open.discard(connection)
        while self.waiting and not self.is_reached:
            self.waiting.pop()()

    @property
    def is_reached(self) -> bool:
        return len(self._open) >= self.most

    def log_reached(self) -> None:
        self._warn("%d TCP connections are open, as many as there may be; others wait until one ends", self.most)


class Acceptor:
    """Accepts the connections of one listening socket, and pauses while there are too many."""

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[Callable[[], None]], AcceptedConnection],
        cap: ConnectionLimit,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._listener = listener
        self._make = make
        self._cap = None if listener.family == socket.AF_UNIX else cap
        self._tls = tls
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_open = True
        self._warn = _RareWarning()
        listener.setblocking(False)
        listener.listen(_BACKLOG)
        self._start_listening()

    def close(self) -> None:
        self._is_open = False
        self._loop.remove_reader(self._listener)

    async def wait_closed(self) -> None:
        """Return at once: uvicorn asks its listeners this, and the connections are waited for elsewhere."""

    def _start_listening(self) -> None:
        if self._is_open:
            self._loop.add_reader(self._listener, self._accept_connections)

    def _accept_connections(self) -> None:
        for _ in range(_AT_ONCE):
            if self._cap is not None and self._cap.is_reached:
                self._cap.log_reached()
                self._loop.remove_reader(self._listener)
                self._cap.waiting.append(self._start_listening)
                return
            try:
                connection, _address = self._listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                self._warn("no connection can be accepted now: %s", error.strerror)
                self._loop.remove_reader(self._listener)
                self._loop.call_later(_PAUSE, self._start_listening)
                return
            self._start_connection(connection)

    def _start_connection(self, connection: socket.socket) -> None:
        connection.setblocking(False)
        if self._cap is not None:
            self._cap.add(connection)
        task = self._loop.create_task(self._open_connection(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _open_connection(self, connection: socket.socket) -> None:
        def release() -> None:
            if self._cap is not None:
                self._cap.remove(connection)

        try:
            timeout = _HANDSHAKE_SECONDS if self._tls else None
            await self._loop.connect_accepted_socket(
                lambda: self._make(release), connection, ssl=self._tls, ssl_handshake_timeout=timeout
            )
        except (OSError, ssl.SSLError, asyncio.TimeoutError):
            release()
            connection.close()


class AcceptedConnection(H11Protocol):
    """A connection; over the Unix socket the peer must be the server's own user."""

    def __init__(self, released: Callable[[], None], **given: Any) -> None:
        super().__init__(**given)
        self._released = released
        self._is_idle = False
        self._full_since: float | None = None
        self._head_since = self.last_arrival = time.monotonic()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        connection = transport.get_extra_info("socket")
        if connection.family == socket.AF_UNIX and get_peer_uid(connection) != os.getuid():
            transport.abort()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._released()
        if self.transport is not None:
            super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Return True to answer a client that has only ended its own side.

        A TCP client that is gone looks the same until something is sent, so a stream to one ends here.
        """
        cycle = self.cycle
        if cycle is None or cycle.more_body or cycle.response_complete or not self._may_take_answer():
            return False
        if cycle.response_started and self.transport.get_extra_info("socket").family != socket.AF_UNIX:
            return False
        cycle.keep_alive = False
        return True

    def _may_take_answer(self) -> bool:
        """Return False if a client that has ended its side is known to be gone, or its connection cannot be half open.

        Over TLS a connection ends as a whole; over the Unix socket the system tells whether the other end is closed.
        """
        connection = self.transport.get_extra_info("socket")
        if self.transport.get_extra_info("sslcontext"):
            return False
        return connection.family != socket.AF_UNIX or not _is_hung_up(connection)

    def data_received(self, data: bytes) -> None:
        self.note_arrival()
        super().data_received(data)

    def note_arrival(self) -> None:
        """Note the time at which the client sent something."""
        self.last_arrival = time.monotonic()
        if self._is_idle:
            self._is_idle, self._head_since = False, self.last_arrival

    def on_response_complete(self) -> None:
        self._is_idle = True
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are not HTTP. After an invalid body nobody reads what its handler still sends."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()

    def pause_writing(self) -> None:
        self._full_since = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._full_since = None
        super().resume_writing()

    def is_timed_out(self, now: float) -> bool:
        """True if the rest of a head or body has not arrived in time, or an answer was not taken in time."""
        if self._full_since is not None and now - self._full_since > TAKING_SECONDS:
            return True
        if self.conn.their_state is h11.IDLE:
            return not self._is_idle and now - self._head_since > HEAD_SECONDS
        is_awaited = self.conn.their_state is h11.SEND_BODY and not self.flow.read_paused
        return is_awaited and now - self.last_arrival > BODY_SECONDS


async def close_timed_out(connections: Iterable[Any]) -> None:
    """Abort connections that have timed out, as long as the server runs."""
    while True:
        await asyncio.sleep(_LOOK)
        now = time.monotonic()
        for connection in [*connections]:
            if connection.is_timed_out(now):
                with contextlib.suppress(OSError):
                    connection.transport.abort()


class _RareWarning:
    """Logs a warning at most once a minute."""

    def __init__(self) -> None:
        self._last = -_SILENCE

    def __call__(self, text: str, *values: object) -> None:
        now = time.monotonic()
        if now - self._last >= _SILENCE:
            self._last = now
            logger.warning(text, *values)


def _is_hung_up(connection: socket.socket) -> bool:
    """Return True if the other end of a Unix socket is closed altogether."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return any(kinds & select.POLLHUP for _, kinds in poll.poll(0))
