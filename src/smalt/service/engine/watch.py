"""Watchers of jobs, and the news that wakes them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

EVERY = 0
"""Stands for all root jobs, in the place of the id of one."""


class Watch:
    """Wakes the watchers of a root job, and those of all, when anything at or below it has changed."""

    def __init__(self) -> None:
        self._watchers: dict[int, set[asyncio.Event]] = {}

    def __len__(self) -> int:
        return sum(len(watchers) for watchers in self._watchers.values())

    def add_watcher(self, root_id: int) -> asyncio.Event:
        """An event that is set at every change from now on; the watcher clears it. `leave` when done."""
        event = asyncio.Event()
        self._watchers.setdefault(root_id, set()).add(event)
        return event

    def remove_watcher(self, root_id: int, event: asyncio.Event) -> None:
        watchers = self._watchers.get(root_id, set())
        watchers.discard(event)
        if not watchers:
            self._watchers.pop(root_id, None)

    def wake_watchers(self, root_ids: Collection[int]) -> None:
        for root_id in (EVERY, *root_ids) if root_ids else ():
            for event in self._watchers.get(root_id, ()):
                event.set()
