"""The lifecycle of a server, from open sockets to the last answer: the rooms, the HTTP server, the reasons to stop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import pwd
import secrets
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import uvicorn

from smalt._version import __version__
from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.machine.processes import find_process, read_boot_id
from smalt.service import daemon, relocation, tls
from smalt.service.api.app import build_app
from smalt.service.api.scoring_connection import ScoringConnection
from smalt.service.api.server_context import ServerContext
from smalt.service.composition import build_engine
from smalt.service.compute import LauncherClient
from smalt.service.connections import (
    IDLE_SECONDS,
    Acceptor,
    ConnectionLimit,
    close_timed_out,
    get_connection_limit,
)
from smalt.service.endpoints.online.online_endpoints import OnlineEndpoints
from smalt.service.engine import usage
from smalt.service.listeners import get_url_host, open_tcp_socket
from smalt.service.lock import HomeLock
from smalt.service.records import tokens
from smalt.service.records.database import Database
from smalt.service.settings import ServerSettings

logger = logging.getLogger("smalt")

_LARGEST_LOG = 8 * 1024 * 1024
_LOOK = 1.0
"""Seconds between looks at whether there is a reason to end."""
_ROOM_AGAIN = 60.0
"""Seconds until it is looked at again how full the disk is."""
_SHORT_REST = 60.0
"""Seconds until the next tick of a schedule for which an idle server stays at least."""
_SETTLED = 1.0
"""Seconds after which who started the server has most likely been served."""

_LAST_ANSWERS = 3
"""Seconds for requests in progress once the server ends."""


class ListeningSockets(NamedTuple):
    """The sockets on which a server listens."""

    unix: socket.socket
    tcp: socket.socket
    note: str | None
    """A sentence for users about the port."""


class ServerLifecycle:
    """Runs a server until it stops."""

    def __init__(
        self, home: Home, settings: ServerSettings, lock: HomeLock, sockets: ListeningSockets, foreground: bool
    ) -> None:
        self._home = home
        self._settings = settings
        self._lock = lock
        self._sockets = sockets
        self._foreground = foreground
        self._cap = ConnectionLimit(get_connection_limit())

    def run(self) -> None:
        """Serve until the server stops. Threads that still copy or fetch are not waited for: they write whole files or
        none."""
        _set_up_logging(self._home, self._foreground)
        asyncio.run(self._serve_until_stopped())

    async def _serve_until_stopped(self) -> None:
        service = await self._open_context()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, service.stopping.set)
        watch = loop.create_task(_stop_when_idle(service, self._lock))
        samples = loop.create_task(usage.record_usage(service.engine.context.computes, service.db))
        room = loop.create_task(_keep_reserve(service))
        http = _HttpServer(service, self._cap, lambda: self._handle_ready(service))
        try:
            await http.serve([self._sockets.unix, self._sockets.tcp])
        finally:
            watch.cancel()
            samples.cancel()
            room.cancel()
            await self._close_context(service)
        self._lock.remove_traces()
        logging.shutdown()
        os._exit(0)

    async def _open_context(self) -> ServerContext:
        home, settings = self._home, self._settings
        relocated = relocation.check_relocation(home)
        db = Database(home.path("smalt.db"))
        principal = pwd.getpwuid(os.getuid()).pw_name if _has_user_name() else f"uid {os.getuid()}"
        _ensure_token(home, db, principal)
        launcher = LauncherClient(home, cpus=settings.cpus)
        engine, port = build_engine(home, settings, db, launcher), self._sockets.tcp.getsockname()[1]
        relocation.handle_relocation(home, db, engine.context, relocated)
        tls_port = self._tls_port = _TlsPort(home, settings, self._cap)
        online = OnlineEndpoints(engine.context, launcher)
        service = tls_port.service = ServerContext(
            home, settings, db, engine, online, principal, port=port, open_tls=tls_port.open, launcher=launcher
        )
        service.host, service.port_note = get_url_host(settings.listen), self._sockets.note
        engine.context.tracking.port = port  # the first jobs start while the engine opens
        engine.context.identity.listener = tls_port
        if engine.context.identity.is_on:  # jobs of an earlier server know the port
            tls_port.get_port()
        await engine.open()
        await online.open()
        engine.context.tracking.open()
        service.scheduler.open()
        return service

    def _handle_ready(self, service: ServerContext) -> None:
        process = find_process(os.getpid())
        facts = {
            "pid": os.getpid(),
            "start_time": process.start_time if process else None,
            "boot_id": read_boot_id(),
            "port": service.port,
            "version": __version__,
            "socket": str(self._home.socket_path("server")),
        }
        self._home.write("server.json", json.dumps(facts) + "\n")
        if self._sockets.note:
            logger.warning(self._sockets.note)
        _warn_if_exposed(self._settings)
        logger.info("smalt %s serves %s on %s", __version__, self._home.root, service.base_url)
        if not self._foreground:
            daemon.send_errors_to_log(self._home)
        if service.engine.context.identity.is_on:  # making the authority of a new home takes a while
            asyncio.get_running_loop().run_in_executor(None, self._tls_port.ensure_trusted)
        gc.freeze()  # what is loaded by now lives as long as the server: the collector need not look at it
        asyncio.get_running_loop().call_later(_SETTLED, _widen_database, service)

    async def _close_context(self, service: ServerContext) -> None:
        service.scheduler.close()
        if not service.ends_idle and service.launcher is not None:
            service.launcher.wake_server_at(None)  # who ended the server does not want it back
        await service.online.close()
        await service.engine.close()
        await service.tracking.close()
        service.db.close()
        logger.info("the server has ended")


class _TlsPort:
    """The listener for programs that send their tokens over TLS only.

    Its port opens when a job is told of it; its TLS server starts when the first program connects.
    """

    service: ServerContext

    def __init__(self, home: Home, settings: ServerSettings, cap: ConnectionLimit) -> None:
        self._home = home
        self._settings = settings
        self._cap = cap
        self._listener: socket.socket | None = None
        self._port = 0
        self._trusted = ""
        self._has_no_port = False
        self._opened: asyncio.Task[tuple[str, str]] | None = None

    @property
    def is_ready(self) -> bool:
        return bool(self._trusted)

    def get_port(self) -> int | None:
        if self._has_no_port and self._listener is None:
            return None
        try:
            self._take_port()
        except Unavailable as error:
            self._has_no_port = True
            logger.warning("jobs cannot open their workspace: %s", error)
            return None
        return self._port

    def ensure_trusted(self) -> str:
        self._trusted = self._trusted or tls.write_trusted(self._home)
        return self._trusted

    def _take_port(self) -> socket.socket:
        if self._listener is None:
            self._listener, note = open_tcp_socket(self._home, self._settings.listen, "tls-port")
            self._listener.setblocking(False)
            self._port = int(self._listener.getsockname()[1])
            if note:
                logger.warning("for TLS: %s", note)
            asyncio.get_running_loop().add_reader(self._listener, self._handle_connection)
        return self._listener

    def _handle_connection(self) -> None:
        """Start the TLS server for the first connection, which waits."""
        if self._opened is None or self._opened.done():
            self._opened = self._start_opening()

    async def open(self) -> tuple[str, str]:
        if self._opened is None or (self._opened.done() and self._opened.exception()):
            self._opened = self._start_opening()
        return await asyncio.shield(self._opened)

    def _start_opening(self) -> asyncio.Task[tuple[str, str]]:
        task = asyncio.ensure_future(self._open_port())
        task.add_done_callback(
            lambda done: done.cancelled() or done.exception()
        )  # it is logged; nobody may wait for it
        return task

    async def _open_port(self) -> tuple[str, str]:
        listener, loop = self._take_port(), asyncio.get_running_loop()
        loop.remove_reader(listener)
        try:
            return await self._serve_socket(listener)
        except Exception as error:
            logger.warning("cannot answer over TLS: %s", error)
            _close_waiting(listener)
            loop.call_later(_LOOK, self._listen_again, listener)
            raise Unavailable(
                f"this server cannot answer over TLS: {error}; see its log, and remove {self._home.path('tls')} "
                "if the files there are damaged"
            ) from error

    def _listen_again(self, listener: socket.socket) -> None:
        if self._opened is not None and self._opened.done() and self._opened.exception():
            asyncio.get_running_loop().add_reader(listener, self._handle_connection)

    async def _serve_socket(self, listener: socket.socket) -> tuple[str, str]:
        names = {"127.0.0.1", "::1", "localhost", self._settings.listen, *self._settings.allowed_hosts}
        context = await asyncio.to_thread(tls.build_context, self._home, sorted(names - {"", "0.0.0.0", "::"}))
        await asyncio.to_thread(tls.write_trusted, self._home)
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        http = _HttpServer(self.service, self._cap, lambda: ready.set_result(None), context)
        self._serving = asyncio.ensure_future(http.serve([listener]))
        await asyncio.wait({ready, self._serving}, return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            await self._serving
        url = f"https://{get_url_host(self._settings.listen)}:{listener.getsockname()[1]}"
        logger.info("TLS on %s", url)
        return url, tls.read_certificate(self._home)


def _close_waiting(listener: socket.socket) -> None:
    """Close the connections that wait at the socket, so that their clients do not wait for ever."""
    with contextlib.suppress(OSError):
        while True:
            listener.accept()[0].close()


class _HttpServer(uvicorn.Server):
    """A uvicorn server that stops by the context's event instead of polling ten times a second."""

    def __init__(
        self, service: ServerContext, cap: ConnectionLimit, ready: Callable[[], None], tls: ssl.SSLContext | None = None
    ) -> None:
        self._service = service
        self._cap = cap
        self._ready = ready
        self._tls = tls
        self._app = build_app(service)
        super().__init__(
            uvicorn.Config(
                self._app,
                http=ScoringConnection,
                interface="asgi3",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_graceful_shutdown=_LAST_ANSWERS,
                timeout_keep_alive=IDLE_SECONDS,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen with `Acceptor`, which keeps descriptors for the owner's connections."""
        self.servers: list[Any] = [
            Acceptor(listener, self._make_connection, self._cap, self._tls) for listener in sockets or ()
        ]
        self._watch = asyncio.ensure_future(close_timed_out(self.server_state.connections))
        self.started = True

    def _make_connection(self, released: Callable[[], None]) -> ScoringConnection:
        given = {"config": self.config, "server_state": self.server_state, "app_state": {}}
        return ScoringConnection(released, self._service, self._app, **given)

    async def main_loop(self) -> None:
        self._ready()
        await self._service.stopping.wait()
        self._watch.cancel()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _widen_database(service: ServerContext) -> None:
    try:
        service.db.extend_log()
    except Unavailable as error:  # it only makes commits quicker
        logger.warning("%s", error)


async def _keep_reserve(service: ServerContext) -> None:
    """Fill the disk reserve soon after the start, and again whenever there is room after it was used."""
    while True:
        await asyncio.sleep(_SETTLED)
        try:
            await asyncio.to_thread(service.engine.context.reserve.fill)
        except OSError as error:
            logger.warning("no room can be kept in %s: %s", service.home.root, error.strerror)
        await asyncio.sleep(_ROOM_AGAIN)


async def _stop_when_idle(service: ServerContext, lock: HomeLock) -> None:
    while True:
        if not lock.is_held:
            logger.warning("the home was deleted; its server ends")
            service.stopping.set()
            return
        limit = service.settings.idle_minutes * 60
        if service.is_needed:
            service.activity.touch()
        left = limit - service.activity.idle_seconds
        if limit and left <= 0 and _is_needed_soon(service, limit):
            left = _LOOK
        elif limit and left <= 0:
            service.ends_idle = True
            logger.info("nobody has asked for anything in %g minutes", service.settings.idle_minutes)
            service.stopping.set()
            return
        await asyncio.sleep(min(max(left, 0.02), _LOOK) if limit else _LOOK)


def _is_needed_soon(service: ServerContext, limit: float) -> bool:
    """Return True if a schedule has a tick soon, or later and nobody would start a server for it."""
    at = service.scheduler.next_time
    if at is None:
        return False
    is_soon = at - service.scheduler.clock.now() < max(limit, _SHORT_REST)
    return is_soon or service.launcher is None or not service.launcher.can_wake_server


def _ensure_token(home: Home, db: Database, principal: str) -> None:
    """Register the token of the home's file, which permits everything, in place of an earlier one."""
    token = home.read_token()
    if token is None:
        token = secrets.token_urlsafe(32)
        home.write("token", f"{token}\n")
    elif home.path("token").stat().st_mode & 0o077:
        home.path("token").chmod(0o600)
    with db.transaction():
        db.execute("DELETE FROM tokens WHERE created_by='server'")
        tokens.add_token(db, token, principal)


def _has_user_name() -> bool:
    try:
        return bool(pwd.getpwuid(os.getuid()))
    except KeyError:
        return False


def _warn_if_exposed(settings: ServerSettings) -> None:
    if settings.listen not in ("127.0.0.1", "::1", "localhost"):
        logger.warning(
            "listening on %s without TLS: tokens travel in the clear; put a TLS proxy in front", settings.listen
        )


def _set_up_logging(home: Home, foreground: bool) -> None:
    path = home.path("server.log")
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > _LARGEST_LOG:
            os.replace(path, home.path("server.log.1"))
    handlers: list[logging.Handler] = [logging.FileHandler(path)]
    if foreground:
        handlers.append(logging.StreamHandler(sys.stderr))
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", handlers=handlers, force=True
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
