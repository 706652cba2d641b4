"""Worker processes as the coordinator sees them: what each has to do, and how it ended."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from .channel import Message, MessageReader, encode_message
from .settings import ParallelSettings
from .worker import DUMP_SIGNAL, WorkerPlace, run_worker

_DUMP_SECONDS, _QUIET_SECONDS = 5.0, 0.05
_TAIL = 4000
_OWN = (f'"{os.path.dirname(os.path.abspath(__file__))}/', '/runpy.py"')
"""Frames of this program, which are left out of where a script hung."""


class WorkerProcess:
    """One worker process."""

    def __init__(self, slot: int, place: WorkerPlace) -> None:
        self.slot = slot
        self.place = place
        self.pid = 0
        self.connection: socket.socket | None = None
        self.queue: deque[int] = deque()
        """The mini-batches that it was sent and that have not ended; it runs the first."""
        self.phase = "init"
        """The present phase: init, idle, loading, running, shutdown, over."""
        self.since = time.monotonic()
        """The time at which the phase began."""
        self.done = 0
        """The number of mini-batches that it did."""
        self.took = 0.0
        """The seconds that `run` took for the last one."""
        self.killed_for = ""
        """Why the coordinator killed it; empty if it did not."""
        self._unsent = bytearray()
        self._reader = MessageReader()

    @classmethod
    def start(
        cls, settings: ParallelSettings, slot: int, place: WorkerPlace, output_dir: str, before: Callable[[], None]
    ) -> WorkerProcess:
        """Fork a worker; `before` closes, in the child, what is the coordinator's alone."""
        worker = cls(slot, place)
        ours, theirs = socket.socketpair()
        sys.stdout.flush()
        sys.stderr.flush()
        worker.pid = os.fork()
        if worker.pid == 0:
            with contextlib.suppress(OSError):
                ours.close()
                before()
            run_worker(settings, place, theirs, output_dir)
        theirs.close()
        ours.setblocking(False)
        worker.connection = ours
        return worker

    @property
    def has_unsent(self) -> bool:
        return bool(self._unsent)

    def set_phase(self, phase: str) -> None:
        self.phase = phase
        self.since = time.monotonic()

    def send(self, header: dict[str, Any]) -> None:
        self._unsent += encode_message(header)
        self.flush()

    def flush(self) -> None:
        """Send as much as the worker takes now."""
        while self._unsent and self.connection is not None:
            try:
                sent = self.connection.send(self._unsent)
            except BlockingIOError:
                return
            except OSError:  # it is dead, which its end will say
                self._unsent.clear()
                return
            del self._unsent[:sent]

    def receive_messages(self) -> Iterator[Message]:
        """Yield the messages that arrived."""
        while self.connection is not None:
            try:
                data = self.connection.recv(1 << 18)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self.connection.close()
                self.connection = None
                return
            yield from self._reader.feed(data)

    def poll(self) -> int | None:
        """Return the wait status of a process that has ended; None while it runs."""
        try:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        except ChildProcessError:
            return 0
        return status if pid else None

    def kill(self, why: str, *, dump: bool = False) -> None:
        """Kill the process and all that it started; with `dump` it writes where it is to its log first."""
        self.killed_for = self.killed_for or why
        if dump and self.phase in ("running", "init", "shutdown", "loading"):
            before = _get_size(self._error_log)
            with contextlib.suppress(OSError):
                os.kill(self.pid, DUMP_SIGNAL)
                self._wait_for_dump(before)
        for target in (-self.pid, self.pid):
            with contextlib.suppress(OSError):
                os.kill(target, signal.SIGKILL)

    def wait(self) -> None:
        """Wait for the end of a process that was killed."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def read_error_log(self) -> str:
        """Return the end of what it wrote to its standard error."""
        try:
            with open(self._error_log, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL))
                lines = file.read().decode("utf-8", "replace").strip().splitlines()
                return "\n".join(line for line in lines if not any(one in line for one in _OWN))
        except OSError:
            return ""

    @property
    def _error_log(self) -> str:
        return self.place.make_log_path("stderr", ".stderr.txt")

    def _wait_for_dump(self, before: int) -> None:
        """Wait until the log is longer than it was, and grows no more."""
        deadline, size, grew = time.monotonic() + _DUMP_SECONDS, before, 0.0
        while time.monotonic() < deadline and (size == before or time.monotonic() - grew < _QUIET_SECONDS):
            time.sleep(0.01)
            if (now := _get_size(self._error_log)) != size:
                size, grew = now, time.monotonic()


def describe_end(status: int) -> str:
    """Return how a process ended that nobody told to end."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        return f"its process was ended by {name}{' (possibly out of memory)' if name == 'SIGKILL' else ''}"
    return f"its process exited with code {os.WEXITSTATUS(status)} within run(), by os._exit() or a crash"


def _get_size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
