"""A server run: boot, serve, stop. Called with the home's lock held.

It listens before anything slow is imported, so that a client connects at once and waits for its answer, not for a
socket; it answers only after everything that a crash left is settled.
"""

from __future__ import annotations

from smalt.machine.home import Home
from smalt.service.listeners import open_tcp_socket, open_unix_socket
from smalt.service.lock import HomeLock
from smalt.service.settings import ServerSettings


def run_server(home: Home, lock: HomeLock, foreground: bool) -> None:
    home.path("server.json").unlink(missing_ok=True)
    unix = open_unix_socket(home)
    try:
        settings = ServerSettings(home)
        tcp, note = open_tcp_socket(home, settings.listen, chosen=settings.port)
        from smalt.service.lifecycle import ListeningSockets, ServerLifecycle  # late: both sockets listen by now

        ServerLifecycle(home, settings, lock, ListeningSockets(unix, tcp, note), foreground).run()
    finally:
        lock.remove_traces()
