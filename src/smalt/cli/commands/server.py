"""`smalt server …`."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from smalt.cli.commands.doctor import describe_disk
from smalt.cli.framework.verb import Invocation, Noun
from smalt.client.connection.connection import Silent
from smalt.exceptions import Unavailable

if TYPE_CHECKING:
    from smalt.client.connection.autostart import Serving
    from smalt.machine.home import Home

server = Noun("server", "The local server, which starts by itself.")

_PATIENCE = 60.0
_PAUSE = 0.05
_SUCCESSION = 2.0
"""Seconds in which another server appears that was started at the same time."""
_SHORT = 3.0
"""Seconds after which a server that says nothing is looked at."""


@server.verb("start", click.Option(["--foreground"], is_flag=True, help="Stay in the foreground; end it with Ctrl-C."))
def start(to: Invocation, foreground: bool) -> Any:
    """Start the server of this home, detached, if it does not run."""
    _only_local()
    from smalt.client.connection import autostart

    home = to.home
    if autostart.serving(home) or autostart.running(home):
        to.note("the server runs already")
    elif foreground:
        _become(home)
    else:
        autostart.start(home).close()
    return _status(to)


@server.verb("stop", click.Option(["--force"], is_flag=True, help="Cancel unfinished jobs instead of refusing."))
def stop(to: Invocation, force: bool) -> None:
    """Stop the server; refused while jobs are unfinished, unless forced."""
    _only_local()
    from smalt.client.connection import autostart

    process = autostart.serving(to.home)
    if process is None and not autostart.running(to.home):
        to.note("the server does not run")
        return
    if process is not None and process.is_stopped:
        os.kill(process.pid, signal.SIGCONT)  # else it could not end
    to.connection.patience = _SHORT
    try:
        to.connection.post("/smalt/v1/shutdown", {"force": force})
    except Silent as error:
        if not force or process is None:
            raise
        to.note(f"{error}; it is killed, and the next one ends the jobs")
        os.kill(process.pid, signal.SIGKILL)
        _until_gone(to.home, process)
        _stop_successors(to)
    else:
        _until_gone(to.home, process)
    to.note("the server has stopped")


def _stop_successors(to: Invocation) -> None:
    """Have the jobs canceled by the next server, and stop the one that the launcher started meanwhile, if it did."""
    from smalt.client.connection import autostart

    until = 0.0
    while not until or time.monotonic() < until:
        if not until or autostart.running(to.home):
            to.connection.post("/smalt/v1/shutdown", {"force": True})
            _until_gone(to.home, autostart.serving(to.home))
            until = time.monotonic() + _SUCCESSION
        time.sleep(_PAUSE)


def _until_gone(home: Home, process: Serving | None) -> None:
    """Wait until the process has ended: only then are its files at rest."""
    from smalt.client.connection import autostart

    deadline = time.monotonic() + _PATIENCE
    while process.lives if process else autostart.running(home):
        if time.monotonic() > deadline:
            raise Unavailable(
                f"the server was told to stop and has not after {_PATIENCE:.0f} s; see: smalt server logs"
            )
        time.sleep(_PAUSE)


@server.verb("status")
def status(to: Invocation) -> Any:
    """Show whether the server runs, and where; exit code 1 if it does not."""
    if os.environ.get("SMALT_URL"):
        return _status(to)
    from smalt.client.connection import autostart

    process = autostart.serving(to.home)
    if process is None and not autostart.running(to.home):
        to.show({"running": False, "home": str(to.home.root)})
        raise click.exceptions.Exit(1)
    to.connection.patience = 0.0 if process and process.is_stopped else _SHORT
    try:
        return _status(to)
    except Silent as error:
        pid = process.pid if process else None
        to.show({"running": True, "answers": False, "pid": pid, "home": str(to.home.root), "reason": str(error)})
        raise click.exceptions.Exit(1) from None


@server.verb(
    "logs",
    click.Option(
        ["-n", "--lines"], type=click.IntRange(0), default=100, metavar="N", help="How many of the last lines."
    ),
    click.Option(["--follow"], is_flag=True, help="Go on showing what comes."),
)
def logs(to: Invocation, lines: int, follow: bool) -> None:
    """Show the log of the server."""
    _only_local()
    path = to.home.path("server.log")
    if not path.exists():
        to.note(f"there is no log yet in {path}")
        return
    with open(path, errors="replace") as log:
        sys.stdout.writelines(log.readlines()[-lines:] if lines else ())
        while follow:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(_PAUSE)


def _status(to: Invocation) -> dict[str, Any]:
    from datetime import datetime, timezone

    facts = to.connection.get("/smalt/v1/status", details=True)
    if facts["disk"]["full"]:
        to.note(f"{describe_disk(facts['disk'])}; free some space: smalt prune")
    started = datetime.fromtimestamp(facts["started"], timezone.utc).isoformat(timespec="seconds")
    return {"running": True, **facts, "started": started}


def _only_local() -> None:
    url = os.environ.get("SMALT_URL")
    if url:
        raise click.ClickException(
            f"SMALT_URL is set, so the server is the one at {url}; unset it to manage the local one"
        )


def _become(home: Any) -> None:
    """Turn this process into the server, so that signals and exit codes are its own."""
    home.create()
    sys.stdout.flush()
    os.execve(
        sys.executable,
        [sys.executable, "-m", "smalt.service", "--foreground"],
        {**os.environ, "SMALT_HOME": str(home.root)},
    )
