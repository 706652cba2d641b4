"""The connection to the home's launcher, which is started where there is none, and again when it dies."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

from smalt.exceptions import Unavailable
from smalt.launcher import __file__ as _launcher
from smalt.launcher.marks import VARIABLE
from smalt.launcher.protocol import encode_message
from smalt.machine.home import Home

log = logging.getLogger(__name__)

FIRST_WAIT = 0.004
LONGEST_WAIT = 2.0
SHORT_LIFE = 1.0  # a launcher that ends within this is started again less and less eagerly
PATIENCE = 5.0  # then a launcher that was started and cannot be reached is worth a warning

Message = dict[str, Any]
Handler = Callable[[Message], None]


class LauncherLink:
    """Sends messages to the launcher. Without one they are dropped: the owner repeats what matters to the next one."""

    def __init__(self, home: Home, restart: list[str], greet: Handler, receive: Handler) -> None:
        self._home = home
        self._restart = restart
        self._greet = greet
        self._receive = receive
        self._asked: list[asyncio.Future[Message]] = []  # who waits for the launcher's account of its warm parents
        self._out: list[Message] = []
        self._wire: _LauncherProtocol | None = None
        self._greeted = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._child = 0

    def open(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._keep_connected())

    @property
    def is_up(self) -> bool:
        """True if a launcher has greeted and is still there."""
        return self._greeted.is_set()

    async def wait_until_up(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._greeted.wait(), seconds)
        except asyncio.TimeoutError:
            log_file = self._home.path("launcher.log")
            raise Unavailable(f"the launcher does not come up; {log_file} says why") from None

    def send(self, message: Message) -> None:
        """Send a message, in one piece with all others of this turn of the loop."""
        if not self._greeted.is_set():
            return
        if not self._out:
            self._loop.call_soon(self._send_all)
        elif (last := self._out[-1])["t"] == message["t"]:
            if message["t"] == "start":
                last["steps"] = last["steps"] + message["steps"]
                return
            if message["t"] == "ack":
                last["ids"] = last["ids"] + message["ids"]
                return
        self._out.append(message)

    async def close(self) -> None:
        self._send_all()
        await self._disconnect()

    async def abort(self) -> None:
        """Close the connection as a killed server does: what was not sent is never sent."""
        self._out.clear()
        await self._disconnect()

    async def _disconnect(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._wire is not None and self._wire.transport is not None:
            self._wire.transport.close()
            await self._wire.lost.wait()
        self._reap_child()

    def _send_all(self) -> None:
        out, self._out = self._out, []
        if out and self._wire is not None and self._wire.transport is not None:
            self._wire.transport.write(b"".join(map(encode_message, out)))

    async def _keep_connected(self) -> None:
        wait, waited = FIRST_WAIT, 0.0
        while True:
            try:
                self._wire = await self._open_connection()
            except OSError:
                self._start_launcher()
                await asyncio.sleep(wait)
                waited += wait
                wait = min(wait * 1.3, LONGEST_WAIT)
                if waited > PATIENCE:
                    log.warning("the launcher cannot be reached; %s says why", self._home.path("launcher.log"))
                    waited = 0.0
                continue
            begun = self._loop.time()
            await self._wire.lost.wait()
            self._greeted.clear()
            self._out.clear()
            if self._loop.time() - begun > SHORT_LIFE:
                wait = FIRST_WAIT

    async def _open_connection(self) -> _LauncherProtocol:
        path = str(self._home.socket_path("launcher"))
        _, wire = await self._loop.create_unix_connection(lambda: _LauncherProtocol(self._handle_message), path)
        assert wire.transport is not None
        wire.transport.write(encode_message({"t": "hello", "restart": self._restart}))
        return wire

    def _handle_message(self, message: Message) -> None:
        if message["t"] == "hello":
            self._greeted.set()
            self._greet(message)
        elif message["t"] == "events":
            self._receive(message)
        elif message["t"] == "warm":
            asked, self._asked = self._asked, []
            for future in asked:
                if not future.done():
                    future.set_result(message)

    async def describe_parents(self, seconds: float) -> Message:
        """Return the launcher's account of its warm parents; empty where it does not answer in time."""
        if not self.is_up:
            return {}
        self._asked.append(self._loop.create_future())
        self.send({"t": "warm"})
        try:
            return await asyncio.wait_for(self._asked[-1], seconds)
        except asyncio.TimeoutError:
            return {}

    def _start_launcher(self) -> None:
        self._reap_child()
        if self._child:
            return
        program = os.path.join(os.path.dirname(_launcher), "__main__.py")
        environment = {name: value for name, value in os.environ.items() if name != VARIABLE}
        try:
            self._home.path("launcher").mkdir(mode=0o700, exist_ok=True)
            self._child = os.posix_spawn(
                sys.executable,
                # No site packages, no user's settings: it comes up in a third of the time and needs neither.
                [sys.executable, "-I", "-S", program, str(self._home.root)],
                environment,
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (
                        os.POSIX_SPAWN_OPEN,
                        1,
                        str(self._home.path("launcher.log")),
                        os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                        0o600,
                    ),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ),
                setsid=True,
            )
        except OSError as error:
            log.warning("cannot start the launcher: %s", error)

    def _reap_child(self) -> None:
        """Let no zombie stand for a launcher that we started and that ended."""
        if not self._child:
            return
        try:
            pid, _ = os.waitpid(self._child, os.WNOHANG)
        except ChildProcessError:
            pid = self._child
        if pid:
            self._child = 0


class _LauncherProtocol(asyncio.Protocol):
    def __init__(self, handle: Handler) -> None:
        self._handle = handle
        self._in = b""
        self.transport: asyncio.WriteTransport | None = None
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        *lines, self._in = (self._in + data).split(b"\n")
        for line in lines:
            self._handle(json.loads(line))

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self.lost.set()
