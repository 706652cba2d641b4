"""Contents of registered versions that were found as registered a moment ago: the steps of a tree share one look."""

from __future__ import annotations

import asyncio
import time
from weakref import WeakValueDictionary

from smalt.service.data import Location
from smalt.service.engine.versions.integrity import VersionIntegrity

_SECONDS = 3.0
"""Seconds for which the check of a large content serves the other steps of a tree."""
_MOST = 1000

Key = tuple[int, str]
"""The root job of a tree, and the place of a content."""


class IntegrityCache:
    """Remembers what was found intact.

    A small content is looked at again as soon as any step has ended, as that step may have changed it. A large one,
    which takes seconds to walk through, is looked at again after some seconds, or once a step has failed (which it
    does where what it reads was changed). Another tree looks for itself: a job that is submitted after a change of a
    version never takes the version for what it was.
    """

    def __init__(self, intact: VersionIntegrity) -> None:
        self._intact = intact
        self._small: set[Key] = set()
        self._large: dict[Key, float] = {}
        self._forgotten = 0
        self._turns: WeakValueDictionary[Key, asyncio.Lock] = WeakValueDictionary()

    def is_stamped(self, location: Location, root_id: int) -> bool:
        """Return whether what is read is known to be as it was stored; quick, and False if in doubt."""
        key = (root_id, str(location.path))
        if key in self._small or self._is_fresh(key):
            return True
        if not self._intact.is_stamped(location):
            return False
        self._small.add(key)
        return True

    async def refuse_changed(self, location: Location, root_id: int) -> None:
        """Raise where a content is not what was stored; steps of a tree that ask at once wait for one look."""
        key = (root_id, str(location.path))
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            if key in self._small or self._is_fresh(key):
                return
            forgotten = self._forgotten
            await self._intact.refuse_changed(location)
            if self._intact.is_stamped(location):
                self._small.add(key)
            elif forgotten == self._forgotten:
                if len(self._large) >= _MOST:
                    self._large.clear()
                self._large[key] = time.monotonic() + _SECONDS

    def forget_small(self) -> None:
        """Note that a step has ended."""
        self._small.clear()

    def forget_all(self) -> None:
        """Forget all: a step failed, perhaps as what it read was changed."""
        self._forgotten += 1
        self._small.clear()
        self._large.clear()

    def _is_fresh(self, key: Key) -> bool:
        return self._large.get(key, 0.0) > time.monotonic()
