"""Attempts at running jobs: their processes, their ends, and what they cost."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smalt.service.records.database import Database
from smalt.service.records.jobs import Job


@dataclass(slots=True)
class Attempt:
    """A try at running a job's process. The identity fields are the process', as reported by the compute."""

    id: int
    job_id: int
    number: int
    step_id: str
    compute: str
    pid: int | None
    started_at: float | None
    ended_at: float | None
    exit_code: int | None
    signal: int | None
    reason: str | None
    cpus: int = 1
    """CPU slots that it holds until it ends."""
    gpus: str = ""
    """GPUs that it holds, with commas between."""
    environment: str | None = None
    """The folder of its environment in the store (`BuiltEnvironment.stored_as`); None if an earlier smalt made it."""


_ATTEMPT = (
    "id, job_id, number, step_id, compute, pid, started_at, ended_at, exit_code, signal, reason, cpus, gpus,"
    " environment"
)
_PROCESS = "host=?, boot_id=?, pid_namespace=?, pid=?, start_time=?, started_at=?"


def get_last_attempt_number(db: Database, job: Job) -> int:
    """Return the number of the job's newest attempt; 0 if it has none."""
    if job.status == "NotStarted":
        return 0
    return int(db.value("SELECT count(*) FROM job_attempts WHERE job_id=?", (job.id,)))


def make_step_id(job: Job, number: int) -> str:
    """Return the step id of the job's attempt of that number."""
    return f"{job.id}.{number}"


def add_attempt(
    db: Database,
    job: Job,
    number: int,
    compute: str,
    limit: float | None,
    cpus: int = 1,
    gpus: Sequence[str] = (),
    environment: str | None = None,
    cold_reason: str | None = None,
) -> None:
    """Record an attempt before it is started, with the slots that it holds and the folder of its environment.

    `limit` is in seconds; `cold_reason` says why the program cannot start warm.
    """
    now = time.time()
    db.execute(
        "INSERT INTO job_attempts (workspace_id, job_id, number, step_id, compute, deadline, created_by, created_at,"
        " cpus, gpus, environment, cold_reason) VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
        (
            job.workspace_id,
            job.id,
            number,
            make_step_id(job, number),
            compute,
            limit and now + limit,
            job.created_by,
            now,
            cpus,
            ",".join(gpus),
            environment,
            cold_reason,
        ),
    )


def list_attempts(db: Database, job_id: int) -> list[Attempt]:
    return [
        Attempt(*row)
        for row in db.rows(f"SELECT {_ATTEMPT} FROM job_attempts WHERE job_id=? ORDER BY number", (job_id,))
    ]


def count_started_attempts(db: Database, job_id: int) -> int:
    """Return the number of attempts that began; one withdrawn or lost before its start used up no retry."""
    started = "job_id=? AND reason IS NOT 'never started'"
    return int(db.value(f"SELECT count(*) FROM job_attempts WHERE {started}", (job_id,)))


def list_open_attempts(db: Database) -> list[Attempt]:
    return [Attempt(*row) for row in db.rows(f"SELECT {_ATTEMPT} FROM job_attempts WHERE ended_at IS NULL")]


def find_open_attempt(db: Database, step_id: str) -> Attempt | None:
    """Return the attempt of that step unless its end is recorded already."""
    row = db.row(f"SELECT {_ATTEMPT} FROM job_attempts WHERE step_id=? AND ended_at IS NULL", (step_id,))
    return Attempt(*row) if row else None


def record_process(db: Database, step_id: str, process: Sequence[Any]) -> None:
    """Record the attempt's process: (host, boot id, pid namespace, pid, start time, when it was started)."""
    db.execute(f"UPDATE job_attempts SET {_PROCESS} WHERE step_id=?", (*process, step_id))


def end_attempt(
    db: Database,
    step_id: str,
    code: int | None,
    signal: int | None,
    reason: str,
    ended_at: float,
    process: Sequence[Any] | None = None,
    measured: tuple[float | None, int | None, float | None, str | None] = (None, None, None, None),
    warm: tuple[str | None, float | None] = (None, None),
    cold_reason: str | None = None,
) -> None:
    """Record an attempt's end, with the process' identity if that was not recorded before.

    `measured` is CPU seconds, peak memory in bytes, seconds until the program's first line, and how it started; `warm`
    is what had been imported before a program that started warm, and the seconds that took; `cold_reason` says why one
    that could start warm did not.
    """
    more, values = (f", {_PROCESS}", tuple(process)) if process else ("", ())
    db.execute(
        "UPDATE job_attempts SET exit_code=?, signal=?, reason=?, ended_at=?, cpu_seconds=?, peak_memory=?,"
        f" first_line_seconds=?, start_mode=?, imported_before=?, saved_seconds=?,"
        f" cold_reason=coalesce(?, cold_reason){more} WHERE step_id=?",
        (code, signal, reason, ended_at, *measured, *warm, cold_reason, *values, step_id),
    )


def list_costs(db: Database, root_ids: Sequence[int]) -> list[tuple[int, int, float, int | None]]:
    """Return (root job, job, CPU seconds, peak memory) of the jobs below these, over all attempts."""
    rows = db.rows(
        "SELECT j.root_id, j.id, sum(a.cpu_seconds), max(a.peak_memory)"
        " FROM jobs j JOIN job_attempts a ON a.job_id=j.id"
        " WHERE j.root_id IN (SELECT value FROM json_each(?)) AND a.cpu_seconds IS NOT NULL GROUP BY j.id",
        (json.dumps(list(root_ids)),),
    )
    return [(root, id, cpu, peak) for root, id, cpu, peak in rows]


def list_starts(db: Database, root_id: int) -> dict[int, dict[str, Any]]:
    """Return how the program of the last attempt of each job of a tree started; keys without a value are left out."""
    names = ("first_line_seconds", "start_mode", "cold_reason", "imported_before", "saved_seconds")
    rows = db.rows(
        "SELECT j.id, a.first_line_seconds, a.start_mode, a.cold_reason, a.imported_before, a.saved_seconds"
        " FROM jobs j JOIN job_attempts a ON a.job_id=j.id"
        " WHERE j.root_id=? AND a.start_mode IS NOT NULL ORDER BY a.number",
        (root_id,),
    )
    return {
        id: {name: value for name, value in zip(names, values, strict=True) if value not in (None, "")}
        for id, *values in rows
    }
