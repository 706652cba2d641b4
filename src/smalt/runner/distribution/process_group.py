"""Processes that run one command: all start or none, and the first that fails ends the others."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from smalt.runner.distribution.output import RankOutput, write_line

GRACE = 10.0
"""Seconds from SIGTERM to SIGKILL."""


class ProcessGroup:
    """The processes of one command, by rank. They run in sessions of their own."""

    def __init__(self, command: str, logs: str | None) -> None:
        self._command = command
        self._logs = logs
        self._ranks: dict[int, int] = {}
        """The ranks of the processes that run, by process id."""
        self._processes: list[subprocess.Popen[bytes]] = []
        """Kept, though never asked: one that is let go is reaped by the next Popen, and its exit code is lost."""
        self._outputs: list[RankOutput] = []
        self._ending = False
        self._was_stopped = False

    def run_all(self, environments: Sequence[Mapping[str, str]], essential: int, first_rank: int = 0) -> int:
        """Start one process for each environment; wait for the first `essential` of them, then end the rest.

        Returns the exit code of the first that failed, or 0.
        """
        signal.signal(signal.SIGTERM, self._handle_stop)
        code = self._start_processes(environments, first_rank)
        waiting = set(range(first_rank, first_rank + essential))
        while self._ranks:
            pid, status = os.waitpid(-1, 0)
            if pid not in self._ranks:
                continue
            rank = self._ranks.pop(pid)
            waiting.discard(rank)
            ended = _to_exit_code(status)
            if ended and not self._ending:
                code = ended
                others = "; ending the others" if self._ranks else ""
                write_line(f"process {rank} ended with exit code {ended}{others}")
                self.end_all()
            elif not waiting:
                self.end_all()
        for output in self._outputs:
            output.wait_for_end()
        return 128 + signal.SIGTERM if self._was_stopped else code

    def end_all(self) -> None:
        if self._ending:
            return
        self._ending = True
        self._send_signal(signal.SIGTERM)
        timer = threading.Timer(GRACE, self._send_signal, (signal.SIGKILL,))
        timer.daemon = True
        timer.start()

    def _handle_stop(self, *_: Any) -> None:
        self._was_stopped = True
        self.end_all()

    def _send_signal(self, number: int) -> None:
        for pid in list(self._ranks):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, number)

    def _start_processes(self, environments: Sequence[Mapping[str, str]], first_rank: int) -> int:
        """Start the processes; return 1 if one could not be started, and end the others."""
        for rank, environment in enumerate(environments, first_rank):
            try:
                self._start_process(rank, environment)
            except OSError as error:
                write_line(f"process {rank} could not be started: {error.strerror}; ending the others")
                self.end_all()
                return 1
            if self._ending:
                break
        if self._ending:  # told so while they were being started
            self._send_signal(signal.SIGTERM)
        return 0

    def _start_process(self, rank: int, environment: Mapping[str, str]) -> None:
        path = os.path.join(self._logs, f"std_log_process_{rank:02d}.txt") if self._logs else os.devnull
        output = RankOutput(rank, path)
        try:
            process = subprocess.Popen(
                ["bash", "--norc", "-c", self._command],
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output.target,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            output.close_target()
        self._ranks[process.pid] = rank
        self._processes.append(process)
        self._outputs.append(output)


def _to_exit_code(status: int) -> int:
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)
