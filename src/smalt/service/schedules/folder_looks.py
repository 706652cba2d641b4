"""Looks at watched folders: each lists its folder in a thread, and records a tick for what has changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from smalt.entities.schedules.triggers import DatastoreTrigger
from smalt.exceptions import SmaltError, Unavailable
from smalt.service.engine.context import EngineContext
from smalt.service.records import resources, schedules
from smalt.service.records.schedules import NewTick, ScheduleKey, ScheduleTimes
from smalt.service.records.workspaces import get_workspace
from smalt.service.schedules.clock import Clock
from smalt.service.schedules.watched_folders import Files, WatchedFolder, find_changes, make_file_uri

log = logging.getLogger("smalt.schedules")

CHANGE = "change"
"""The cause of a tick: files of a watched folder were added or changed."""
MOST_AT_ONCE = 100
"""Changed files of which one look makes ticks where each has its own; the next look follows at once."""

ChooseJobName = Callable[[int, str, float], str]
"""(workspace, schedule, time) → a name that no job has."""


class FolderLooks:
    def __init__(
        self,
        context: EngineContext,
        clock: Clock,
        choose_job_name: ChooseJobName,
        add_ticks: Callable[[Sequence[int]], None],
    ) -> None:
        """`add_ticks` is told the ids of the ticks that were recorded."""
        self._context, self._db, self._clock = context, context.db, clock
        self._choose_job_name, self._add_ticks = choose_job_name, add_ticks
        self.in_progress: dict[ScheduleKey, asyncio.Task[None]] = {}
        self.is_closed = False

    def begin_look(self, times: ScheduleTimes, trigger: DatastoreTrigger) -> None:
        """Look at a folder soon, unless the look before still goes on."""
        if times.key not in self.in_progress:
            task = asyncio.get_running_loop().create_task(self._look_at_folder(times, trigger))
            self.in_progress[times.key] = task
            task.add_done_callback(lambda _: self.in_progress.pop(times.key))

    async def _look_at_folder(self, times: ScheduleTimes, trigger: DatastoreTrigger) -> None:
        found: Files | SmaltError
        try:
            folder = WatchedFolder(self._context, get_workspace(self._db, times.workspace_id), trigger)
            found = await asyncio.to_thread(folder.list_files)
        except SmaltError as error:
            found = error
        if self.is_closed:
            return
        try:
            with self._db.transaction():
                new = self._record_look(times, trigger, found)
        except Exception as error:  # the next look finds the same changes
            log.error("%s", error, exc_info=None if isinstance(error, Unavailable) else error)
            return
        self._add_ticks(new)

    def _record_look(self, times: ScheduleTimes, trigger: DatastoreTrigger, found: Files | SmaltError) -> list[int]:
        """Record the ticks of changed files, and what the next look compares with; return the ids of the ticks."""
        key, at = times.key, self._clock.now()
        stored, resource = schedules.find_times(self._db, key), resources.find_by_id(self._db, key.resource_id)
        if stored is None or resource is None or stored.trigger_hash != times.trigger_hash:
            return []  # the schedule was changed meanwhile
        record = resource[1]
        if isinstance(found, SmaltError):
            if not schedules.extend_skipped(self._db, key, CHANGE, at, str(found)):
                tick = NewTick(at, None, "skipped", CHANGE, reason=str(found))
                schedules.add_tick(self._db, times, tick, record.created_by)
            return []
        known = schedules.read_watched_files(self._db, key.resource_id)
        changed = find_changes(known, found)
        if trigger.input and len(changed) > MOST_AT_ONCE:
            changed = changed[:MOST_AT_ONCE]
            schedules.set_next_time(self._db, key, at)
        seen = {path: found[path] for path in changed}
        schedules.update_watched_files(self._db, key.resource_id, seen, known.keys() - found.keys())
        ids: list[int | None] = []
        for words in _describe_changes(trigger, changed):
            job = self._choose_job_name(times.workspace_id, record.name, at)
            tick = NewTick(at, job, cause=CHANGE, changed=words)
            ids.append(schedules.add_tick(self._db, times, tick, record.created_by))
        return [id for id in ids if id is not None]


def _describe_changes(trigger: DatastoreTrigger, changed: list[str]) -> list[str]:
    """Return the changed file of each tick: one each for an input, else one tick for all of them."""
    uris = [make_file_uri(trigger, path) for path in changed]
    if trigger.input or len(uris) < 2:
        return uris
    return [f"{uris[0]} and {len(uris) - 1} more"]
