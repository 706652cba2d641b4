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
from smalt.client.connection.connection import ServerNotResponding
from smalt.exceptions import Unavailable

if TYPE_CHECKING:
    from smalt.client.connection.autostart import ServerProcess
    from smalt.machine.home import Home

server = Noun("server", "The local server, which starts automatically.")

_PATIENCE = 60.0
_PAUSE = 0.05
_SUCCESSION = 2.0
"""Seconds in which another server appears that was started at the same time."""
_SHORT = 3.0
"""Seconds after which a server that says nothing is looked at."""


@server.verb("start", click.Option(["--foreground"], is_flag=True, help="Stay in the foreground; end it with Ctrl-C."))
def start_server(ctx: Invocation, foreground: bool) -> Any:
    """Start the server of this home in the background, unless it runs."""
    _check_local()
    from smalt.client.connection import autostart

    home = ctx.home
    if autostart.find_server_process(home) or autostart.is_running(home):
        ctx.print_note("the server is already running")
    elif foreground:
        _become_server(home)
    else:
        autostart.start_server(home).close()
    return _get_status(ctx)


@server.verb("stop", click.Option(["--force"], is_flag=True, help="Cancel unfinished jobs instead of refusing."))
def stop_server(ctx: Invocation, force: bool) -> None:
    """Stop the server; refused while jobs are unfinished, unless forced."""
    _check_local()
    from smalt.client.connection import autostart

    process = autostart.find_server_process(ctx.home)
    if process is None and not autostart.is_running(ctx.home):
        ctx.print_note("the server is not running")
        return
    if process is not None and process.is_stopped:
        os.kill(process.pid, signal.SIGCONT)  # else it could not end
    ctx.connection.patience = _SHORT
    try:
        ctx.connection.post("/smalt/v1/shutdown", {"force": force})
    except ServerNotResponding as error:
        if not force or process is None:
            raise
        ctx.print_note(f"{error}; killing it, and the next server cancels the jobs")
        os.kill(process.pid, signal.SIGKILL)
        _wait_until_gone(ctx.home, process)
        _stop_successors(ctx)
    else:
        _wait_until_gone(ctx.home, process)
    ctx.print_note("the server has stopped")


def _stop_successors(ctx: Invocation) -> None:
    """Stop the next server, which cancels the jobs, and the one that the launcher may have started meanwhile."""
    from smalt.client.connection import autostart

    until = 0.0
    while not until or time.monotonic() < until:
        if not until or autostart.is_running(ctx.home):
            ctx.connection.post("/smalt/v1/shutdown", {"force": True})
            _wait_until_gone(ctx.home, autostart.find_server_process(ctx.home))
            until = time.monotonic() + _SUCCESSION
        time.sleep(_PAUSE)


def _wait_until_gone(home: Home, process: ServerProcess | None) -> None:
    """Wait until the process has ended; only then do its files stop changing."""
    from smalt.client.connection import autostart

    deadline = time.monotonic() + _PATIENCE
    while process.is_alive if process else autostart.is_running(home):
        if time.monotonic() > deadline:
            raise Unavailable(f"the server did not stop within {_PATIENCE:.0f} s; see: smalt server logs")
        time.sleep(_PAUSE)


@server.verb("status")
def show_status(ctx: Invocation) -> Any:
    """Show whether the server runs, and where; exit code 1 if it does not."""
    if os.environ.get("SMALT_URL"):
        return _get_status(ctx)
    from smalt.client.connection import autostart

    process = autostart.find_server_process(ctx.home)
    if process is None and not autostart.is_running(ctx.home):
        ctx.print_result({"running": False, "home": str(ctx.home.root)})
        raise click.exceptions.Exit(1)
    ctx.connection.patience = 0.0 if process and process.is_stopped else _SHORT
    try:
        return _get_status(ctx)
    except ServerNotResponding as error:
        pid = process.pid if process else None
        ctx.print_result(
            {"running": True, "answers": False, "pid": pid, "home": str(ctx.home.root), "reason": str(error)}
        )
        raise click.exceptions.Exit(1) from None


@server.verb(
    "logs",
    click.Option(
        ["-n", "--lines"], type=click.IntRange(0), default=100, metavar="N", help="The number of last lines to show."
    ),
    click.Option(["--follow"], is_flag=True, help="Keep showing new lines."),
)
def show_logs(ctx: Invocation, lines: int, follow: bool) -> None:
    """Show the log of the server."""
    _check_local()
    path = ctx.home.path("server.log")
    if not path.exists():
        ctx.print_note(f"there is no log yet in {path}")
        return
    with open(path, errors="replace") as log:
        sys.stdout.writelines(log.readlines()[-lines:] if lines else ())
        while follow:
            sys.stdout.write(log.read())
            sys.stdout.flush()
            time.sleep(_PAUSE)


def _get_status(ctx: Invocation) -> dict[str, Any]:
    from datetime import datetime, timezone

    facts = ctx.connection.get("/smalt/v1/status", details=True)
    if facts["disk"]["full"]:
        ctx.print_note(f"{describe_disk(facts['disk'])}; free some space: smalt prune")
    started = datetime.fromtimestamp(facts["started"], timezone.utc).isoformat(timespec="seconds")
    return {"running": True, **facts, "started": started}


def _check_local() -> None:
    url = os.environ.get("SMALT_URL")
    if url:
        raise click.ClickException(
            f"SMALT_URL is set, so the server is the one at {url}; unset it to manage the local one"
        )


def _become_server(home: Any) -> None:
    """Replace this process by the server, so that signals and exit codes are the server's."""
    home.create()
    sys.stdout.flush()
    os.execve(
        sys.executable,
        [sys.executable, "-m", "smalt.service", "--foreground"],
        {**os.environ, "SMALT_HOME": str(home.root)},
    )
