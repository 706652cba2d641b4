"""The next times of schedules, and their ticks: each is a row before its job is made."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from smalt.service.records.database import Database

_KEPT = 1000
"""Ticks that are kept of each schedule."""
_COLUMNS = (
    "id, workspace_id, resource_id, part, cause, time, last_time, count, status, job, reason, settled_at, principal,"
    " changed"
)


class ScheduleKey(NamedTuple):
    resource_id: int
    part: int = 0
    """The number of a compute's schedule."""


class ScheduleTimes(NamedTuple):
    key: ScheduleKey
    workspace_id: int
    anchor: float
    trigger_hash: str
    next_time: float | None


class NewTick(NamedTuple):
    time: float
    job: str | None
    """The name of the job that it makes; None if it makes none."""
    status: str = "due"
    cause: str = "trigger"
    last_time: float | None = None
    number: int = 1
    """The number of ticks that it stands for."""
    reason: str | None = None
    changed: str = ""
    """The file that was added or changed, of a schedule that watches a datastore."""


@dataclass(frozen=True)
class Tick:
    id: int
    workspace_id: int
    resource_id: int
    part: int
    cause: str
    time: float
    last_time: float | None
    count: int
    status: str
    job: str | None
    reason: str | None
    settled_at: float | None
    principal: str
    changed: str

    @property
    def key(self) -> ScheduleKey:
        return ScheduleKey(self.resource_id, self.part)


def put_times(db: Database, times: ScheduleTimes) -> None:
    db.execute(
        "INSERT OR REPLACE INTO schedules (resource_id, part, workspace_id, anchor, trigger_hash, next_time)"
        " VALUES (?,?,?,?,?,?)",
        (*times.key, *times[1:]),
    )


def set_next_time(db: Database, key: ScheduleKey, next_time: float | None) -> None:
    db.execute("UPDATE schedules SET next_time=? WHERE resource_id=? AND part=?", (next_time, *key))


def find_times(db: Database, key: ScheduleKey) -> ScheduleTimes | None:
    found = _list_times(db, "resource_id=? AND part=?", key)
    return found[0] if found else None


def list_parts(db: Database, resource_id: int) -> list[ScheduleTimes]:
    """Return the times of all schedules of a resource."""
    return _list_times(db, "resource_id=? ORDER BY part", (resource_id,))


def list_due(db: Database, now: float, limit: int) -> list[ScheduleTimes]:
    return _list_times(db, f"next_time<=? ORDER BY next_time, resource_id LIMIT {limit}", (now,))


def find_earliest_time(db: Database) -> float | None:
    found: float | None = db.value("SELECT min(next_time) FROM schedules WHERE next_time IS NOT NULL")
    return found


def find_unknown(db: Database, kind: str) -> list[int]:
    """Return the ids of the resources of a kind whose times were never worked out."""
    rows = db.rows(
        "SELECT r.id FROM resources r WHERE r.kind=? AND NOT EXISTS"
        " (SELECT 1 FROM schedules s WHERE s.resource_id=r.id)",
        (kind,),
    )
    return [int(id) for (id,) in rows]


def remove_schedule(db: Database, resource_id: int, parts: Iterable[int] | None = None) -> None:
    """Remove the times and ticks of a resource's schedules, or of these parts alone."""
    if parts is None:
        db.execute("DELETE FROM watched_files WHERE resource_id=?", (resource_id,))
    for table in ("schedules", "ticks"):
        if parts is None:
            db.execute(f"DELETE FROM {table} WHERE resource_id=?", (resource_id,))
        else:
            values = [(resource_id, part) for part in parts]
            db.execute_many(f"DELETE FROM {table} WHERE resource_id=? AND part=?", values)


def disable_all(db: Database, why: str) -> None:
    """Disable every schedule, and give up the ticks whose jobs are not made yet."""
    for id, text in db.rows("SELECT id, body FROM resources WHERE kind='schedules'"):
        body = json.loads(text)
        body["properties"]["isEnabled"] = False
        db.execute("UPDATE resources SET body=? WHERE id=?", (json.dumps(body), id))
    db.execute("DELETE FROM schedules")
    db.execute("DELETE FROM watched_files")
    db.execute("UPDATE ticks SET status='failed', reason=?, settled_at=? WHERE status='due'", (why, time.time()))


def add_tick(db: Database, times: ScheduleTimes, tick: NewTick, principal: str) -> int | None:
    """Record a tick; return its id, or None if the schedule had a tick at that time already."""
    settled = None if tick.status == "due" else time.time()
    added = db.execute(
        "INSERT OR IGNORE INTO ticks (workspace_id, resource_id, part, cause, time, last_time, count, status, job,"
        " reason, settled_at, principal, changed) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            times.workspace_id, *times.key, tick.cause, tick.time, tick.last_time, tick.number, tick.status, tick.job,
            tick.reason, settled, principal, tick.changed,
        ),
    )  # fmt: skip
    if not added.rowcount:
        return None
    oldest = db.value(
        f"SELECT id FROM ticks WHERE resource_id=? AND part=? ORDER BY id DESC LIMIT 1 OFFSET {_KEPT}", times.key
    )
    if oldest is not None:
        db.execute("DELETE FROM ticks WHERE resource_id=? AND part=? AND id<=? AND status!='due'", (*times.key, oldest))
    return added.lastrowid


def extend_skipped(db: Database, key: ScheduleKey, cause: str, at: float, reason: str) -> bool:
    """Count one more skipped tick in the schedule's last one; return False if that is another one."""
    extended = db.execute(
        "UPDATE ticks SET last_time=?, count=count+1 WHERE status='skipped' AND cause=? AND reason=? AND id="
        "(SELECT max(id) FROM ticks WHERE resource_id=? AND part=?)",
        (at, cause, reason, *key),
    )
    return bool(extended.rowcount)


def read_watched_files(db: Database, resource_id: int) -> dict[str, str]:
    """Return the stamps of the files that a schedule watches, by path, as its last look saw them."""
    rows = db.rows("SELECT path, stamp FROM watched_files WHERE resource_id=?", (resource_id,))
    return {str(path): str(stamp) for path, stamp in rows}


def update_watched_files(db: Database, resource_id: int, seen: Mapping[str, str], gone: Iterable[str] = ()) -> None:
    db.execute_many("DELETE FROM watched_files WHERE resource_id=? AND path=?", [(resource_id, path) for path in gone])
    db.execute_many(
        "INSERT OR REPLACE INTO watched_files (resource_id, path, stamp) VALUES (?,?,?)",
        [(resource_id, path, stamp) for path, stamp in seen.items()],
    )


def settle_tick(db: Database, id: int, status: str, reason: str | None = None) -> None:
    db.execute(
        "UPDATE ticks SET status=?, reason=?, settled_at=? WHERE id=? AND status='due'",
        (status, reason, time.time(), id),
    )


def get_tick(db: Database, id: int) -> Tick | None:
    found = _list_ticks(db, "id=?", (id,))
    return found[0] if found else None


def find_tick(db: Database, key: ScheduleKey, cause: str, at: float) -> Tick | None:
    found = _list_ticks(db, "resource_id=? AND part=? AND cause=? AND time=?", (*key, cause, at))
    return found[0] if found else None


def list_unsettled(db: Database) -> list[int]:
    """Return the ids of the ticks whose outcome is not recorded, oldest first."""
    return [int(id) for (id,) in db.rows("SELECT id FROM ticks WHERE status='due' ORDER BY id")]


def list_last_ticks(db: Database, key: ScheduleKey, limit: int) -> list[Tick]:
    return _list_ticks(db, f"resource_id=? AND part=? ORDER BY id DESC LIMIT {limit}", key)


def list_job_names(db: Database, workspace_id: int, resource_id: int) -> list[str]:
    """Return the names of the jobs of a schedule's ticks, newest first."""
    rows = db.rows(
        "SELECT job FROM ticks WHERE workspace_id=? AND resource_id=? AND job IS NOT NULL ORDER BY id DESC",
        (workspace_id, resource_id),
    )
    return [str(job) for (job,) in rows]


def has_unsettled_job(db: Database, workspace_id: int, job: str) -> bool:
    """Return True if a tick is about to make a job of that name."""
    return bool(db.value("SELECT 1 FROM ticks WHERE status='due' AND workspace_id=? AND job=?", (workspace_id, job)))


def _list_times(db: Database, where: str, values: Iterable[object]) -> list[ScheduleTimes]:
    rows = db.rows(
        "SELECT resource_id, part, workspace_id, anchor, trigger_hash, next_time FROM schedules WHERE " + where,
        tuple(values),
    )
    return [ScheduleTimes(ScheduleKey(row[0], row[1]), *row[2:]) for row in rows]


def _list_ticks(db: Database, where: str, values: Iterable[object]) -> list[Tick]:
    return [Tick(*row) for row in db.rows(f"SELECT {_COLUMNS} FROM ticks WHERE {where}", tuple(values))]
