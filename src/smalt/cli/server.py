"""`smalt server …`."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import click

from smalt.cli.verb import Invocation, Noun
from smalt.exceptions import Unavailable
from smalt.processes import alive, identify

server = Noun("server", "The local server, which starts by itself.")

_PATIENCE = 60.0
_PAUSE = 0.05


@server.verb("start", click.Option(["--foreground"], is_flag=True, help="Stay in the foreground; end it with Ctrl-C."))
def start(to: Invocation, foreground: bool) -> Any:
    """Start the server of this home, detached, if it does not run."""
    _only_local()
    from smalt.client import autostart

    home = to.home
    if autostart.running(home):
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
    from smalt.client import autostart

    if not autostart.running(to.home):
        to.note("the server does not run")
        return
    process = identify(to.connection.get("/smalt/v1/status")["pid"])
    to.connection.post("/smalt/v1/shutdown", {"force": force})
    deadline = time.monotonic() + _PATIENCE
    while autostart.running(to.home) or (process and alive(process)):  # only then are its files at rest
        if time.monotonic() > deadline:
            raise Unavailable(
                f"the server was told to stop and has not after {_PATIENCE:.0f} s; see: smalt server logs"
            )
        time.sleep(_PAUSE)
    to.note("the server has stopped")


@server.verb("status")
def status(to: Invocation) -> Any:
    """Show whether the server runs, and where; exit code 1 if it does not."""
    if os.environ.get("SMALT_URL"):
        return _status(to)
    from smalt.client import autostart

    if autostart.running(to.home):
        return _status(to)
    to.show({"running": False, "home": str(to.home.root)})
    raise click.exceptions.Exit(1)


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

    facts = to.connection.get("/smalt/v1/status")
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
