"""Free ports of this machine, for programs that are told at which port to listen."""

from __future__ import annotations

import contextlib
import random
import socket

_PORTS = range(20_000, 30_000)
"""Ray's workers have those below, Kubernetes' services those above."""
_TRIES = 20


def find_free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on now, all different; the system gives them to nobody by itself meanwhile."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            _bind_port(each)
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _bind_port(free: socket.socket) -> None:
    """Bind below the ports that connections of this machine get, one of which is taken at any time."""
    if _read_first_given() >= _PORTS.stop:
        for _ in range(_TRIES):
            with contextlib.suppress(OSError):
                free.bind(("127.0.0.1", random.choice(_PORTS)))
                return
    free.bind(("127.0.0.1", 0))


def _read_first_given() -> int:
    """Return the first port that Linux gives by itself; 0 where that is unknown."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
            return int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
