"""A warm child: it takes the part of a step's shell (`runner/script.py`), and forks the step's program."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]
import ctypes
import os

from . import imported_files, parent, process_title, program

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TAKEN = 253
"""As in `launcher/claims.py`."""
REFUSED = 252
"""The exit code without a claim: the launcher starts the step cold."""
CHANGED = 251
"""As REFUSED, where no further step may have this parent: what it imported has changed."""
_CODE_OF_SIGNAL = 128
_NEW_NAMESPACE = 0x20000

_NAMES = {
    "SIGHUP": "Hangup", "SIGILL": "Illegal instruction", "SIGTRAP": "Trace/breakpoint trap", "SIGABRT": "Aborted",
    "SIGBUS": "Bus error", "SIGFPE": "Floating point exception", "SIGKILL": "Killed",
    "SIGUSR1": "User defined signal 1", "SIGSEGV": "Segmentation fault", "SIGUSR2": "User defined signal 2",
    "SIGALRM": "Alarm clock", "SIGQUIT": "Quit",
    "SIGXCPU": "CPU time limit exceeded", "SIGXFSZ": "File size limit exceeded", "SIGSYS": "Bad system call",
}  # fmt: skip


class _Signals:
    """The signals that the keeper got, which it survives as the shell does."""

    def __init__(self) -> None:
        self.ended = self.interrupted = False
        _signal.signal(_signal.SIGTERM, self._note_end)
        _signal.signal(_signal.SIGINT, self._note_interrupt)
        _signal.signal(_signal.SIGQUIT, _signal.SIG_IGN)
        _signal.signal(_signal.SIGPIPE, _signal.SIG_DFL)
        _signal.signal(_signal.SIGXFSZ, _signal.SIG_DFL)

    def _note_end(self, *_: Any) -> None:
        self.ended = True

    def _note_interrupt(self, *_: Any) -> None:
        self.interrupted = True


def run_step(channel: Any, plan: dict[str, Any], added: dict[str, str], stamps: imported_files.Stamps) -> None:
    """Wait for a step, claim it and run it; return only in the process of its program."""
    signals = _Signals()
    channel.send(b"%d" % os.getpid())
    step, descriptors = parent.receive(channel)
    if step is None:
        os._exit(0)
    channel.close()
    if imported_files.have_changed(stamps):
        os._exit(CHANGED)
    claim: str = step["claim"]
    process_title.set_title(["smalt-warm", claim], step["env"])
    try:
        log = os.open(step["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        if descriptors:
            _enter_namespace(descriptors[0])
    except OSError:
        os._exit(REFUSED)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.close(log)
    _claim_step(claim, step)
    if signals.ended:
        os._exit(_CODE_OF_SIGNAL + _signal.SIGTERM)
    child = os.fork()
    if not child:
        try:
            program.become(step, plan, added)
        except BaseException:
            program.start_cold(step)
        return
    _, status = os.waitpid(child, 0)
    code = _read_code(child, status, step.get("line", 1), step["command"])  # an older launcher tells no line
    if signals.interrupted and os.WIFSIGNALED(status) and os.WTERMSIG(status) == _signal.SIGINT:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        os.kill(os.getpid(), _signal.SIGINT)
    _leave_code(claim, code)
    os._exit(code)


def _enter_namespace(descriptor: int) -> None:
    if ctypes.CDLL(None).setns(descriptor, _NEW_NAMESPACE):
        raise OSError("cannot enter the mount namespace")
    os.close(descriptor)


def _claim_step(claim: str, step: dict[str, Any]) -> None:
    """Make the claim and enter the working folder, or say what the shell says and end."""
    try:
        os.close(os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666))
    except FileExistsError:
        os._exit(TAKEN)
    except OSError:
        _say(f"smalt: cannot write to {step['folder']}: is the disk full, or the folder gone?")
        os._exit(1)
    try:
        os.chdir(step["cwd"])
    except OSError:
        _say(f"smalt: cannot enter the working folder {step['cwd']}")
        _leave_code(claim, 1)
        os._exit(1)


def _leave_code(claim: str, code: int) -> None:
    try:
        file = os.open(claim, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        os.write(file, b"%d\n" % code)
    except OSError:
        pass


def _read_code(child: int, status: int, line: int, command: str) -> int:
    """Return the exit code as the shell counts it; say what the shell says of one that a signal ended."""
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status)
    number = os.WTERMSIG(status)
    core = "(core dumped) " if os.WCOREDUMP(status) else ""
    if number == _signal.SIGTERM:
        _say("Terminated")
    elif number not in (_signal.SIGINT, _signal.SIGPIPE):
        named = next((text for name, text in _NAMES.items() if getattr(_signal, name, 0) == number), f"Signal {number}")
        _say(f"bash: line {line}: {child:5d} {named:<24}{core}{command}")
    return _CODE_OF_SIGNAL + number


def _say(sentence: str) -> None:
    try:
        os.write(2, os.fsencode(sentence + "\n"))
    except OSError:
        pass
