"""Identities of processes, and tests of whether a process is alive. Standard library only.

A pid alone says little: pids are reused, every boot and every pid namespace counts its own. A process is known by
all of them together, and is dead only when the operating system says so; a zombie is dead.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import NamedTuple

LINUX = sys.platform == "linux"


class Process(NamedTuple):
    host: str
    boot_id: str
    pid_namespace: str
    pid: int
    start_time: int


class MachineIdentity(NamedTuple):
    """The host, boot and pid namespace that all processes which can see each other share."""

    host: str
    boot_id: str
    pid_namespace: str


class ProcessStat(NamedTuple):
    state: str
    parent: int
    group: int
    session: int
    start_time: int

    @property
    def is_dead(self) -> bool:
        return self.state in "ZXx"


def find_process(pid: int) -> Process | None:
    """Return the process that has `pid` now; None if there is no such process, or only its zombie."""
    found = read_stat(pid)
    if found is None or found.is_dead:
        return None
    return Process(*read_machine(), pid, found.start_time)


def is_alive(process: Process) -> bool:
    """Return True if this very process is alive. The host is not compared: names change, a boot id is one machine's."""
    if (process.boot_id, process.pid_namespace) != read_machine()[1:]:
        return False
    found = read_stat(process.pid)
    return found is not None and not found.is_dead and found.start_time == process.start_time


def read_machine() -> MachineIdentity:
    return MachineIdentity(os.uname().nodename, read_boot_id(), _read_pid_namespace())


def read_peak_memory() -> int:
    """Return the most memory that this program had since it began, in bytes; 0 where the system does not tell."""
    try:
        with open("/proc/self/status", "rb") as file:
            found = file.read().partition(b"VmHWM:")[2].split(None, 1)
    except OSError:
        return 0
    return int(found[0]) * 1024 if found else 0


def read_boot_id() -> str:
    """Return the id of the machine's current boot. The variable `SMALT_BOOT_ID` replaces it, to rehearse a reboot."""
    return os.environ.get("SMALT_BOOT_ID") or _read_boot_id()


def read_stat(pid: int) -> ProcessStat | None:
    return _read_stat_linux(pid) if LINUX else _read_stat_ps(pid)


_cache: dict[str, str] = {}


def _read_boot_id() -> str:
    if "boot" not in _cache:
        if LINUX:
            with open("/proc/sys/kernel/random/boot_id") as file:
                _cache["boot"] = file.read().strip()
        else:
            command = ["sysctl", "-n", "kern.bootsessionuuid"]
            _cache["boot"] = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return _cache["boot"]


def _read_pid_namespace() -> str:
    if "namespace" not in _cache:
        _cache["namespace"] = os.readlink("/proc/self/ns/pid") if LINUX else ""
    return _cache["namespace"]


def _read_stat_linux(pid: int) -> ProcessStat | None:
    try:
        handle = os.open(f"/proc/{pid}/stat", os.O_RDONLY)
    except OSError:
        return None
    try:
        text = os.read(handle, 4096)
    except OSError:  # it went between the two calls
        return None
    finally:
        os.close(handle)
    # The name, in parentheses, may hold anything, parentheses and spaces too.
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        return None
    return ProcessStat(fields[0].decode(), int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def _read_stat_ps(pid: int) -> ProcessStat | None:
    command = ["ps", "-o", "stat=,ppid=,pgid=,lstart=", "-p", str(pid)]
    shown = subprocess.run(command, capture_output=True, text=True, env={"LC_ALL": "C", "PATH": os.defpath})
    fields = shown.stdout.split(None, 3)
    if len(fields) < 4:
        return None
    started = time.mktime(time.strptime(fields[3].strip(), "%a %b %d %H:%M:%S %Y"))
    return ProcessStat(fields[0][0], int(fields[1]), int(fields[2]), int(fields[2]), int(started))
