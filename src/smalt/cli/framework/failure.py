"""What a failure looks like: one sentence on standard error and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from smalt.exceptions import SmaltError, ValidationException

OK, FAILED, USAGE, LOST, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 130, 141
"""LOST: the server of a followed job went away and did not come back, so nothing is known of the job's end."""


def guarded(command: click.Command, args: Sequence[str]) -> int:
    """Run the command line; every failure becomes a sentence and an exit code."""
    try:
        code = command.main(args=list(args), prog_name="smalt", standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:
        return _explained(error)
    except KeyboardInterrupt:
        return _interrupted()
    return code if isinstance(code, int) else OK


def _explained(error: Exception) -> int:
    if os.environ.get("SMALT_DEBUG") and not isinstance(error, (click.exceptions.Exit, click.Abort)):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return _interrupted()
    if isinstance(error, click.ClickException):
        return _say(_sentence(error), USAGE)
    if isinstance(error, ValidationException):
        return _problems(error)
    if isinstance(error, SmaltError):
        return _say(str(error), FAILED)
    if isinstance(error, BrokenPipeError):
        return _pipe_closed()
    if isinstance(error, FileNotFoundError) and not error.filename and _is_nowhere():
        return _say("the current folder was deleted; go to another (cd) or name the file absolutely", FAILED)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return _say(f"{where}{error.strerror}", FAILED)
    return _say(_unexpected(error), FAILED)


def _is_nowhere() -> bool:
    """Return whether the current folder was deleted."""
    try:
        return not os.getcwd()
    except FileNotFoundError:
        return True


def _say(text: str, code: int) -> int:
    """Each line of `text` as an error."""
    for line in text.splitlines() or ["smalt failed"]:
        click.echo(f"error: {line}", err=True)
    return code


def _problems(error: ValidationException) -> int:
    """Problems that have a place are printed as `file:line:col: message`, as compilers do."""
    for problem in error.problems:
        line = str(problem) if problem.file and problem.line else f"error: {problem}"
        click.echo(line, err=True)
    return USAGE


def _sentence(error: click.ClickException) -> str:
    """click's message as one sentence of ours, with where to read more."""
    message = " ".join(error.format_message().split()).rstrip(".")
    if not message[1:2].isupper():
        message = message[:1].lower() + message[1:]
    ctx = getattr(error, "ctx", None)
    if ctx is None or "--help" in message:
        return message
    if message.endswith("?"):
        return f"{message} See {ctx.command_path} --help."
    return f"{message}; see {ctx.command_path} --help"


def _interrupted() -> int:
    click.echo("interrupted", err=True)
    return INTERRUPTED


def _pipe_closed() -> int:
    """The reader of our output has gone (`smalt job list | head`): end quietly."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _unexpected(error: Exception) -> str:
    """A fault of smalt itself: its details go to a file."""
    kind = type(error).__name__
    reason = " ".join(str(error).split())[:200]
    said = f"smalt failed unexpectedly ({kind}{': ' + reason if reason else ''})"
    try:
        path = _logged(error)
    except OSError:
        return f"{said}; run it again with SMALT_DEBUG=1 to see where"
    return f"{said}; the details are in {path}"


def _logged(error: Exception) -> str:
    import time
    import traceback

    from smalt.machine.home import Home

    home = Home.find()
    home.create()
    path = home.path("cli.log")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as file:
        file.write(f"{time.strftime('%Y-%m-%dT%H:%M:%S%z')} {' '.join(sys.argv[1:2])}\n")
        file.writelines(traceback.format_exception(error))
    return str(path)
