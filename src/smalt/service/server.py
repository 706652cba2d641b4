"""A server's life: boot, serve, end. Called with the home's lock held.

It listens before anything slow is imported, so that a client connects at once and waits for its answer, not
for a socket; it answers only after everything that a crash left is settled.
"""

from __future__ import annotations

from smalt.machine.home import Home
from smalt.service.listeners import tcp_door, unix_door
from smalt.service.lock import Lock
from smalt.service.settings import Settings


def run(home: Home, lock: Lock, foreground: bool) -> None:
    home.path("server.json").unlink(missing_ok=True)
    unix = unix_door(home)
    try:
        settings = Settings(home)
        tcp, note = tcp_door(home, settings.listen, chosen=settings.port)
        from smalt.service.lifecycle import Doors, Life  # late: both doors are open by now

        Life(home, settings, lock, Doors(unix, tcp, note), foreground).run()
    finally:
        lock.withdraw()
