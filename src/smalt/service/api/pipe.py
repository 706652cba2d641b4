"""A request's body for code that reads it in a thread, piece by piece."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from smalt.service.api.call import Call

Result = TypeVar("Result")


async def consumed(call: Call, consume: Callable[[Iterable[bytes]], Result]) -> Result:
    """Run `consume` over the body in a thread; it waits there for what has not arrived."""
    loop, pieces = asyncio.get_running_loop(), call.chunks()

    async def following() -> bytes | None:
        return await anext(pieces, None)

    def blocks() -> Iterator[bytes]:
        while (piece := asyncio.run_coroutine_threadsafe(following(), loop).result()) is not None:
            yield piece

    return await asyncio.to_thread(consume, blocks())
