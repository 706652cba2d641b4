"""The place of an asset that was moved, in the records of the jobs that read it."""

from __future__ import annotations

from pathlib import Path

from smalt.service.records import job_attempts, job_data, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.job_data import DataRow
from smalt.service.records.jobs import Job, NewJob

ASSET = "data/d/versions/1"


def add_reader(db: Database, name: str, workspace_id: int, asset: str = ASSET) -> Job:
    job = jobs.add_job(db, workspace_id, NewJob(name, "command", {}, "Default"), "me")
    row = DataRow("input", "data", "uri_folder", "ro_mount", "azureml:d:1", asset, "/old")
    job_data.put_data(db, job, [row])
    return job


def test_jobs_that_are_over_have_the_new_place(tmp_path: Path) -> None:
    """A job that runs keeps the place that it reads; other assets and workspaces are not touched."""
    db = Database(tmp_path / "smalt.db")
    ours, other = (workspaces.ensure_workspace(db, "sub", "rg", name, "me").id for name in ("ours", "other"))
    over, running = add_reader(db, "over", ours), add_reader(db, "running", ours)
    job_attempts.add_attempt(db, running, 1, "local", None)
    beside, elsewhere = add_reader(db, "beside", ours, "data/e/versions/1"), add_reader(db, "elsewhere", other)
    job_data.move_place(db, ours, ASSET, "/old", "/new")
    places = {job.name: job_data.read_places(db, job.id)["data"][1] for job in (over, running, beside, elsewhere)}
    assert places == {"over": "/new", "running": "/old", "beside": "/old", "elsewhere": "/old"}
    db.close()
