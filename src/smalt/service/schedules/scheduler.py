"""The scheduler: waits for the next time of any schedule, records its tick, and has its job accepted.

It lives on the server's event loop. Between two ticks it is one alarm; nothing is looked at meanwhile.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smalt.entities.schedules.triggers import DatastoreTrigger
from smalt.exceptions import RefusedError, SmaltError, Unavailable, ValidationException
from smalt.service.engine import Engine
from smalt.service.records import jobs, resources, schedules
from smalt.service.records.jobs import Job
from smalt.service.records.resources import ResourceRecord
from smalt.service.records.schedules import NewTick, ScheduleKey, ScheduleTimes, Tick
from smalt.service.records.workspaces import Workspace, get_workspace
from smalt.service.schedules import actions
from smalt.service.schedules.actions import DueTick
from smalt.service.schedules.clock import Clock, SystemClock
from smalt.service.schedules.folder_looks import FolderLooks
from smalt.service.schedules.missed import GRACE, POLICIES, SKIP, divide_due
from smalt.service.schedules.occurrences import Occurrences
from smalt.service.schedules.start_stop import COMPUTES, list_start_stops, set_state
from smalt.service.schedules.watched_folders import Files, WatchedFolder
from smalt.wire.workspaces.schedules import read_trigger

log = logging.getLogger("smalt.schedules")

KIND = "schedules"
MISSED = "smalt.missed-ticks"
"""The property of a schedule with its policy for ticks that a downtime missed: skip, once or all."""
TRIGGER, REQUEST = "trigger", "request"
"""The causes of a tick: its time has come, or a user has asked for it. The third is `folder_looks.CHANGE`."""

_AT_ONCE = 20
"""Schedules whose ticks are recorded in one transaction: some milliseconds, in which no request is answered."""
_RETRY_SECONDS = 5.0
"""Seconds until what could not be recorded, or found no room on the disk, is tried again."""
_LONGEST_NAME = 200
_NOT_OF_NAMES = re.compile(r"[^a-zA-Z0-9_-]+")


class Scheduler:
    def __init__(
        self,
        engine: Engine,
        clock: Clock | None = None,
        wake_server_at: Callable[[float | None], None] | None = None,
    ) -> None:
        """Make the scheduler; `wake_server_at` is told the next time, for whoever starts a server that is gone."""
        self.clock = clock or SystemClock()
        self._engine, self._db = engine, engine.context.db
        self._wake_server_at = wake_server_at
        self._occurrences: dict[tuple[ScheduleKey, str], Occurrences] = {}
        self._waiting: deque[int] = deque()
        """Ticks that are recorded and whose jobs are to be made."""
        self._held_up: set[int] = set()
        """Ticks that have waited for a server or for room on the disk, and not only for their turn."""
        self._is_making = False
        self._is_closed = False
        self.looks = FolderLooks(engine.context, self.clock, self._choose_job_name, self._add_ticks)

    def open(self) -> None:
        """Settle what an earlier server left, and wait for the next time."""
        stored = schedules.find_unknown(self._db, KIND)
        with self._db.transaction():
            for id in stored:
                self._take_over(id, self._put_stored_times)
        if stored:
            log.warning(
                "schedules that an earlier smalt only stored: %d; those that are on run from now on", len(stored)
            )
        for id in schedules.find_unknown(self._db, COMPUTES):
            self._take_over(id, self._put_start_stops)
        self._waiting.extend(schedules.list_unsettled(self._db))
        self._held_up.update(self._waiting)
        self._handle_alarm()

    def close(self) -> None:
        self._is_closed = self.looks.is_closed = True
        self.clock.close()

    @property
    def next_time(self) -> float | None:
        """The time of the next tick of any schedule."""
        return schedules.find_earliest_time(self._db)

    def put_schedule(self, workspace: Workspace, record: ResourceRecord, files: Files | None = None) -> None:
        """Work out the next time of a schedule that was stored; call in the transaction that stores it.

        `files` is what a schedule that watches a folder finds there now: only what comes later counts as a change.
        """
        is_new = self._put_times(workspace.id, record)
        if is_new and files is not None:
            schedules.update_watched_files(
                self._db, record.id, files, schedules.read_watched_files(self._db, record.id).keys() - files.keys()
            )
        self._wait_soon()

    async def list_watched_files(self, workspace: Workspace, properties: Mapping[str, Any]) -> Files | None:
        """Return the files in the folder that a schedule watches; None if it watches none.

        Raises ValidationException if the folder cannot be listed.
        """
        trigger = properties.get("trigger")
        if not isinstance(trigger, Mapping) or str(trigger.get("triggerType")).lower() != "datastore":
            return None
        read = read_trigger(trigger)
        assert isinstance(read, DatastoreTrigger)
        try:
            return await asyncio.to_thread(WatchedFolder(self._engine.context, workspace, read).list_files)
        except (Unavailable, RefusedError) as error:
            raise ValidationException(f"trigger.path: {error}") from None

    def put_compute(self, workspace: Workspace, record: ResourceRecord) -> None:
        """Work out the next times of a compute's schedules; call in the transaction that stores it."""
        self._put_start_stops(workspace.id, record)
        self._wait_soon()

    def _put_start_stops(self, workspace_id: int, record: ResourceRecord) -> None:
        now, there = float(int(self.clock.now())), schedules.list_parts(self._db, record.id)
        before = {times.key.part: times for times in there}
        parts = list(enumerate(list_start_stops(record.content["properties"]), 1))
        for part, one in parts:
            state = f"{one.trigger.to_dict()} {'on' if one.is_on else 'off'}"
            if part in before and before[part].trigger_hash == state:
                continue
            following = Occurrences(one.trigger, now).find_next(now) if one.is_on else None
            schedules.put_times(
                self._db, ScheduleTimes(ScheduleKey(record.id, part), workspace_id, now, state, following)
            )
        schedules.remove_schedule(self._db, record.id, before.keys() - {part for part, _ in parts})

    def remove_schedule(self, record: ResourceRecord) -> None:
        """Forget a schedule's times and ticks; call in the transaction that removes it."""
        schedules.remove_schedule(self._db, record.id)
        self._wait_soon()

    def check_schedule(
        self, workspace: Workspace, name: str, properties: Mapping[str, Any], files: Files | None = None
    ) -> list[str]:
        """Raise what is wrong with a schedule that is to be stored; return the lines that its jobs' logs begin with.

        `files` is what a schedule that watches a folder finds there.
        """
        body = dict(properties)
        get_policy(body, SKIP)
        if actions.explain_idle(name, body):
            return []
        now = self.clock.now()
        trigger = read_trigger(body.get("trigger"))
        if Occurrences(trigger, now).is_empty():
            raise ValidationException("trigger: the trigger has no time that ever comes; correct it")
        tick = DueTick(name, now, self._choose_job_name(workspace.id, name, now))
        if isinstance(trigger, DatastoreTrigger):
            sample = WatchedFolder(self._engine.context, workspace, trigger).find_sample(files or {})
            tick = tick._replace(changed=sample, input=trigger.input)
        return actions.check_action(self._engine, workspace, tick, body)

    def list_next_times(self, record: ResourceRecord, count: int) -> list[float]:
        times = schedules.find_times(self._db, ScheduleKey(record.id))
        if times is None or times.next_time is None:
            return []
        occurrences, found = self._find_occurrences(record, times), [times.next_time]
        while len(found) < count and (following := occurrences.find_next(found[-1])) is not None:
            found.append(following)
        return found

    def list_last_ticks(self, record: ResourceRecord, count: int) -> list[Tick]:
        return schedules.list_last_ticks(self._db, ScheduleKey(record.id), count)

    def trigger_schedule(self, workspace: Workspace, record: ResourceRecord, at: float, principal: str) -> str:
        """Make a schedule's job now, and return its name; a request that comes twice for one time makes one job."""
        key, properties = ScheduleKey(record.id), record.content["properties"]
        name = self._choose_job_name(workspace.id, record.name, at)
        if why := actions.explain_idle(record.name, properties) or _explain_no_request(record.name, properties):
            raise RefusedError(why)
        times = schedules.find_times(self._db, key) or ScheduleTimes(key, workspace.id, at, "", None)
        new = NewTick(at, name, cause=REQUEST)
        id = schedules.add_tick(self._db, times, new, principal)
        if id is None:
            there = schedules.find_tick(self._db, key, REQUEST, at)
            assert there is not None
            assert there.job is not None
            self._settle_tick(there.id)
            return there.job
        try:
            self._submit_job(workspace, id, DueTick(record.name, at, name), properties, principal)
        except Exception as error:
            schedules.settle_tick(self._db, id, "failed", str(error))
            raise
        return name

    # The next time

    def _take_over(self, id: int, put: Callable[[int, ResourceRecord], object]) -> None:
        """Work out the times of a resource that an earlier smalt has stored; it may have what is refused today."""
        found = resources.find_by_id(self._db, id)
        if found is None:
            return
        try:
            put(*found)
        except (SmaltError, ValueError) as error:
            log.error("the schedule of %s '%s' has no ticks: %s", found[1].kind, found[1].name, error)

    def _put_stored_times(self, workspace_id: int, record: ResourceRecord) -> None:
        """Work out the next time of a schedule that an earlier smalt only stored: none that came before counts."""
        self._put_times(workspace_id, record, min(record.created_at, self.clock.now()))

    def _put_times(self, workspace_id: int, record: ResourceRecord, stored_at: float | None = None) -> bool:
        """Work out the next time, unless the trigger and the state are the same as before; return True if they are
        not.
        """
        properties, key, now = record.content["properties"], ScheduleKey(record.id), self.clock.now()
        is_on = properties.get("isEnabled", True) and not actions.explain_idle(record.name, properties)
        trigger = _hash_trigger(properties)
        state = f"{trigger} {'on' if is_on else 'off'}"
        before = schedules.find_times(self._db, key)
        if before is not None and before.trigger_hash == state:
            return False
        is_same = before is not None and before.trigger_hash.startswith(trigger)
        anchor = before.anchor if before is not None and is_same else float(int(stored_at or now))
        times = ScheduleTimes(key, workspace_id, anchor, state, None)
        if is_on:
            occurrences = Occurrences(read_trigger(properties.get("trigger")), anchor)
            begins_now = before is None and stored_at is None and occurrences.begins_at_once
            times = times._replace(next_time=occurrences.find_next(anchor - 1 if begins_now else now))
        schedules.put_times(self._db, times)
        return True

    def _find_occurrences(self, record: ResourceRecord, times: ScheduleTimes) -> Occurrences:
        known = (times.key, f"{times.trigger_hash} {times.anchor}")
        if known not in self._occurrences:
            if len(self._occurrences) > 2000:
                self._occurrences.clear()
            properties = record.content["properties"]
            trigger = (
                list_start_stops(properties)[times.key.part - 1].trigger
                if record.kind == COMPUTES
                else read_trigger(properties.get("trigger"))
            )
            self._occurrences[known] = Occurrences(trigger, times.anchor)
        return self._occurrences[known]

    def _wait_soon(self) -> None:
        """Set the alarm again once what changes now is committed."""
        asyncio.get_running_loop().call_soon(self._set_alarm)

    def _set_alarm(self) -> None:
        if self._is_closed:
            return
        earliest = self.next_time
        self.clock.set_alarm(earliest, self._handle_alarm)
        if self._wake_server_at is not None:
            self._wake_server_at(earliest)

    # Ticks

    def _handle_alarm(self) -> None:
        """Record the ticks whose time has come, and make their jobs."""
        if self._is_closed:
            return
        try:
            now = self.clock.now()
            due = schedules.list_due(self._db, now, _AT_ONCE)
            with self._db.transaction():
                new = [id for times in due for id in self._record_ticks(times, now)]
            self._waiting.extend(new)
        except Exception as error:  # whatever it is, the other ticks must not be lost
            log.error("%s", error, exc_info=None if isinstance(error, Unavailable) else error)
            self._try_again()
            return
        if len(due) == _AT_ONCE:
            asyncio.get_running_loop().call_soon(self._handle_alarm)
        else:
            self._set_alarm()
        self._make_jobs()

    def _try_again(self) -> None:
        self.clock.set_alarm(self.clock.now() + _RETRY_SECONDS, self._handle_alarm)

    def _record_ticks(self, times: ScheduleTimes, now: float) -> list[int]:
        """Record what is due of a schedule, and its next time; return the ticks that get a job."""
        found = resources.find_by_id(self._db, times.key.resource_id)
        if found is None or times.next_time is None:
            schedules.remove_schedule(self._db, times.key.resource_id)
            return []
        record = found[1]
        try:
            if record.kind == COMPUTES:
                self._switch_compute(record, times, now)
                return []
            occurrences = self._find_occurrences(record, times)
            if isinstance(occurrences.trigger, DatastoreTrigger):
                schedules.set_next_time(self._db, times.key, occurrences.find_next(now))
                self.looks.begin_look(times, occurrences.trigger)
                return []
            policy = get_policy(record.content["properties"], self._engine.context.settings.missed_ticks)
            due = divide_due(occurrences, times.next_time, now, policy)
            following = occurrences.find_next(now)
        except (SmaltError, ValueError) as error:  # a trigger that an earlier smalt has taken
            log.error("the schedule of %s '%s' has no ticks any more: %s", record.kind, record.name, error)
            schedules.set_next_time(self._db, times.key, None)
            return []
        new = [NewTick(at, self._choose_job_name(times.workspace_id, record.name, at)) for at in due.fire]
        if due.skipped is not None:
            skipped = due.skipped
            more = "; there were more than are counted here" if skipped.is_more else ""
            reason = f"no server ran, or the machine slept; the policy for missed ticks is '{policy}'{more}"
            new.insert(0, NewTick(skipped.first, None, "skipped", TRIGGER, skipped.last, skipped.number, reason))
        schedules.set_next_time(self._db, times.key, following)
        ids = [schedules.add_tick(self._db, times, one, record.created_by) for one in new]
        return [id for id, one in zip(ids, new, strict=True) if id is not None and one.status == "due"]

    def _switch_compute(self, record: ResourceRecord, times: ScheduleTimes, now: float) -> None:
        """Record a tick of a compute's schedule and the state that follows; of several, the last one counts."""
        occurrences = self._find_occurrences(record, times)
        [at] = occurrences.list_last(times.next_time or now, now, 1) or [times.next_time or now]
        action = list_start_stops(record.content["properties"])[times.key.part - 1].action
        schedules.set_next_time(self._db, times.key, occurrences.find_next(now))
        schedules.add_tick(self._db, times, NewTick(at, None, "fired"), record.created_by)
        set_state(self._db, times.workspace_id, record, action, at, "Schedule", record.created_by)

    def _add_ticks(self, ids: Sequence[int]) -> None:
        """Make the jobs of ticks that were recorded."""
        self._waiting.extend(ids)
        self._set_alarm()
        self._make_jobs()

    def _make_jobs(self) -> None:
        if not self._is_making:
            self._is_making = True
            self._make_next_job()

    def _make_next_job(self) -> None:
        """Make the job of one tick per turn of the loop, so that answers need not wait for many."""
        if self._is_closed or not self._waiting:
            self._is_making = False
            return
        id = self._waiting.popleft()
        try:
            self._settle_tick(id)
        except Unavailable as error:
            log.error("%s", error)
            self._waiting.appendleft(id)
            self._held_up.update(self._waiting)
            asyncio.get_running_loop().call_later(_RETRY_SECONDS, self._make_next_job)
            return
        except Exception:
            log.exception("the tick %d could not be settled", id)
        asyncio.get_running_loop().call_soon(self._make_next_job)

    def _settle_tick(self, id: int) -> None:
        """Make the job of a tick, unless an earlier server has made it, and record the outcome."""
        tick = schedules.get_tick(self._db, id)
        if tick is None or tick.status != "due" or tick.job is None:
            return
        if jobs.find_by_name(self._db, tick.workspace_id, tick.job) is not None:
            schedules.settle_tick(self._db, id, "fired")
            return
        found = resources.find_by_id(self._db, tick.resource_id)
        if found is None:
            return
        properties, late = found[1].content["properties"], self.clock.now() - tick.time
        policy = get_policy(properties, self._engine.context.settings.missed_ticks)
        is_missed = id in self._held_up and late > GRACE
        self._held_up.discard(id)
        if tick.cause == TRIGGER and policy == SKIP and is_missed:
            why = f"its job could not be made within {GRACE:.0f} s; the policy for missed ticks is '{policy}'"
            schedules.settle_tick(self._db, id, "skipped", why)
            return
        workspace = get_workspace(self._db, tick.workspace_id)
        try:
            input = _find_input(properties) if tick.changed else None
            due = DueTick(found[1].name, tick.time, tick.job, tick.changed, input)
            self._submit_job(workspace, id, due, properties, tick.principal)
        except Unavailable:
            raise
        except Exception as error:
            if not isinstance(error, SmaltError):
                log.exception("the tick of schedule '%s' made no job", found[1].name)
            schedules.settle_tick(self._db, id, "failed", str(error))

    def _submit_job(
        self, workspace: Workspace, id: int, tick: DueTick, properties: dict[str, Any], principal: str
    ) -> None:
        def record_job(job: Job) -> None:
            schedules.settle_tick(self._db, id, "fired")

        actions.submit_job(self._engine, workspace, tick, properties, principal, record_job)

    def _choose_job_name(self, workspace_id: int, schedule: str, at: float) -> str:
        """Return a name that no job has, and that no tick is about to use."""
        base = f"{_NOT_OF_NAMES.sub('-', schedule)[:_LONGEST_NAME]}-{actions.format_stamp(at)}"
        name, number = base, 1
        while jobs.find_by_name(self._db, workspace_id, name) or schedules.has_unsettled_job(
            self._db, workspace_id, name
        ):
            number += 1
            name = f"{base}-{number}"
        return name


def get_policy(properties: Mapping[str, Any], default: str) -> str:
    """Return a schedule's policy for missed ticks."""
    notes = properties.get("properties")
    policy = str(notes[MISSED]).lower() if isinstance(notes, Mapping) and notes.get(MISSED) else default
    if policy not in POLICIES:
        raise ValidationException(f"properties.{MISSED}: it is '{policy}', and may be {', '.join(POLICIES)}")
    return policy


def _explain_no_request(name: str, properties: Mapping[str, Any]) -> str:
    """Return why a schedule makes no job on request; "" if it makes one."""
    if input := _find_input(properties):
        return f"schedule '{name}' gives each changed file to the input '{input}' of a job; change a file for one"
    return ""


def _find_input(properties: Mapping[str, Any]) -> str | None:
    """Return the input that gets the changed file; None if the schedule watches no folder, or none gets it."""
    trigger = read_trigger(properties.get("trigger"))
    return trigger.input if isinstance(trigger, DatastoreTrigger) else None


def _hash_trigger(properties: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(properties.get("trigger"), sort_keys=True).encode()).hexdigest()
