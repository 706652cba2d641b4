"""A backend for tests: a spool folder whose steps run one after another, by the program spool_queue.py.

It is all that docs/internals/adding-a-compute.md asks for: this module, and `make_spool_backend` in `MAKERS`.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal

from smalt.machine.processes import Process, is_alive
from smalt.service.compute.backend import Backend, Exit, OnExit, OnStarted
from smalt.service.compute.backends import ThisMachine
from smalt.service.compute.local.results import LocalResults
from smalt.service.compute.local.steps import LocalSteps
from smalt.service.compute.step import RunnableStep

from . import spool_queue
from .spool_queue import LOOK, read, write

_SUPERVISORS: list[subprocess.Popen[bytes]] = []
"""The supervisors since the last `end_processes`: some outlive their runner, and Python warns of lost ones."""
_FOLDERS: set[Path] = set()


def make_spool_backend(machine: ThisMachine) -> Backend:
    steps, results = LocalSteps(machine.context), LocalResults(machine.context)
    return Backend("spool", steps, results, SpoolRunner(machine.context.home.path("spool")))


class SpoolRunner:
    """Follows steps by the files of their folders: `step`, `started`, `stop`, `exit`."""

    name = "spool"
    capacity = None
    accepts_waiting_steps = False

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        _FOLDERS.add(folder)
        self._running: dict[str, Process] = {}
        self._open: set[str] = set()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    async def open(self, on_started: OnStarted, on_exit: OnExit) -> None:
        self._on_started, self._on_exit = on_started, on_exit
        self._task = asyncio.ensure_future(self._follow())

    def start(self, steps: list[RunnableStep]) -> None:
        for step in steps:
            (self.folder / step.id).mkdir(parents=True, exist_ok=True)
            write(self.folder / step.id / "step", step._asdict())
            self._open.add(step.id)

    def stop(self, step_id: str, grace: float) -> None:
        folder = self.folder / step_id
        folder.mkdir(parents=True, exist_ok=True)
        write(folder / "stop", grace)
        self._open.add(step_id)

    def acknowledge(self, step_ids: Iterable[str]) -> None:
        for step_id in step_ids:
            self._open.discard(step_id)
            for file in (self.folder / step_id).glob("*"):
                file.unlink()

    async def recover(self, unfinished: list[str]) -> dict[str, Exit | Literal["running", "unknown"]]:
        found: dict[str, Exit | Literal["running", "unknown"]] = {}
        for step_id in unfinished:
            if (self.folder / step_id / "step").exists():
                found[step_id] = "running"
                self._open.add(step_id)
            else:
                found[step_id] = Exit(step_id, None, None, "never started", None, None, time.time(), None)
        return found

    @property
    def running(self) -> Mapping[str, Process]:
        return self._running

    def set_unfinished(self, n: int) -> None: ...

    def start_waiting(self, step_id: str) -> None: ...

    async def close(self) -> None:
        self._task.cancel()

    async def _follow(self) -> None:
        while True:
            for step_id in sorted(self._open):
                self._look_at(step_id)
            await asyncio.sleep(LOOK)

    def _look_at(self, step_id: str) -> None:
        folder = self.folder / step_id
        started, exit = read(folder / "started"), read(folder / "exit")
        child = self._children.get(step_id)
        if exit is None and (child is None or child.poll() is not None) and not _is_supervised(folder):
            program = [sys.executable, spool_queue.__file__, str(folder)]
            self._children[step_id] = subprocess.Popen(program, start_new_session=True)
            _SUPERVISORS.append(self._children[step_id])
        if started and step_id not in self._running:
            self._running[step_id] = process = Process(*started[0])
            self._on_started(step_id, process, started[1])
        if exit is not None:
            self._open.discard(step_id)
            if child is not None:
                child.wait()
            process_of = self._running.pop(step_id, None)
            code, number, reason = exit
            since = started[1] if started else None
            self._on_exit(Exit(step_id, code, number, reason, None, since, time.time(), process_of))


def end_processes() -> None:
    """End the steps and supervisors that are left of a test, whatever became of it."""
    while _SUPERVISORS:
        supervisor = _SUPERVISORS.pop()
        _end_process_groups(_list_children(supervisor.pid))
        supervisor.kill()
        supervisor.wait()
    while _FOLDERS:
        for started in _FOLDERS.pop().glob("*/started"):
            process = Process(*json.loads(started.read_text())[0])
            if is_alive(process):
                _end_process_groups([process.pid])


def _list_children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []


def _end_process_groups(pids: Iterable[int]) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)


def _is_supervised(folder: Path) -> bool:
    with open(folder / "lock", "a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
