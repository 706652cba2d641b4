"""MLflow's process: started when first needed, watched, restarted when it dies, stopped with the server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from typing import NoReturn

from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.environments.builders.tool_processes import build_variables
from smalt.service.settings import ServerSettings
from smalt.service.tracking.http_client import ConnectionPool
from smalt.service.tracking.mlflow_environment import CHILD, MlflowEnvironment

log = logging.getLogger("smalt")

_PATIENCE = 120.0
"""Seconds for it to come up; on a cold disk it reads some thousand files."""
_IN_USE = 60.0
"""Seconds after its last call within which a process that dies is restarted at once."""
_SHORT_LIFE = 5.0
"""Seconds of life below which it is not restarted until it is needed."""
_NOT_AGAIN = 20.0
"""Seconds in which a start that failed is not tried again."""
_FAREWELL = 3.0
_LARGEST_LOG = 8 * 1024 * 1024


class MlflowProcess:
    """The one MLflow process of a home. Creating the object starts nothing."""

    def __init__(self, home: Home, settings: ServerSettings) -> None:
        self._home = home
        self._settings = settings
        self._socket = home.socket_path("mlflow")
        self.pool = ConnectionPool(self._socket)
        self.version = ""
        """MLflow's, once it has run."""
        self._process: asyncio.subprocess.Process | None = None
        self._is_up = False
        self._starting: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._failure: tuple[float, str] | None = None
        self._is_closed = False

    @property
    def is_running(self) -> bool:
        """True if there is a process, or one is starting."""
        return self._is_up or self._starting is not None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self._is_up else None

    def start_soon(self) -> None:
        """Begin to start the process, without waiting."""
        if not self.is_running and not self._is_closed:
            self._starting = asyncio.get_running_loop().create_task(self._start())
            self._starting.add_done_callback(self._handle_start)

    async def wait_until_ready(self) -> None:
        """Return when the process answers; raise Unavailable with one sentence if it cannot."""
        if self._is_up and self._watch is not None and self._process is not None:
            if await self.pool.is_reachable():
                return
            with contextlib.suppress(ProcessLookupError):  # it is dying, or deaf
                self._process.kill()
            await asyncio.shield(self._watch)
        if self._is_closed:
            raise Unavailable("the server is ending")
        if self._failure is not None and time.monotonic() < self._failure[0]:
            raise Unavailable(self._failure[1])
        self.start_soon()
        if self._starting is not None:
            await asyncio.shield(self._starting)

    async def close(self) -> None:
        """Stop the process; everything that it acknowledged is stored."""
        self._is_closed = True
        if self._starting is not None:
            self._starting.cancel()
            with contextlib.suppress(asyncio.CancelledError, Unavailable):
                await self._starting
        if self._watch is not None:
            self._watch.cancel()
        self._is_up = False
        self.pool.close()
        if self._process is not None:
            await _stop_process(self._process)

    async def _start(self) -> None:
        tool = MlflowEnvironment(self._home)
        python = self._settings.mlflow_python or await tool.get_python(log.info)
        begun = time.monotonic()
        process = self._process = await self._start_process(python)
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), _PATIENCE)
        except asyncio.TimeoutError:
            line = b""
        except BaseException:
            await _stop_process(process)
            raise
        self.version = line.decode().strip()
        if self.version.rpartition(".")[0] != tool.version.rpartition(".")[0]:
            await self._refuse_process(python, process, tool.version)
        self._is_up, self._failure = True, None
        self._watch = asyncio.get_running_loop().create_task(self._watch_process(process))
        log.info("MLflow %s runs (process %d), started in %.1f s", self.version, process.pid, time.monotonic() - begun)

    async def _start_process(self, python: str) -> asyncio.subprocess.Process:
        path = self._home.path("mlflow.log")
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size > _LARGEST_LOG:
                os.replace(path, path.with_suffix(".log.1"))
        folder = self._home.make_socket_folder()
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            return await asyncio.create_subprocess_exec(
                python,
                "-I",
                str(CHILD),
                str(self._socket),
                str(self._home.path("workspaces")),
                env=build_variables(folder),
                cwd="/",
                stdin=asyncio.subprocess.PIPE,  # its end is the child's end, however the server ends
                stdout=asyncio.subprocess.PIPE,
                stderr=handle,
                start_new_session=True,
            )
        except OSError as error:
            raise Unavailable(f"MLflow cannot be started with {python}: {error.strerror}") from None
        finally:
            os.close(handle)

    async def _refuse_process(self, python: str, process: asyncio.subprocess.Process, wanted: str) -> NoReturn:
        await _stop_process(process)
        path = self._home.path("mlflow.log")
        lines = path.read_text(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
        reason = f"it is MLflow {self.version}" if self.version else lines[0]
        if self._settings.mlflow_python is not None:
            raise Unavailable(
                f"MLflow does not run with {python}, the setting 'mlflow-python' ({reason}); name a Python that has "
                f"mlflow {wanted}, or let smalt install it with 'smalt config unset mlflow-python'"
            )
        raise Unavailable(f"MLflow does not start ({reason}); {path} says more")

    def _handle_start(self, task: asyncio.Task[None]) -> None:
        self._starting = None
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failure = (time.monotonic() + _NOT_AGAIN, str(error))
            log.warning("%s", error)

    async def _watch_process(self, process: asyncio.subprocess.Process) -> None:
        begun = time.monotonic()
        code = await process.wait()
        self._is_up = False
        was_in_use = self.pool.idle_seconds < _IN_USE
        self.pool.close()
        log.warning("MLflow's process has ended (%s); %s says why", code, self._home.path("mlflow.log"))
        if was_in_use and time.monotonic() - begun > _SHORT_LIFE:
            self.start_soon()


async def _stop_process(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    assert process.stdin is not None
    process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), _FAREWELL)
    except asyncio.TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
