"""The processes of a step: its shell's group, all that carry its mark, and their descendants."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Set

from smalt.launcher.marks import StepMark, hash_home, read_proc_file
from smalt.launcher.record import StepRecord
from smalt.machine import processes

_PR_SET_CHILD_SUBREAPER = 36


class ProcessTree:
    def __init__(self, home: str) -> None:
        self._home = hash_home(home)
        self._children = _adopt_orphans()

    def make_mark(self, step_id: str) -> StepMark:
        return StepMark(self._home, step_id)

    def list_children(self) -> set[int] | None:
        """Our children, orphans of our steps among them; None where the system cannot tell."""
        if self._children is None:
            return None
        return set(map(int, os.pread(self._children, 1 << 20, 0).split()))

    def list_members(self, record: StepRecord, orphans: Set[int] = frozenset()) -> list[int]:
        """The living processes of the step, with `orphans` and theirs. Slow: looks at every process."""
        if not processes.LINUX:
            return [record.pid] if _is_group_alive(record.pid) else []
        stats = _list_processes()
        mark = self.make_mark(record.id)
        leader = stats.get(record.pid)
        reused = leader is not None and leader.start_time != record.start_time
        found = {
            pid
            for pid, stat in stats.items()
            if pid in orphans
            or (not reused and record.pid == stat.group and stat.start_time >= record.start_time > 0)
            or (stat.start_time >= record.start_time and mark.is_on(pid))
        }
        while more := {pid for pid, stat in stats.items() if stat.parent in found} - found:
            found |= more
        return [pid for pid in found if not stats[pid].is_dead and pid != os.getpid()]

    def list_marked(self, step_id: str) -> list[int]:
        """Return all processes that carry the mark of the id. Slow: looks at every process."""
        mark = self.make_mark(step_id)
        return [pid for pid in map(int, filter(str.isdigit, os.listdir("/proc"))) if mark.is_on(pid)]

    def is_owned(self, record: StepRecord, pid: int) -> bool | None:
        """Tell whether the process is marked as the step's (True), as another's (False) or not at all (None)."""
        return self.make_mark(record.id).is_on(pid)

    def find_shell(self, record: StepRecord) -> int | None:
        """The step's shell, where its pid was not written down in time."""
        if not processes.LINUX:
            return None
        mark = self.make_mark(record.id)
        for pid, stat in _list_processes().items():
            # What the step itself put into a group of its own has the mark too, but is not the shell.
            is_shell = stat.group == pid and not stat.is_dead and mark.is_on(pid)
            if is_shell and os.fsencode(record.claim) in (read_proc_file(pid, "cmdline") or b""):
                return pid
        return None


def send_signal(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            if processes.LINUX:
                os.kill(pid, number)
            else:
                os.killpg(pid, number)
        except (ProcessLookupError, PermissionError):
            pass


def send_group(leader: int, number: int) -> bool:
    """Send a signal to a whole group at once, whose leader was not reaped; False if that is not possible."""
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def send_marked_group(leader: int, mark: StepMark, number: int) -> None:
    """Send a signal to what carries the mark in a group whose leader was reaped: its id may be another's by now.

    Slow: looks at every process.
    """
    members = [pid for pid, stat in _list_processes().items() if stat.group == leader]
    send_signal([pid for pid in members if mark.is_on(pid)], number)


def is_alive(pid: int) -> bool:
    stat = processes.read_stat(pid)
    return stat is not None and not stat.is_dead


def get_group(pid: int) -> int | None:
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


def _list_processes() -> dict[int, processes.ProcessStat]:
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (stat := processes.read_stat(int(name))):
            found[int(name)] = stat
    return found


def _is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


TERM, KILL = signal.SIGTERM, signal.SIGKILL
