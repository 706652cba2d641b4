"""A request's body for code that reads it in a thread, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from smalt.service.api.request import Call

Result = TypeVar("Result")


async def consumed(call: Call, consume: Callable[[Iterable[bytes]], Result]) -> Result:
    """Run `consume` over the body in a thread; it waits there for what has not arrived."""
    body = _Body(call)
    try:
        return await asyncio.to_thread(consume, body)
    finally:
        body.end()


class _Body:
    def __init__(self, call: Call) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces = call.chunks()
        self._awaited: Future[bytes | None] | None = None
        self._over = False

    def __iter__(self) -> Iterator[bytes]:
        while not self._over:
            self._awaited = asyncio.run_coroutine_threadsafe(self._following(), self._loop)
            piece = self._awaited.result()
            if piece is None:
                return
            yield piece

    def end(self) -> None:
        """Whoever waits for the next piece gets none: the request was given up."""
        self._over = True
        if self._awaited is not None:
            self._awaited.cancel()

    async def _following(self) -> bytes | None:
        return await anext(self._pieces, None)
