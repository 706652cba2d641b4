"""Which processes are a step's: its shell's group, all that carry its mark, and their descendants."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import time
from collections.abc import Set

from smalt import processes
from smalt.launcher.record import Record

MARK = "SMALT_STEP"
"""The environment variable by which a process that left group and parent is still known."""

_PR_SET_CHILD_SUBREAPER = 36
_EXEC_TRIES, _EXEC_WAIT = 200, 0.0002


class Tree:
    def __init__(self, home: str) -> None:
        # Step ids are unique in a home only, and another home's steps are none of our business.
        self._home = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
        self._children = _adopt_orphans()

    def mark(self, step_id: str) -> str:
        return f"{self._home}:{step_id}"

    def children(self) -> set[int] | None:
        """Our children, orphans of our steps among them; None where the system cannot tell."""
        if self._children is None:
            return None
        return set(map(int, os.pread(self._children, 1 << 20, 0).split()))

    def members(self, record: Record, orphans: Set[int] = frozenset()) -> list[int]:
        """The living processes of the step, with `orphans` and theirs. Slow: looks at every process."""
        if not processes.LINUX:
            return [record.pid] if _group_alive(record.pid) else []
        stats = _all_processes()
        mark = f"{MARK}={self.mark(record.id)}".encode()
        leader = stats.get(record.pid)
        reused = leader is not None and leader.start_time != record.start_time
        found = {
            pid
            for pid, stat in stats.items()
            if pid in orphans
            or (not reused and record.pid == stat.group and stat.start_time >= record.start_time > 0)
            or mark in _environment(pid)
        }
        while more := {pid for pid, stat in stats.items() if stat.parent in found} - found:
            found |= more
        return [pid for pid in found if not stats[pid].dead and pid != os.getpid()]

    def owner(self, pid: int) -> str | None:
        """The step whose mark the process carries; "" for a step of another home, None without a mark."""
        prefix = f"{MARK}=".encode()
        for variable in _environment(pid):
            if variable.startswith(prefix):
                home, _, step_id = os.fsdecode(variable[len(prefix) :]).partition(":")
                return step_id if home == self._home else ""
        return None

    def find(self, record: Record) -> int | None:
        """The step's shell, where its pid was not written down in time."""
        if not processes.LINUX:
            return None
        mark = f"{MARK}={self.mark(record.id)}".encode()
        for pid, stat in _all_processes().items():
            # What the step itself put into a group of its own has the mark too, but is not the shell.
            is_shell = stat.group == pid and not stat.dead and mark in _environment(pid)
            if is_shell and os.fsencode(record.claim) in (_read(pid, "cmdline") or b""):
                return pid
        return None


def send(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            if processes.LINUX:
                os.kill(pid, number)
            else:
                os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def send_group(leader: int, number: int) -> bool:
    """To all of a group whose leader we have not reaped, at one moment; False where that cannot be."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _adopt_orphans() -> int | None:
    """Become the parent of every orphan below us, and open the list of our children."""
    if not processes.LINUX:
        return None
    if ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        return None
    try:
        return os.open(f"/proc/self/task/{os.getpid()}/children", os.O_RDONLY)
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return None


def _all_processes() -> dict[int, processes.Stat]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := processes.stat(int(name))):
            found[int(name)] = stat
    return found


def _environment(pid: int) -> list[bytes]:
    for _ in range(_EXEC_TRIES):
        text = _read(pid, "environ")
        if text is None:
            return []
        if text or _has_none(pid):
            return text.split(b"\0")
        time.sleep(_EXEC_WAIT)
    return []


def _read(pid: int, name: str) -> bytes | None:
    try:
        with open(f"/proc/{pid}/{name}", "rb") as file:
            return file.read()
    except OSError:  # gone, or another user's
        return None


def _has_none(pid: int) -> bool:
    """Whether the environment is empty, and does not only look so while the process becomes another program."""
    text = _read(pid, "stat")
    if not text:
        return True
    fields = text.rpartition(b")")[2].split()
    is_dead, is_kernels = fields[0] in b"ZX", fields[2] == b"0"
    begin, end = fields[47], fields[48]
    return is_dead or is_kernels or (begin == end and end != b"0")


def _group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


TERM, KILL = signal.SIGTERM, signal.SIGKILL
