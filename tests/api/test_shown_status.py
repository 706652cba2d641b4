"""The state of a job that has not started, as the service shows it, in each place alike."""

from __future__ import annotations

from typing import Any

from smalt.service.api.arm.job_shapes import get_shown_status
from smalt.service.records import jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import SHOWN_STATUS


def test_a_step_is_queued_if_it_waits_for_no_other(home: Any) -> None:
    """Whether or not smalt has given it to its launcher, which may be told to start it after another."""
    db = Database(home.path("smalt.db"))
    place = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    parent = jobs.add_job(db, place.id, jobs.NewJob("p", "pipeline", {}, "e", is_composite=True), "me")
    for name, waiting in (("free", 0), ("held", 1), ("given", 0), ("given-held", 1), ("runs", 0)):
        jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "e", waiting=waiting), "me", parent)
    db.execute("UPDATE jobs SET status='Queued' WHERE name LIKE 'given%'")
    db.execute("UPDATE jobs SET status='Running' WHERE name='runs'")
    found = {job.name: get_shown_status(job) for job in [parent, *jobs.list_children(db, parent.id)]}
    assert found == {
        "p": "NotStarted", "free": "Queued", "held": "NotStarted", "given": "Queued", "given-held": "NotStarted",
        "runs": "Running",
    }  # fmt: skip
    assert dict(db.rows(f"SELECT name, {SHOWN_STATUS} FROM jobs j")) == found
