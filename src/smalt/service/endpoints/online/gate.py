"""The gate of a deployment: requests wait here, first come, first served, until a process has a free place."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

MOST_WAITING = 1000
"""Requests that wait at one deployment; more are refused at once."""


class GatedProcess(Protocol):
    """A process that answers requests, a limited number at a time."""

    in_flight: int

    @property
    def is_ready(self) -> bool:
        """True if it may be given a request."""


class TooManyWaiting(Exception):
    """As many requests wait as may."""


class RequestGate:
    def __init__(self, list_places: Callable[[], Sequence[GatedProcess]], get_limit: Callable[[], int]) -> None:
        self._list_places = list_places
        self._get_limit = get_limit
        self._waiting: deque[asyncio.Future[GatedProcess]] = deque()

    @property
    def is_awaited(self) -> bool:
        return any(not future.done() for future in self._waiting)

    async def enter(self, patience: float) -> GatedProcess:
        """Return a place, which the request takes; raise TimeoutError where none is free within `patience` seconds."""
        place = None if self.is_awaited else self._find_free_place()
        if place is not None:
            place.in_flight += 1
            return place
        if len(self._waiting) >= MOST_WAITING:
            raise TooManyWaiting
        future: asyncio.Future[GatedProcess] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await asyncio.wait({future}, timeout=patience)
        except asyncio.CancelledError:
            if future.done():
                self.leave(future.result())
            raise
        finally:
            if not future.done():
                future.cancel()
                self._waiting.remove(future)
        if future.cancelled():
            raise asyncio.TimeoutError
        return future.result()

    def leave(self, place: GatedProcess) -> None:
        place.in_flight -= 1
        self.grant_places()

    def grant_places(self) -> None:
        """Give free places to those that wait; called whenever one may have become free."""
        while self._waiting:
            place = self._find_free_place()
            if place is None:
                return
            future = self._waiting.popleft()
            if not future.done():
                place.in_flight += 1
                future.set_result(place)

    def _find_free_place(self) -> GatedProcess | None:
        limit = self._get_limit()
        free = [place for place in self._list_places() if place.is_ready and place.in_flight < limit]
        return min(free, key=lambda place: place.in_flight) if free else None
