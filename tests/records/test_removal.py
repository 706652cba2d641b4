"""Removing jobs takes all of their rows, and no statement that is run for each job reads a whole table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from smalt.service.records import job_needs, job_removal, jobs, reuse, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job, NewJob


class RecordingDatabase(Database):
    """A database that remembers the statements that were run for many values."""

    def __init__(self, path: Path) -> None:
        self.statements: list[tuple[str, Sequence[Any]]] = []
        super().__init__(path)

    def execute_many(self, sql: str, values: Iterable[Sequence[Any]]) -> None:
        rows = list(values)
        self.statements += [(sql, row) for row in rows[:1]]
        super().execute_many(sql, rows)


@pytest.fixture
def db(tmp_path: Path) -> RecordingDatabase:
    return RecordingDatabase(tmp_path / "smalt.db")


def add_pipeline(db: Database, name: str, steps: int = 3) -> tuple[Job, list[int]]:
    """A pipeline whose steps depend on one another, and whose last step reuses an output."""
    workspace = workspaces.ensure_workspace(db, "sub", "rg", "ws", "me")
    root = jobs.add_job(db, workspace.id, NewJob(name, "pipeline", {}, "Default"), "me")
    news = [NewJob(f"{name}-{number}", "command", {}, "Default", node=str(number)) for number in range(steps)]
    ids = jobs.add_jobs(db, workspace.id, news, "me", root)
    job_needs.add_dependencies(db, zip(ids[1:], ids, strict=False))
    reuse.put_places(db, jobs.get_job(db, ids[-1]), {"azureml://planned": f"azureml://{name}"})
    return root, ids


def scans(db: RecordingDatabase) -> list[str]:
    plans = [(sql, str(db.rows(f"EXPLAIN QUERY PLAN {sql}", row))) for sql, row in db.statements if "DELETE" in sql]
    assert plans
    return [sql for sql, plan in plans if "SCAN" in plan]


def test_a_removed_pipeline_leaves_no_rows_and_scans_no_table(db: RecordingDatabase) -> None:
    removed, _ = add_pipeline(db, "a")
    kept, ids = add_pipeline(db, "b")
    job_removal.remove_tree(db, removed)
    assert scans(db) == []
    assert db.rows("SELECT job_id, needs_id FROM job_needs ORDER BY 1") == [*zip(ids[1:], ids, strict=False)]
    assert db.rows("SELECT root_id FROM reuse_places") == [(kept.id,)]
    assert db.rows("SELECT DISTINCT root_id FROM jobs") == [(kept.id,)]


def test_removed_children_leave_no_dependencies_and_scan_no_table(db: RecordingDatabase) -> None:
    """A dependency on a job that is not among the children goes, too."""
    parent, ids = add_pipeline(db, "a")
    other, _ = add_pipeline(db, "b", 1)
    job_needs.add_dependencies(db, [(ids[0], other.id)])
    job_removal.remove_children(db, parent)
    assert scans(db) == []
    assert db.rows("SELECT * FROM job_needs") == []
