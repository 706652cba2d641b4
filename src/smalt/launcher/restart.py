"""Keeping a server alive while jobs are unfinished, and starting one for the next tick of a schedule."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from smalt.launcher.timers import Timers
from smalt.machine.home import Home

FIRST_WAIT = 0.2  # a server that ends to make way for a newer one connects again within this
LONGEST_WAIT = 30.0
MOST_TRIES = 12  # about three minutes; then there is something that starting again does not cure


WAKE_AHEAD = 5.0
"""Seconds before a tick at which a server is started: more than it takes to come up, and the 2 s between two looks."""


class ServerKeeper:
    def __init__(self, home: Home, timers: Timers, started: Callable[[int], None], say: Callable[[str], None]) -> None:
        self._home = home
        self._timers = timers
        self._started = started
        self._say = say
        self._command: list[str] | None = None
        self._unfinished = 0
        self._wake_at: float | None = None
        self._connected = False
        self._tries = 0
        self._planned = False
        self.pid = 0
        """The server that we started, while it lives."""

    @property
    def is_server_missing(self) -> bool:
        """True if a server is needed now, none is connected and another start may be tried."""
        return not self._connected and bool(self._command) and self._is_server_needed and self._tries < MOST_TRIES

    @property
    def may_start_server(self) -> bool:
        """True if a server is missing, or is to be started later."""
        return self.is_server_missing or (self._wake_at is not None and self._tries < MOST_TRIES)

    @property
    def _is_server_needed(self) -> bool:
        return bool(self._unfinished) or (self._wake_at is not None and self._wake_at - time.time() <= WAKE_AHEAD)

    def set_wake_time(self, at: float | None) -> None:
        self._wake_at = at

    def check_wake_time(self) -> None:
        """Start a server if the time has come for which one is needed."""
        if self._wake_at is not None:
            self._plan_start()

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
            why = "the server was gone with jobs unfinished" if self._unfinished else "a schedule has a tick soon"
            self._say(f"{why}; started a server as process {self.pid}")
        except OSError as error:
            self._say(f"cannot start the server again: {error}")
            self._plan_start()
        if self._tries == MOST_TRIES:
            self._say("the server does not stay; not starting it any more")
