"""Build processes: their output line by line, and their end with every process that they started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from pathlib import Path

Log = Callable[[str], None]

LOCKS: ContextVar[tuple[int, ...]] = ContextVar("LOCKS", default=())
"""The locks of what is being built. Programs that write there hold them, too: where the server is killed, nobody else
builds in the same place before they have ended."""


class OutputLines:
    """Output cut into lines, for the log and for the reason of a failure."""

    def __init__(self, log: Log | None, unsaid: str | None = None) -> None:
        self.seen: list[str] = []
        self._log = log
        self._unsaid = re.compile(unsaid) if unsaid else None
        self._rest = b""

    def add(self, chunk: bytes) -> None:
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._log_line(line)

    def flush(self) -> None:
        if self._rest:
            self._log_line(self._rest)

    def _log_line(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        self.seen.append(line)
        if self._log is not None and line and not (self._unsaid and self._unsaid.match(line)):
            self._log(line)


async def run_process(
    command: Sequence[str],
    cwd: Path,
    variables: Mapping[str, str],
    lines: OutputLines,
    given: bytes = b"",
    locks: Sequence[int] = (),
) -> int:
    """Run a command to its end and return its exit code; `given` is its input, `locks` are open files it inherits.

    If cancelled, it is killed with every process that it started.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=variables,
        stdin=asyncio.subprocess.PIPE if given else asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        pass_fds=locks,
    )
    assert process.stdout is not None
    try:
        if process.stdin is not None:
            process.stdin.write(given)
            process.stdin.close()
        while chunk := await process.stdout.read(65536):
            lines.add(chunk)
        code = await process.wait()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    lines.flush()
    return code
