"""Error sentences for the end of a process and for exceptions."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
from typing import Any

from smalt.exceptions import SmaltError
from smalt.machine.disk_reserve import DiskSpace
from smalt.service.compute.backend import Exit

log = logging.getLogger("smalt.engine")

PROGRAM_SENTENCE = "logs/smalt_error.txt"
"""The file of the working directory in which programs of smalt's own say why they failed."""
_MOST_WORDS = 2000
_FIRST_WORD = re.compile(r"\s*(?:\w+=\S*\s+)*([\w./-]+)(?:\s|$)")
_NO_R = "R is not in its environment: list 'r-base' in the environment's conda_file, or install R on this machine"
_MISSING_MODULE = re.compile(r"^ModuleNotFoundError: No module named '([\w.]+)'\s*\Z", re.MULTILINE)
_WITH_MLFLOW = "azureml:sklearn-1.5@latest"
_INTERPRETERS = {".py": "python", ".sh": "bash", ".R": "Rscript", ".r": "Rscript", ".jl": "julia", ".pl": "perl"}


def find_exit_error(exit: Exit, timeout: float | None) -> dict[str, Any] | None:
    """Return the error of a command that did not succeed; None only if it ended by itself with code 0.

    `timeout` is the job's limit in seconds.
    """
    if exit.reason == "timeout":
        limit = f"{timeout:g} s" if timeout else "its limit"
        return make_error(f"the command ran longer than {limit} (limits.timeout) and was ended", "JobTimeout")
    if exit.reason in ("lost", "refused", "never started"):
        return make_error(exit.message or "its process is gone and left no exit code", "ProcessLost")
    if exit.signal:
        return make_error(f"the command was ended by {_get_signal_name(exit.signal)}", "UserError", signal=exit.signal)
    if exit.code:
        return make_error(f"the command {_describe_code(exit.code)}", "UserError", exit_code=exit.code)
    if exit.reason == "stopped":
        return make_error("the command was told to end before it had ended by itself", "Canceled")
    return None if exit.code == 0 else make_error("its process is gone and left no exit code", "ProcessLost")


def add_command_hint(error: dict[str, Any], command: str, folder: str, known_as: str | None = None) -> dict[str, Any]:
    """Add how to run a file of `folder` with which the command begins as if it were a program, or how to have R.

    `known_as` is the name by which the user calls that file.
    """
    program = _FIRST_WORD.match(command)
    if error.get("exit_code") not in (126, 127) or program is None:
        return error
    if error["exit_code"] == 127 and program.group(1) in ("R", "Rscript"):
        return {**error, "message": f"{error['message']}: {_NO_R}"}
    file = os.path.normpath(program.group(1))
    if os.path.isabs(file) or file.startswith("..") or not os.path.isfile(os.path.join(folder, file)):
        return error
    way = _INTERPRETERS.get(os.path.splitext(file)[1], "bash" if error["exit_code"] == 126 else "./")
    instead = f"./{file}" if way == "./" else f"{way} {file}"
    why = f"{known_as or file} exists, but its name alone is not a command; write '{instead}'"
    return {**error, "message": f"{error['message']}: {why}"}


def add_module_hint(error: dict[str, Any], log_file: str, python: str) -> dict[str, Any]:
    """Add what to do if the log of a job in `azureml:host` ends with a module that its Python, `python`, lacks."""
    try:
        with open(log_file, "rb") as file:
            file.seek(max(os.path.getsize(log_file) - 1000, 0))
            missing = _MISSING_MODULE.search(file.read().decode(errors="replace"))
    except OSError:
        return error
    if missing is None:
        return error
    module = missing[1].partition(".")[0]
    other = f", such as {_WITH_MLFLOW}" if module == "mlflow" else ""
    why = (
        f"azureml:host is {python}, which has no module '{module}'; install it there, name another Python with "
        f"'smalt config set host-python /path/to/python3', or give the job an environment that has it{other}"
    )
    return {**error, "message": f"{error['message']}: {why}"}


def add_disk_hint(error: dict[str, Any], home: str) -> dict[str, Any]:
    """Add that the disk of the home is full, if it is: that may be why the command failed."""
    try:
        disk = DiskSpace.measure(home)
    except OSError:
        return error
    if not disk.is_full:
        return error
    why = f"the disk of {home} is full ({disk}); free some space (smalt prune) and run it again"
    return {**error, "message": f"{error['message']}: {why}"}


def add_error_line(error: dict[str, Any], line: str | None) -> dict[str, Any]:
    """Add the line of its log that says why a command failed by itself.

    A signal is the cause where one ended it, but SIGABRT, by which a program ends itself.
    """
    code = int(error.get("exit_code") or 0)
    if error.get("signal") == signal.SIGABRT:
        is_unsaid = error["message"] == f"the command was ended by {_get_signal_name(signal.SIGABRT)}"
    else:
        is_by_itself = bool(code) and (not _stands_for_signal(code) or code - 128 == signal.SIGABRT)
        is_unsaid = is_by_itself and error["message"] == f"the command {_describe_code(code)}"
    return {**error, "message": f"{error['message']}: {line}"} if line and is_unsaid else error


def add_program_sentence(error: dict[str, Any], folder: str, file: str) -> dict[str, Any]:
    """Return the error with the sentence that a program of smalt's own left in `file` of its working directory."""
    if not error.get("exit_code"):
        return error
    try:
        with open(os.path.join(folder, file), encoding="utf-8", errors="replace") as sentence:
            words = sentence.read(_MOST_WORDS).strip()
    except OSError:
        return error
    return {**error, "message": words} if words else error


def make_error(message: str, code: str = "UserError", **more: Any) -> dict[str, Any]:
    return {"code": code, "message": message, **more}


def parse_message(error: str | None) -> str:
    """Return the sentence in a recorded error, which is JSON text or None."""
    return str(json.loads(error)["message"]) if error else "no reason was recorded"


def _describe_code(code: int) -> str:
    """Return an exit code in words: a shell exits with 128 and the number of the signal that ended its command."""
    words = f"exited with code {code}"
    return f"{words}, which stands for {_get_signal_name(code - 128)}" if _stands_for_signal(code) else words


def _stands_for_signal(code: int) -> bool:
    return any(code - 128 == one for one in signal.Signals)


def _get_signal_name(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
    return f"{name} (possibly out of memory)" if name == "SIGKILL" else name


def to_sentence(error: Exception) -> str:
    """Return the sentence that a user is shown for an exception."""
    if isinstance(error, OSError) and not isinstance(error, SmaltError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if not isinstance(error, SmaltError):
        log.error("unexpected", exc_info=error)
        return f"smalt itself failed ({type(error).__name__}: {error}); its server.log tells more"
    return str(error)
