"""Two marks by which a process is known as a step's: an environment variable and, on Linux, a resource limit.

A program can start another without an environment, in a session of its own, and end. Resource limits are inherited
all the same. RLIMIT_LOCKS is one that Linux has kept and not used since 2.4.25: a number there limits nothing.
"""

from __future__ import annotations

import hashlib
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from smalt.machine import processes

VARIABLE = "SMALT_STEP"
_SIGNALLED_BY_PARENT = b"SMALT_SIGNALLED_BY_PARENT=1"
"""A variable of what gets SIGTERM in a way of its own: the client of a container engine, and all in the container.

A hard limit as low as the mark's number says the same (runner/contain.py), and `env -i` does not remove it.
"""
_RLIMIT_LOCKS = 10
_EXEC_TRIES, _EXEC_WAIT = 200, 0.0002


def _is_limit_settable() -> bool:
    """Tell whether the limit is ours to set; where an administrator set a hard one, only the variable marks."""
    if not processes.LINUX:
        return False
    try:
        soft, hard = resource.getrlimit(_RLIMIT_LOCKS)
        resource.setrlimit(_RLIMIT_LOCKS, (soft, hard))
    except (OSError, ValueError):
        return False
    return hard == resource.RLIM_INFINITY


CAN_NUMBER = _is_limit_settable()


def hash_home(home: str) -> str:
    """Return the part of a mark that tells the steps of this home from another's, whose ids may be the same."""
    return hashlib.sha256(os.fsencode(home)).hexdigest()[:12]


class StepMark:
    """The mark of one step of one home: steps' ids are unique in a home only."""

    __slots__ = ("number", "text")

    def __init__(self, home: str, step_id: str) -> None:
        self.text = f"{home}:{step_id}"
        digest = hashlib.sha256(self.text.encode()).digest()
        self.number = int.from_bytes(digest[:7], "big") + (1 << 32)  # more than anyone sets it to by hand

    @contextmanager
    def apply_number(self) -> Iterator[None]:
        """Have what is started inside the block carry the number; the variable is the caller's to pass."""
        _set_limit(self.number)
        try:
            yield
        finally:
            remove_number()

    def is_on(self, pid: int) -> bool | None:
        """Tell whether the process carries this mark (True), another (False) or none (None)."""
        found = _read_number(pid)
        if found is not None:
            return found == self.number
        text = _read_text(pid)
        return None if text is None else text == self.text


def is_signalled_by_parent(pid: int) -> bool:
    """Tell whether SIGTERM is for the parent of the process to send, and not for the launcher."""
    soft, hard = _read_limits(pid)
    return (soft >= 1 << 32 and soft == hard) or _SIGNALLED_BY_PARENT in _read_environment(pid)


def is_first_in_namespace(pid: int) -> bool:
    """Tell whether the process is PID 1 of a pid namespace below ours, such as a container's."""
    for line in (read_proc_file(pid, "status") or b"").split(b"\n"):
        if line.startswith(b"NSpid:"):
            numbers = line.split()[1:]
            return len(numbers) > 1 and numbers[-1] == b"1"
    return False


def remove_number() -> None:
    """Take the number off this process: what a step starts need not be the step's own, such as its home's server."""
    _set_limit(None)


def _set_limit(number: int | None) -> None:
    if CAN_NUMBER:
        soft = resource.RLIM_INFINITY if number is None else number
        resource.setrlimit(_RLIMIT_LOCKS, (soft, resource.RLIM_INFINITY))


def _read_number(pid: int) -> int | None:
    soft, _ = _read_limits(pid)
    return soft if soft >= 1 << 32 else None


def _read_limits(pid: int) -> tuple[int, int]:
    """Return the soft and the hard limit that carry numbers; 0 where there is none."""
    for line in (read_proc_file(pid, "limits") or b"").split(b"\n"):
        if line.startswith(b"Max file locks"):
            soft, hard = line.split()[3:5]
            return int(soft) if soft.isdigit() else 0, int(hard) if hard.isdigit() else 0
    return 0, 0


def _read_text(pid: int) -> str | None:
    prefix = f"{VARIABLE}=".encode()
    for variable in _read_environment(pid):
        if variable.startswith(prefix):
            return os.fsdecode(variable[len(prefix) :])
    return None


def _read_environment(pid: int) -> list[bytes]:
    for _ in range(_EXEC_TRIES):
        text = read_proc_file(pid, "environ")
        if text is None:
            return []
        if text or _has_none(pid):
            return text.split(b"\0")
        time.sleep(_EXEC_WAIT)
    return []


def read_proc_file(pid: int, name: str) -> bytes | None:
    """Return a file of the process in /proc; None where the process is gone, or another user's."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return None


def _has_none(pid: int) -> bool:
    """Tell an empty environment from one that only looks so while the process becomes another program."""
    text = read_proc_file(pid, "stat")
    if not text:
        return True
    fields = text.rpartition(b")")[2].split()
    is_dead, is_kernels = fields[0] in b"ZX", fields[2] == b"0"
    begin, end = fields[47], fields[48]
    return is_dead or is_kernels or (begin == end and end != b"0")
