"""Shared builds: one build, and all jobs that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Log = Callable[[str], None]
T = TypeVar("T")


class SharedBuild(Generic[T]):
    """A running build. It belongs to no single job that waits: it ends when the last of them gives up."""

    def __init__(self, work: Callable[[Log], Coroutine[Any, Any, T]]) -> None:
        self.is_abandoned = False
        self.task = asyncio.ensure_future(work(self._log_line))
        self._lines: list[str] = []
        self._logs: list[Log] = []

    async def follow(self, log: Log) -> T:
        """Wait for the result; `log` receives every line, the earlier ones first."""
        for line in self._lines:
            log(line)
        self._logs.append(log)
        try:
            return await asyncio.shield(self.task)
        finally:
            self._logs.remove(log)
            if not self._logs and not self.task.done():
                self.is_abandoned = True
                self.task.cancel()

    def _log_line(self, line: str) -> None:
        self._lines.append(line)
        for log in self._logs:
            log(line)
