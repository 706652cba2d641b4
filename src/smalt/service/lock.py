"""The lock by which exactly one server serves a home. It dies with its holder, however that dies."""

from __future__ import annotations

import fcntl
import os
import socket
import time

from smalt._version import __version__
from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.machine.versions import is_older

_PATIENCE = 30.0
"""Seconds for a server that ends, or gives way, to let go of the lock."""


class HomeLock:
    """The home's lock, held by this process until it ends."""

    def __init__(self, home: Home, handle: int) -> None:
        self._home = home
        self._path = home.path("server.lock")
        self._handle = handle

    @property
    def is_held(self) -> bool:
        """True if the home still exists and is still the same; someone may have deleted the folder."""
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._handle))
        except OSError:
            return False

    def remove_traces(self) -> None:
        """Remove the files that announce this server; after the home was deleted they are another server's."""
        if self.is_held:
            self._home.path("server.json").unlink(missing_ok=True)
            self._home.socket_path("server").unlink(missing_ok=True)


def take_lock(home: Home, patience: float = _PATIENCE) -> HomeLock | None:
    """Take the home's lock until this process ends; return None if another server has it and serves.

    A server of an older version is asked to give way. One that is ending (it no longer listens) is waited for.
    """
    handle = os.open(home.path("server.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    asked: object = None
    while not _try_lock(handle):
        server = home.read_json("server.json") or {}
        if _is_older(server) and asked != server.get("pid"):
            asked = server.get("pid")
            _ask_to_give_way(home)
        elif not _is_older(server) and _is_listening(home):
            os.close(handle)
            return None
        if time.monotonic() > deadline:
            raise Unavailable(
                f"another server of {home.root} (process {server.get('pid', 'unknown')}) holds its lock and does not "
                "answer; end that process and try again"
            )
        time.sleep(0.01)
    return HomeLock(home, handle)


def _try_lock(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_older(server: dict[str, object]) -> bool:
    return is_older(str(server.get("version", "")), __version__)


def _is_listening(home: Home) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(home.socket_path("server"))) == 0


def _ask_to_give_way(home: Home) -> None:
    body = b'{"replace": true}'
    head = (
        "POST /smalt/v1/shutdown HTTP/1.1\r\nHost: smalt\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        try:
            connection.connect(str(home.socket_path("server")))
            connection.sendall(head.encode() + body)
            connection.recv(1)
        except OSError:
            return  # it has ended meanwhile; the lock tells
