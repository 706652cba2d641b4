"""Failures of the command line: one sentence on standard error and an exit code, never a traceback."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from smalt.exceptions import SmaltError, ValidationException

OK, FAILED, USAGE, LOST, INTERRUPTED, BROKEN_PIPE = 0, 1, 2, 3, 130, 141
"""LOST: the server of a followed job went away and did not come back, so nothing is known of the job's end."""


def run_guarded(command: click.Command, args: Sequence[str]) -> int:
    """Run the command line and return its exit code; print every failure as a sentence."""
    try:
        code = command.main(args=list(args), prog_name="smalt", standalone_mode=False)
        sys.stdout.flush()
    except Exception as error:
        return _handle_error(error)
    except KeyboardInterrupt:
        return _print_interrupted()
    return code if isinstance(code, int) else OK


def _handle_error(error: Exception) -> int:
    if os.environ.get("SMALT_DEBUG") and not isinstance(error, (click.exceptions.Exit, click.Abort)):
        import traceback

        traceback.print_exception(error)
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return _print_interrupted()
    if isinstance(error, click.ClickException):
        return _print_error(_format_click_error(error), USAGE)
    if isinstance(error, ValidationException):
        return _print_problems(error)
    if isinstance(error, SmaltError):
        return _print_error(str(error), FAILED)
    if isinstance(error, BrokenPipeError):
        return _handle_closed_pipe()
    if isinstance(error, FileNotFoundError) and not error.filename and _is_folder_deleted():
        return _print_error("the current folder was deleted; go to another (cd) or name the file absolutely", FAILED)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return _print_error(f"{where}{error.strerror}", FAILED)
    return _print_error(_describe_unexpected(error), FAILED)


def _is_folder_deleted() -> bool:
    """Return True if the current folder was deleted."""
    try:
        return not os.getcwd()
    except FileNotFoundError:
        return True


def _print_error(text: str, code: int) -> int:
    """Print each line of the text as an error, and return the exit code."""
    for line in text.splitlines() or ["smalt failed"]:
        click.echo(f"error: {line}", err=True)
    return code


def _print_problems(error: ValidationException) -> int:
    """Print problems with a place as `file:line:col: message`, as compilers do; return the exit code."""
    for problem in error.problems:
        line = str(problem) if problem.file and problem.line else f"error: {problem}"
        click.echo(line, err=True)
    return USAGE


def _format_click_error(error: click.ClickException) -> str:
    """Return click's message as one sentence, with the command that shows more."""
    message = " ".join(error.format_message().split()).rstrip(".")
    if not message[1:2].isupper():
        message = message[:1].lower() + message[1:]
    ctx = getattr(error, "ctx", None)
    if ctx is None or "--help" in message:
        return message
    if message.endswith("?"):
        return f"{message} See {ctx.command_path} --help."
    return f"{message}; see {ctx.command_path} --help"


def _print_interrupted() -> int:
    click.echo("interrupted", err=True)
    return INTERRUPTED


def _handle_closed_pipe() -> int:
    """End quietly after the reader of our output has gone (`smalt job list | head`)."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE


def _describe_unexpected(error: Exception) -> str:
    """Return the sentence for a fault of smalt itself, whose details are written to a file."""
    kind = type(error).__name__
    reason = " ".join(str(error).split())[:200]
    said = f"smalt failed unexpectedly ({kind}{': ' + reason if reason else ''})"
    try:
        path = _write_error_log(error)
    except OSError:
        return f"{said}; run it again with SMALT_DEBUG=1 to see where"
    return f"{said}; the details are in {path}"


def _write_error_log(error: Exception) -> str:
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
