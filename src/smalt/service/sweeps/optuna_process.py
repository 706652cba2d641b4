"""The processes of samplers that learn: one per algorithm and home, started when first asked, started again when it
has died, ended with the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import subprocess
import threading
import time
from collections.abc import Callable
from typing import Any

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.environments.builders.tool_processes import build_variables
from smalt.service.sweeps.optuna_environment import PROGRAM, OptunaEnvironment

log = logging.getLogger("smalt")

_PATIENCE = 600.0
"""Seconds after which an answer is not waited for any longer."""
_STARTS = 3
"""Processes that are tried for one request."""
_FAREWELL = 3.0
_IDLE = 600.0
"""Seconds without a request after which a process is ended; it has a library in memory."""
_LARGEST_LOG = 8 * 1024 * 1024
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A point must not depend on the number of cores, and the trials need those."""

Message = dict[str, Any]


class OptunaProcess:
    """The processes of a home. Creating the object starts nothing; its methods may be called in any thread."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._pipes: dict[str, _Pipe] = {}
        self._lock = threading.Lock()
        self._is_closed = False

    def ask(self, algorithm: str, request: Message) -> Message:
        """Return the answer of an algorithm's process; Unavailable has one sentence if there is none."""
        with self._lock:
            if self._is_closed:
                raise Unavailable("the server is ending")
            pipe = self._pipes.setdefault(algorithm, _Pipe(self._home, algorithm))
        return pipe.ask(request)

    def get_pid(self, algorithm: str) -> int | None:
        """Return the id of an algorithm's process, if it runs."""
        pipe = self._pipes.get(algorithm)
        return pipe.pid if pipe is not None else None

    def close(self) -> None:
        """End the processes; what they know is in the records."""
        with self._lock:
            self._is_closed = True
            pipes = list(self._pipes.values())
        for pipe in pipes:
            pipe.close()


class _Pipe:
    """One process, which answers one request at a time."""

    def __init__(self, home: Home, algorithm: str) -> None:
        self._algorithm = algorithm
        self._home = home
        self._environment = OptunaEnvironment(home, algorithm)
        self._log_path = home.path("sampling.log")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._is_closed = False
        self._cancel_build: Callable[[], object] | None = None
        self._last_asked = 0.0
        self._idle_timer: threading.Timer | None = None

    @property
    def pid(self) -> int | None:
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask(self, request: Message) -> Message:
        line = json.dumps(request).encode() + b"\n"
        code: int | None = None
        with self._lock:
            for _ in range(_STARTS):  # a process that was killed between two requests, or in one, is started again
                if self._is_closed:
                    raise Unavailable("the server is ending")
                if self._process is None:
                    self._start_process()
                answer = self._exchange_line(line)
                self._last_asked = time.monotonic()
                if answer is not None:
                    return answer
                code = self._end_process()
                log.warning("the process of %s sampling has ended (%s)", self._algorithm, code)
        raise Unavailable(
            f"the process of {self._algorithm} sampling ended {_STARTS} times when it was asked for a point "
            f"(exit {code}); {self._log_path} says more"
        )

    def close(self) -> None:
        self._is_closed = True
        process, cancel_build = self._process, self._cancel_build
        if cancel_build is not None:
            cancel_build()
        if process is not None:
            process.kill()  # a thread that waits for its answer gets the end of it
        if self._lock.acquire(timeout=_FAREWELL):
            try:
                if self._process is not None:
                    self._end_process()
            finally:
                self._lock.release()

    def _exchange_line(self, line: bytes) -> Message | None:
        """Return None if the process has ended, or is ended because it is deaf."""
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        timer = threading.Timer(_PATIENCE, process.kill)
        timer.daemon = True
        timer.start()
        try:
            process.stdin.write(line)
            process.stdin.flush()
            answer = process.stdout.readline()
            return json.loads(answer) if answer.endswith(b"\n") else None
        except OSError:
            return None
        finally:
            timer.cancel()

    def _start_process(self) -> None:
        begun = time.monotonic()
        try:
            python = asyncio.run(self._get_python())
        except asyncio.CancelledError:
            raise Unavailable("the server is ending") from None
        with contextlib.suppress(FileNotFoundError):
            if self._log_path.stat().st_size > _LARGEST_LOG:
                os.replace(self._log_path, self._log_path.with_suffix(".log.1"))
        handle = os.open(self._log_path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._process = subprocess.Popen(
                [python, "-I", str(PROGRAM), self._algorithm],
                env={**build_variables(self._home.make_socket_folder()), **_ONE_THREAD},
                cwd="/",
                stdin=subprocess.PIPE,  # its end is the process's end, however the server ends
                stdout=subprocess.PIPE,
                stderr=handle,
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"{self._algorithm} sampling cannot be started with {python}: {error.strerror}") from None
        finally:
            os.close(handle)
        log.info(
            "%s sampling runs (process %d), after %.1f s",
            self._algorithm,
            self._process.pid,
            time.monotonic() - begun,
        )
        self._wait_for_idleness(_IDLE)

    def _wait_for_idleness(self, seconds: float) -> None:
        self._idle_timer = threading.Timer(seconds, self._end_if_idle)
        self._idle_timer.daemon = True
        self._idle_timer.start()

    def _end_if_idle(self) -> None:
        with self._lock:
            if self._process is None or self._is_closed:
                return
            left = self._last_asked + _IDLE - time.monotonic()
            if left > 0:
                self._wait_for_idleness(left)
            else:
                self._end_process()

    async def _get_python(self) -> str:
        """Return the environment's Python; `close` cancels the build of it."""
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        self._cancel_build = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            return await self._environment.get_python(log.info)
        finally:
            self._cancel_build = None

    def _end_process(self) -> int:
        process, self._process = self._process, None
        assert process is not None
        if self._idle_timer is not None:
            self._idle_timer.cancel()
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with contextlib.suppress(OSError):  # what was not written goes nowhere
                if pipe is not None:
                    pipe.close()
        return process.wait()
