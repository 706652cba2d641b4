"""Samples of what jobs used of the machine while they ran."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from smalt.service.records.database import Database

Row = tuple[int, float, float, int, "float | None", "int | None"]
"""job_id, at, cpu, memory, gpu, gpu_memory"""


class UsageSample(NamedTuple):
    at: float
    cpu: float
    """Cores that were busy, on average since the sample before."""
    memory: int
    gpu: float | None
    """GPUs that were busy; 1.0 is one of them wholly. None where the job has none."""
    gpu_memory: int | None


def add_samples(db: Database, rows: Iterable[Row]) -> None:
    """Add samples in one transaction; those of a job removed meanwhile are skipped."""
    with db.transaction():
        db.execute_many(
            "INSERT OR REPLACE INTO usage (job_id, at, cpu, memory, gpu, gpu_memory)"
            " SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS (SELECT 1 FROM jobs WHERE id=?1)",
            rows,
        )


def list_samples(db: Database, job_ids: Iterable[int]) -> dict[int, list[UsageSample]]:
    """Return job → its samples, oldest first; jobs without any are left out."""
    rows = db.rows(
        "SELECT job_id, at, cpu, memory, gpu, gpu_memory FROM usage"
        " WHERE job_id IN (SELECT value FROM json_each(?)) ORDER BY job_id, at",
        (json.dumps(list(job_ids)),),
    )
    return {job: [UsageSample(*row[1:]) for row in of_job] for job, of_job in groupby(rows, key=itemgetter(0))}


def count_before(db: Database, ended: float) -> int:
    """Return the number of samples of jobs that ended before that time."""
    return int(db.value(f"SELECT count(*) FROM usage WHERE {_OVER}", (ended,)))


def remove_before(db: Database, ended: float) -> None:
    db.execute(f"DELETE FROM usage WHERE {_OVER}", (ended,))


_OVER = "job_id IN (SELECT id FROM jobs WHERE ended_at<?)"
