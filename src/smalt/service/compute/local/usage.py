"""Measures what running steps use of this machine: cores, memory, GPUs. It does so too seldom to be noticed."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from smalt.launcher.marks import VARIABLE
from smalt.machine.processes import LINUX, Process

FIRST = 2.0
"""Seconds that a step runs before it is looked at: most are over by then."""
SHORTEST, LONGEST = 5.0, 60.0
"""Seconds between two samples of a step, while it is young and once it is old."""
_CORE_SHARE = 0.002
"""The largest share of a core that goes into looking; slow looks are rarer."""
_TOGETHER = 0.5  # a step whose time comes within this part of the interval is taken along now
_PATIENCE = 10.0
_MEGABYTE = 1024 * 1024


class StepUsage(NamedTuple):
    cpu: float
    """Cores that were busy, on average since the sample before; 2.5 is two and a half."""
    memory: int
    """Bytes, resident, of all its processes together; pages that several share count in each."""
    gpu: float | None = None
    """GPUs that were busy; 1.0 is one of them wholly. None where the step has none."""
    gpu_memory: int | None = None


class ProcessUsage(NamedTuple):
    """The times and memory of one process."""

    pid: int
    parent: int
    group: int
    session: int
    cpu: float
    """Seconds, with those of its children that have ended."""
    memory: int


class _LastSample:
    """A step's last sample, and when the next is due."""

    __slots__ = ("at", "cpu", "gpus", "mark", "next")

    def __init__(self, next: float) -> None:
        self.next = next
        self.at: float | None = None
        self.cpu = 0.0
        self.mark = b""
        self.gpus: frozenset[str] = frozenset()


class UsageSampler:
    """Give `due` the running steps often, which costs nothing, and `sample` what is due, in a thread."""

    def __init__(self, gpus: bool) -> None:
        self._gpu_tool = shutil.which("nvidia-smi") if gpus else None
        self._known: dict[str, _LastSample] = {}
        self._orphans: dict[int, bytes] = {}
        self._least = 0.0
        self._gpu_next = 0.0
        self._gpu_last: dict[str, tuple[float, int]] = {}

    def list_due(self, running: Mapping[str, Process]) -> dict[str, Process]:
        """The steps to sample now; what no longer runs is forgotten."""
        now = time.monotonic()
        for step_id in self._known.keys() - running.keys():
            del self._known[step_id]
        for step_id, process in running.items():
            if step_id not in self._known:
                self._known[step_id] = _LastSample(now + max(0.0, FIRST - _get_age(process)))
        if all(known.next > now for known in self._known.values()):
            return {}
        soon = now + _TOGETHER * max(SHORTEST, self._least)
        return {
            step_id: running[step_id]
            for step_id, known in self._known.items()
            if known.next <= now or (known.at is not None and known.next <= soon)
        }

    def read_usage(self, steps: Mapping[str, Process]) -> dict[str, StepUsage]:
        """Return the usage of each step, without those that have just ended and those first seen late."""
        begun, used = time.monotonic(), time.thread_time()
        known = {step_id: self._known[step_id] for step_id in steps if step_id in self._known}
        for step_id, one in known.items():
            if not one.mark:
                one.mark, one.gpus = _read_environment(steps[step_id].pid)
        members = _find_members(steps, {one.mark: step_id for step_id, one in known.items() if one.mark}, self._orphans)
        gpus = self._read_gpus(begun) if any(one.gpus for one in known.values()) else {}
        found = {}
        for step_id, one in known.items():
            age = _get_age(steps[step_id])
            one.next = begun + max(get_interval(age), self._least)
            if step_id not in members:
                continue
            cpu = sum(process.cpu for process in members[step_id])
            if one.at is not None or age < LONGEST:
                busy = max(0.0, cpu - one.cpu) / (max(age, 0.1) if one.at is None else begun - one.at)
                memory = sum(process.memory for process in members[step_id])
                found[step_id] = _add_gpus(busy, memory, one.gpus, gpus)
            one.at, one.cpu = begun, cpu
        self._least = (time.thread_time() - used) / _CORE_SHARE
        return found

    def _read_gpus(self, now: float) -> dict[str, tuple[float, int]]:
        """Asking takes a process of its own, so an answer serves as long as it may cost."""
        if self._gpu_tool and now >= self._gpu_next:
            self._gpu_last = _ask_gpus(self._gpu_tool)
            self._gpu_next = now + max(SHORTEST * _TOGETHER, (time.monotonic() - now) / _CORE_SHARE / 2)
        return self._gpu_last


def get_interval(age: float) -> float:
    """Seconds from one sample to the next of a step that has run for `age` seconds."""
    return min(LONGEST, max(SHORTEST, age / 60))


def _get_age(process: Process) -> float:
    if LINUX:
        return time.clock_gettime(time.CLOCK_BOOTTIME) - process.start_time / _TICKS
    return time.time() - process.start_time


def _add_gpus(cpu: float, memory: int, own: frozenset[str], gpus: Mapping[str, tuple[float, int]]) -> StepUsage:
    mine = [gpus[index] for index in own if index in gpus]
    if not mine:
        return StepUsage(cpu, memory)
    return StepUsage(cpu, memory, sum(busy for busy, _ in mine), sum(used for _, used in mine))


def _find_members(
    steps: Mapping[str, Process], marks: Mapping[bytes, str], orphans: dict[int, bytes]
) -> dict[str, list[ProcessUsage]]:
    """The processes of each step: of its session and group, their descendants, and orphans that carry its mark."""
    every = {one.pid: one for one in (_read_proc() if LINUX else _read_ps())}
    leaders = {process.pid: step_id for step_id, process in steps.items()}
    fosterers = {1} | {every[pid].parent for pid in leaders if pid in every}
    owners: dict[int, str | None] = {}
    adopted = set()

    def owner(pid: int) -> str | None:
        if pid in owners or pid not in every:
            return owners.get(pid)
        one, owners[pid] = every[pid], None
        found = leaders.get(one.session) or leaders.get(one.group)
        if found is None and one.parent in fosterers:
            adopted.add(pid)
            found = marks.get(_read_mark(pid, orphans))
        elif found is None:
            found = owner(one.parent)
        owners[pid] = found
        return found

    members: dict[str, list[ProcessUsage]] = {}
    for pid, one in every.items():
        if (step_id := owner(pid)) is not None:
            members.setdefault(step_id, []).append(one)
    for pid in orphans.keys() - adopted:
        del orphans[pid]
    return {step_id: processes for step_id, processes in members.items() if steps[step_id].pid in every}


def _read_mark(pid: int, orphans: dict[int, bytes]) -> bytes:
    if pid not in orphans:
        orphans[pid] = _read_environment(pid)[0]
    return orphans[pid]


def _read_environment(pid: int) -> tuple[bytes, frozenset[str]]:
    """The mark that a process carries, and the GPUs that it may see."""
    mark, gpus = b"", ""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:
        for variable in file.read().split(b"\0"):
            name, _, value = variable.partition(b"=")
            if name == VARIABLE.encode():
                mark = value
            elif name == b"CUDA_VISIBLE_DEVICES":
                gpus = value.decode(errors="replace")
    return mark, frozenset(filter(None, (index.strip() for index in gpus.split(","))))


_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def _read_proc() -> Iterable[ProcessUsage]:
    for name in os.listdir("/proc"):
        if not name[0].isdigit():
            continue
        try:
            handle = os.open(f"/proc/{name}/stat", os.O_RDONLY)
        except OSError:  # it has ended
            continue
        try:
            text = os.read(handle, 1024)
        except OSError:
            continue
        finally:
            os.close(handle)
        # The program's name, in parentheses, may hold anything, parentheses and spaces too.
        fields = text[text.rfind(b")") + 2 :].split(None, 22)
        if len(fields) == 23:
            ticks = int(fields[11]) + int(fields[12]) + int(fields[13]) + int(fields[14])
            parent, group, session = int(fields[1]), int(fields[2]), int(fields[3])
            yield ProcessUsage(int(name), parent, group, session, ticks / _TICKS, int(fields[21]) * _PAGE)


def _read_ps() -> Iterable[ProcessUsage]:
    """Yield processes as every system's `ps` shows them: without sessions, and times of children that have ended."""
    command = ["ps", "-axo", "pid=,ppid=,pgid=,rss=,time="]
    environment = {"LC_ALL": "C", "PATH": os.defpath}
    try:
        shown = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return
    for line in shown.stdout.splitlines():
        fields = line.split()
        if len(fields) == 5:
            pid, parent, group, memory = map(int, fields[:4])
            yield ProcessUsage(pid, parent, group, group, _parse_seconds(fields[4]), memory * 1024)


def _parse_seconds(text: str) -> float:
    """[days-][hours:]minutes:seconds"""
    days, _, rest = text.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return int(days or 0) * 86400 + seconds


def _ask_gpus(tool: str) -> dict[str, tuple[float, int]]:
    """index, and uuid → (part of it that was busy, bytes used), of each GPU; empty where the tool has no answer."""
    command = [tool, "--query-gpu=index,uuid,utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
    try:
        shown = subprocess.run(command, capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    found = {}
    for line in shown.stdout.splitlines():
        fields = [field.strip() for field in line.split(",")]
        if len(fields) == 4 and fields[3].isdecimal():
            busy = int(fields[2]) / 100 if fields[2].isdecimal() else 0.0  # "[N/A]", of a partitioned GPU
            found[fields[0]] = found[fields[1]] = (busy, int(fields[3]) * _MEGABYTE)
    return found
