"""An engine with a scheduler whose clock the test sets, and the program that is killed at one of its commits."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from smalt.machine.home import Home
from smalt.service.records import jobs, resources
from smalt.service.records.resources import ResourceRecord
from smalt.service.records.schedules import Tick
from smalt.service.schedules import Scheduler
from smalt.service.schedules.scheduler import KIND
from tests.engine.bench import Workbench

HELLO = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}
EVERY_MINUTE = {"triggerType": "Cron", "expression": "* * * * *"}


def moment(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()


class SetClock:
    """A clock that stands still until the test sets it; then the alarm rings, if its time has come."""

    def __init__(self, at: float) -> None:
        self._now = at
        self.alarm: float | None = None
        self._ring: Callable[[], None] = lambda: None

    def now(self) -> float:
        return self._now

    def set_alarm(self, at: float | None, ring: Callable[[], None]) -> None:
        self.alarm, self._ring = at, ring

    def close(self) -> None:
        self.alarm = None

    async def set_time(self, at: float) -> None:
        """Set the clock, and let the scheduler do what is due."""
        await settle()
        self._now = at
        while self.alarm is not None and self.alarm <= at:
            self.alarm = None
            self._ring()
            await settle()


async def settle() -> None:
    """Let everything run that waits for nothing."""
    for _ in range(50):
        await asyncio.sleep(0)


class ScheduleBench(Workbench):
    def __init__(self, home: Home, at: float) -> None:
        super().__init__(home)
        self.clock = SetClock(at)
        self.scheduler = Scheduler(self.engine, self.clock)

    async def open(self) -> None:
        await self.engine.open()
        self.scheduler.open()
        await settle()

    def put(self, trigger: dict[str, Any] | None = None, job: dict[str, Any] | None = None, **more: Any) -> None:
        """Store the schedule `s`, as its route does."""
        action = {"actionType": "CreateJob", "jobDefinition": job or HELLO}
        properties = {"trigger": trigger or EVERY_MINUTE, "action": action, **more}
        self.scheduler.check_schedule(self.workspace, "s", properties)
        with self.db.transaction():
            resources.put_resource(self.db, self.workspace.id, KIND, "s", {"properties": properties}, "tester")
            self.scheduler.put_schedule(self.workspace, self.record)

    async def watch(self, trigger: dict[str, Any], job: dict[str, Any] | None = None, **more: Any) -> None:
        """Store the schedule `s`, which watches a folder, as its route does."""
        action = {"actionType": "CreateJob", "jobDefinition": job or HELLO}
        properties = {"trigger": trigger, "action": action, **more}
        files = await self.scheduler.list_watched_files(self.workspace, properties)
        self.scheduler.check_schedule(self.workspace, "s", properties, files)
        with self.db.transaction():
            resources.put_resource(self.db, self.workspace.id, KIND, "s", {"properties": properties}, "tester")
            self.scheduler.put_schedule(self.workspace, self.record, files)
        await settle()

    async def look(self, at: str) -> None:
        """Set the clock, and let the looks that are due end, and their ticks make jobs."""
        await self.clock.set_time(moment(at))
        await self.finish_looks()

    async def finish_looks(self) -> None:
        await asyncio.gather(*self.scheduler.looks.in_progress.values())
        await settle()

    @property
    def record(self) -> ResourceRecord:
        found = resources.get_resource(self.db, self.workspace.id, KIND, "s")
        assert found is not None
        return found

    @property
    def ticks(self) -> list[Tick]:
        """All ticks, oldest first."""
        return self.scheduler.list_last_ticks(self.record, 1000)[::-1]

    def told(self) -> list[tuple[str, str]]:
        return [(format_time(tick.time), tick.status) for tick in self.ticks]

    def job_names(self) -> list[str]:
        rows = self.db.rows("SELECT name FROM jobs WHERE parent_id IS NULL ORDER BY id")
        return [name for (name,) in rows]


def format_time(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%m-%d %H:%M")


@contextlib.asynccontextmanager
async def schedule_bench(at: str, home: Home | None = None) -> AsyncIterator[ScheduleBench]:
    """Yield an opened bench, whose clock shows `at`; nothing of it is left running."""
    with tempfile.TemporaryDirectory(prefix="smalt-test-", ignore_cleanup_errors=True) as folder:
        bench = ScheduleBench(home or Home(Path(folder, "home")), moment(at))
        await bench.open()
        try:
            yield bench
        finally:
            bench.scheduler.close()
            for job in jobs.list_unfinished(bench.db):
                if job.parent_id is None:
                    await bench.over(job)
            await bench.engine.close()
            bench.db.close()


async def run_until_killed(home: str, number: int, when: str) -> None:
    """Let the home's schedule have two ticks; die by SIGKILL before or after the commit of that number."""
    bench = ScheduleBench(Home(Path(home)), moment("2026-01-01T10:00:30"))
    await bench.open()
    commit, count = bench.db._commit, 0

    def die_at_commit() -> None:
        nonlocal count
        count += 1
        if count == number and when == "before":
            os.kill(os.getpid(), 9)
        commit()
        if count == number:
            os.kill(os.getpid(), 9)

    bench.db._commit = die_at_commit  # type: ignore[method-assign]
    execute = bench.db.execute

    def die_at_statement(sql: str, values: Any = ()) -> Any:
        """A statement outside of a transaction is a commit of its own."""
        nonlocal count
        if bench.db._depth or sql.startswith(("SELECT", "PRAGMA")):
            return execute(sql, values)
        count += 1
        if count == number and when == "before":
            os.kill(os.getpid(), 9)
        done = execute(sql, values)
        if count == number:
            os.kill(os.getpid(), 9)
        return done

    bench.db.execute = die_at_statement  # type: ignore[method-assign]
    for at in ("2026-01-01T10:01:00", "2026-01-01T10:02:00"):
        await bench.look(at)
    await bench.kill()


if __name__ == "__main__":
    asyncio.run(run_until_killed(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
