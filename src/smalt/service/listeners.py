"""The sockets on which the server listens: a Unix socket in a private folder, and a port on the loopback interface."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import socket

from smalt.exceptions import Unavailable
from smalt.machine.home import Home

_BACKLOG = 512
_PORTS = range(20000, 32000)
"""Below the ports that systems lend to outgoing connections, so that the home's port stays free."""


def open_unix_socket(home: Home) -> socket.socket:
    """Listen on the home's Unix socket; replace one that a dead server left. Call with the lock held."""
    folder, path = home.make_socket_folder(), home.socket_path("server")
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
    except OSError as error:
        raise Unavailable(f"cannot make the server's socket in {folder}: {error.strerror}") from None
    os.chmod(path, 0o600)
    listener.listen(_BACKLOG)
    return listener


def get_url_host(listen: str) -> str:
    """Return the host of URLs by which programs of this machine reach a listener on `listen`."""
    host = {"0.0.0.0": "127.0.0.1", "localhost": "127.0.0.1", "::": "::1"}.get(listen, listen)
    return f"[{host}]" if ":" in host else host


def open_tcp_socket(
    home: Home, host: str, name: str = "port", chosen: int | None = None
) -> tuple[socket.socket, str | None]:
    """Listen on the port that the user has `chosen`, else on the home's, which its first start chose and stored as
    `name`.

    If another program has the home's port, a free one serves for this run, and the returned note says so; the home
    keeps its own. A chosen port that is taken is refused.
    """
    if chosen is not None:
        try:
            return _open_port(host, chosen), None
        except OSError as error:
            raise Unavailable(
                f"cannot listen on port {chosen} of {host}: {error.strerror}; end the program that has the port, or "
                "choose another: smalt config set port NUMBER"
            ) from None
    kept = (home.read(name) or "").strip()
    if not kept.isdecimal():
        listener = _open_free_port(host)
        home.write(name, f"{listener.getsockname()[1]}\n")
        return listener, None
    try:
        return _open_port(host, int(kept)), None
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise _make_error(host, error) from None
    listener = _open_free_port(host)
    port = listener.getsockname()[1]
    note = f"port {kept} of this home is taken by another program; this run listens on port {port} instead"
    return listener, note


def get_peer_uid(connection: socket.socket) -> int | None:
    """Return the user at the other end of a Unix socket; None if the system does not tell."""
    if hasattr(socket, "SO_PEERCRED"):
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[4:8], "little")
    with contextlib.suppress(OSError):  # macOS: LOCAL_PEERCRED gives a struct xucred
        return int.from_bytes(connection.getsockopt(0, 1, 76)[4:8], "little")
    return None


def _open_free_port(host: str) -> socket.socket:
    for _ in range(64):
        with contextlib.suppress(OSError):
            return _open_port(host, secrets.choice(_PORTS))
    try:
        return _open_port(host, 0)
    except OSError as error:
        raise _make_error(host, error) from None


def _open_port(host: str, port: int) -> socket.socket:
    # Its protocol is said, for else asyncio leaves Nagle's algorithm on, and each small answer takes 40 ms.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def _make_error(host: str, error: OSError) -> Unavailable:
    return Unavailable(f"cannot listen on {host}: {error.strerror}; set 'listen' to an address of this machine")
