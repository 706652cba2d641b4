"""Keeping a server alive while jobs are unfinished."""

from __future__ import annotations

import os
from collections.abc import Callable

from smalt.launcher.timers import Timers
from smalt.machine.home import Home

FIRST_WAIT = 0.2  # a server that ends to make way for a newer one connects again within this
LONGEST_WAIT = 30.0
MOST_TRIES = 12  # about three minutes; then there is something that starting again does not cure


class ServerKeeper:
    def __init__(self, home: Home, timers: Timers, started: Callable[[int], None], say: Callable[[str], None]) -> None:
        self._home = home
        self._timers = timers
        self._started = started
        self._say = say
        self._command: list[str] | None = None
        self._unfinished = 0
        self._connected = False
        self._tries = 0
        self._planned = False
        self.pid = 0
        """The server that we started, while it lives."""

    @property
    def is_server_missing(self) -> bool:
        """True if jobs are unfinished, no server is connected and another start may be tried."""
        return not self._connected and bool(self._unfinished and self._command) and self._tries < MOST_TRIES

    def set_unfinished(self, unfinished: int) -> None:
        self._unfinished = unfinished

    def handle_connection(self, command: list[str] | None) -> None:
        self._connected = True
        self._command = command
        self._tries = 0

    def handle_disconnection(self) -> None:
        self._connected = False
        self._plan_start()

    def handle_exit(self) -> None:
        self.pid = 0
        self._plan_start()

    def _plan_start(self) -> None:
        if self.is_server_missing and not self._planned and not self.pid:
            self._planned = True
            self._timers.add_after(min(FIRST_WAIT * 2**self._tries, LONGEST_WAIT), self._start_server)

    def _start_server(self) -> None:
        self._planned = False
        if not self.is_server_missing or self.pid or self._command is None:
            return
        self._tries += 1
        log = str(self._home.path("server.log"))
        try:
            self.pid = os.posix_spawnp(
                self._command[0],
                self._command,
                {**os.environ, "SMALT_HOME": str(self._home.root)},
                file_actions=(
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_OPEN, 1, log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                    (os.POSIX_SPAWN_DUP2, 1, 2),
                ),
                setsid=True,
                setsigmask=(),
            )
            self._started(self.pid)
            self._say(f"the server was gone with jobs unfinished; started it again as process {self.pid}")
        except OSError as error:
            self._say(f"cannot start the server again: {error}")
            self._plan_start()
        if self._tries == MOST_TRIES:
            self._say("the server does not stay; not starting it any more")
