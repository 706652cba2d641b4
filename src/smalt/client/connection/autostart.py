"""Find the home's server, or start it detached from the process that starts it."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from smalt.exceptions import Unavailable
from smalt.machine.server_environment import is_inherited
from smalt.machine.versions import is_older

if TYPE_CHECKING:
    import io
    import subprocess

    from smalt.machine.home import Home

DEADLINE = 60.0
"""Seconds in which a server must start: on a machine that does much else it takes many times what it takes alone."""
_FIRST_PAUSE = 0.002
_LONGEST_PAUSE = 0.02
_DYING_SECONDS = 1.0

_started: list[subprocess.Popen[bytes]] = []  # held until they end, so that none stays a zombie of this process
_last_started: dict[str, tuple[subprocess.Popen[bytes], int]] = {}  # by home; and how long its log was before


def connect_to_server(home: Home) -> socket.socket:
    """Return a connection to the home's server; start it if none runs, replace it if it is of an older version."""
    deadline = time.monotonic() + DEADLINE
    sock = _try_connect(home)
    if sock is not None and _is_server_older(home):
        _request_shutdown(home, sock)
        _wait_until_gone(home, deadline)
        sock = None
    return sock or start_server(home, deadline)


def is_running(home: Home) -> bool:
    """Return True if the home's server answers; starts nothing."""
    sock = _try_connect(home)
    if sock is None:
        return False
    sock.close()
    return True


class ServerProcess(NamedTuple):
    """The process of a home's server, as it recorded itself when it was ready."""

    pid: int
    start_time: int
    is_stopped: bool
    """True if the process is suspended, for example by SIGSTOP."""

    @property
    def is_alive(self) -> bool:
        from smalt.machine.processes import read_stat

        found = read_stat(self.pid)
        return found is not None and not found.is_dead and found.start_time == self.start_time


def find_server_process(home: Home) -> ServerProcess | None:
    """Return the process of the home's server, even if it does not answer; None if there is none or it is starting."""
    from smalt.machine.processes import read_boot_id, read_stat

    facts: Any = home.read_json("server.json")
    if not isinstance(facts, dict) or facts.get("boot_id") != read_boot_id():
        return None
    noted = str(facts.get("socket", home.socket_path("server")))
    if os.path.realpath(noted) != os.path.realpath(
        home.socket_path("server")
    ):  # of the home that this one is a copy of
        return None
    found = read_stat(int(facts["pid"]))
    if found is None or found.is_dead or found.start_time != facts.get("start_time"):
        return None
    return ServerProcess(int(facts["pid"]), found.start_time, found.state in "Tt")


def start_server(home: Home, deadline: float | None = None) -> socket.socket:
    """Start a server and connect to it.

    Several processes may do so at once; the home's lock decides which server stays.
    """
    deadline = deadline or time.monotonic() + DEADLINE
    home.create()
    reap_servers()
    log = home.path("server.log")
    seen = log.stat().st_size if log.exists() else 0
    process = spawn_server(home)
    _last_started[str(home.root)] = process, seen
    pause = _FIRST_PAUSE
    while True:
        sock = _try_connect(home)
        if sock is not None:
            return sock
        if process.poll():
            raise Unavailable(f"the smalt server did not start: {_read_last_log_line(home, seen)}")
        if time.monotonic() > deadline:
            said = _read_last_log_line(home, seen)
            raise Unavailable(f"the smalt server was started but did not respond within {DEADLINE:.0f} s: {said}")
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)


def find_start_failure(home: Home) -> str | None:
    """Return the last log line of the server started here last for the home if it ended with an error; else None."""
    import subprocess

    if str(home.root) not in _last_started:
        return None
    process, seen = _last_started[str(home.root)]
    try:
        code = process.wait(_DYING_SECONDS)
    except subprocess.TimeoutExpired:
        return None
    return _read_last_log_line(home, seen) if code else None


def spawn_server(home: Home) -> subprocess.Popen[bytes]:
    """Start `python -m smalt.service` for the home, in a session, folder and environment of its own."""
    import subprocess

    with _open_log(home) as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "smalt.service"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env=build_environment(home, os.environ),
            start_new_session=True,
        )
    _started.append(process)
    return process


def build_environment(home: Home, caller: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the server inherits from its caller."""
    kept = {name: value for name, value in caller.items() if is_inherited(name)}
    return {**kept, "SMALT_HOME": str(home.root)}


def _try_connect(home: Home) -> socket.socket | None:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(str(home.socket_path("server")))
    except OSError as error:
        sock.close()
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ConnectionRefusedError)):
            return None
        raise Unavailable(f"cannot reach the smalt server of {home.root}: {error.strerror or error}") from None
    return sock


def _is_server_older(home: Home) -> bool:
    from smalt._version import __version__

    facts: Any = home.read_json("server.json")
    theirs = facts.get("version") if isinstance(facts, dict) else None
    return isinstance(theirs, str) and theirs != __version__ and is_older(theirs, __version__)


def _request_shutdown(home: Home, sock: socket.socket) -> None:
    from smalt.client.connection.http1 import ConnectionLost, HttpConnection

    wire = HttpConnection(sock, "localhost")
    try:
        answer = wire.request("POST", "/smalt/v1/shutdown", {"Content-Type": "application/json"}, b'{"replace": true}')
        body = answer.read()
    except ConnectionLost:
        return  # ending already
    finally:
        wire.close()
    if answer.status >= 400:
        from smalt.client.connection.errors import from_response

        raise from_response(answer.status, body, "the request to give way to a newer version")


def _wait_until_gone(home: Home, deadline: float) -> None:
    while time.monotonic() < deadline:
        sock = _try_connect(home)
        if sock is None:
            return
        sock.close()
        time.sleep(_LONGEST_PAUSE)
    raise Unavailable("an older smalt server does not stop; run `smalt server stop --force` and try again")


def _read_last_log_line(home: Home, seen: int) -> str:
    try:
        with open(home.path("server.log"), "rb") as log:
            log.seek(seen)
            lines = log.read()[-65536:].decode(errors="replace").split("\n")
    except OSError:
        lines = []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else f"nothing was logged in {home.path('server.log')}"


def reap_servers() -> bool:
    """Forget the started servers that have ended; return True if one still runs."""
    _started[:] = [process for process in _started if process.poll() is None]
    return bool(_started)


def _open_log(home: Home) -> io.BufferedWriter:
    path = home.path("server.log")
    try:
        return open(path, "ab", opener=lambda name, flags: os.open(name, flags, 0o600))
    except OSError as error:
        raise Unavailable(
            f"cannot write {path}: {error.strerror}; set SMALT_HOME to a folder that you can write to"
        ) from None
