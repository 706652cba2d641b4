"""Detaching a server from the client that started it: session, folder, environment, descriptors."""

from __future__ import annotations

import contextlib
import os

from smalt.machine.home import Home
from smalt.machine.server_environment import is_inherited


def detach_from_caller(home: Home) -> None:
    """Start a new session in `/`, with a short list of variables and no descriptors but standard error.

    Standard error stays until `send_errors_to_log`: the starter reads there why the server failed, or sees the end
    of the file when it is ready.
    """
    _start_session()
    os.chdir("/")
    _close_descriptors()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.close(null)
    remove_variables(home)


def remove_variables(home: Home) -> None:
    """Remove all environment variables that a server does not keep."""
    for name in [name for name in os.environ if not is_inherited(name)]:
        del os.environ[name]
    os.environ["SMALT_HOME"] = str(home.root)


def send_errors_to_log(home: Home) -> None:
    """Send everything that is written to standard error from now on to the server's log."""
    log = os.open(home.path("server.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 2)
    os.close(log)


def _start_session() -> None:
    if os.getsid(0) == os.getpid():
        return
    if os.getpgrp() == os.getpid() and os.fork():
        os._exit(0)  # a group's leader cannot begin a session; its child can
    os.setsid()


def _close_descriptors() -> None:
    for name in os.listdir("/dev/fd"):
        with contextlib.suppress(OSError):  # the folder's own is gone by now
            if int(name) > 2:
                os.close(int(name))
