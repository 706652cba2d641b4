"""The reason of a cancellation that was asked for, and the error of a job that is over."""

from __future__ import annotations

from pathlib import Path

import pytest

from smalt.service.api.arm.job_shapes import build_tree_row
from smalt.service.records import jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job, NewJob

WHY = {"code": "Canceled", "message": "canceled by me"}


@pytest.fixture
def db(tmp_path: Path) -> Database:
    return Database(tmp_path / "smalt.db")


@pytest.fixture
def job(db: Database) -> Job:
    """A job that runs and is asked to end."""
    workspace = workspaces.ensure_workspace(db, "sub", "rg", "ws", "me")
    added = jobs.add_job(db, workspace.id, NewJob("j", "pipeline", {}, "Default"), "me")
    jobs.set_status(db, added, "Running")
    jobs.request_cancel(db, added, WHY)
    return added


def test_the_reason_is_no_error_while_the_job_runs(db: Database, job: Job) -> None:
    """The job still may end in any state."""
    assert jobs.get_job(db, job.id).ended_by is None
    assert build_tree_row(jobs.get_job(db, job.id), {})["error"] is None


def test_a_canceled_job_has_the_reason(db: Database, job: Job) -> None:
    jobs.set_status(db, job, "CancelRequested")
    jobs.set_status(db, job, "Canceled")
    assert jobs.get_job(db, job.id).ended_by == WHY


def test_a_job_that_completed_has_no_error(db: Database, job: Job) -> None:
    """The cancellation came too late."""
    jobs.set_status(db, job, "Completed")
    assert jobs.get_job(db, job.id).error is None
    assert job.ended_by is None


def test_a_job_that_failed_has_its_own_error(db: Database, job: Job) -> None:
    jobs.set_status(db, job, "Failed", error={"code": "X", "message": "broke"})
    ended_by = jobs.get_job(db, job.id).ended_by
    assert ended_by is not None
    assert ended_by["message"] == "broke"
