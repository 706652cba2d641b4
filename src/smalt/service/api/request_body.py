"""The body of a request for code that reads it on a thread, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from smalt.service.api.request import ApiRequest

Result = TypeVar("Result")


async def process_body(request: ApiRequest, consume: Callable[[Iterable[bytes]], Result]) -> Result:
    """Run `consume` over the body on a thread, where it waits for pieces that have not arrived."""
    body = _BodyIterator(request)
    try:
        return await asyncio.to_thread(consume, body)
    finally:
        body.close()


class _BodyIterator:
    def __init__(self, request: ApiRequest) -> None:
        self._loop = asyncio.get_running_loop()
        self._pieces = request.read_chunks()
        self._awaited: Future[bytes | None] | None = None
        self._over = False

    def __iter__(self) -> Iterator[bytes]:
        while not self._over:
            self._awaited = asyncio.run_coroutine_threadsafe(self._read_next(), self._loop)
            piece = self._awaited.result()
            if piece is None:
                return
            yield piece

    def close(self) -> None:
        """End the iteration of a waiting reader: the request was given up."""
        self._over = True
        if self._awaited is not None:
            self._awaited.cancel()

    async def _read_next(self) -> bytes | None:
        return await anext(self._pieces, None)
