from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from smalt.machine.home import Home
from smalt.service.records import job_removal, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.jobs import Job
from smalt.service.tracking.job_tokens import GRACE, JobTokens


@pytest.fixture
def db(home: Home) -> Iterator[Database]:
    made = Database(home.path("smalt.db"))
    yield made
    made.close()


def _job(db: Database, name: str = "job", workspace: str = "one") -> Job:
    place = workspaces.ensure_workspace(db, "sub", "group", workspace, "me")
    return jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "exp"), "me")


def test_a_token_leads_to_its_job_and_outlives_the_server(home: Home, db: Database) -> None:
    """Computed by a secret that is the home's, in a file of its owner only."""
    job = _job(db)
    token = JobTokens(home).get_token(job)
    assert token.startswith(f"smaltjob.{job.workspace_id}.job.")
    found = JobTokens(home).find_job(db, token)
    assert found is not None
    assert found.id == job.id
    assert home.path("tracking.key").stat().st_mode & 0o777 == 0o600


def test_a_token_of_another_home_job_or_workspace_is_none(home: Home, db: Database) -> None:
    """Whatever part is exchanged."""
    job, other, elsewhere = _job(db), _job(db, "job2"), _job(db, "job", "two")
    tokens = JobTokens(home)
    prefix, _, name, mine = tokens.get_token(job).split(".")
    for forged in (
        f"{prefix}.{job.workspace_id}.{other.name}.{mine}",
        f"{prefix}.{elsewhere.workspace_id}.{name}.{mine}",
        f"{prefix}.{job.workspace_id}.{name}.{mine[:-1]}",
        f"{prefix}.{job.workspace_id}.{name}.",
        f"{prefix}.{job.workspace_id}.{name}",
        f"{prefix}.{job.workspace_id}.{name}.é{mine[1:]}",
        f"{prefix}.x.{name}.{mine}",
        f"{prefix}.{'9' * 40}.{name}.{mine}",
        f"{prefix}.{job.workspace_id}.gone.{mine}",
    ):
        assert tokens.find_job(db, forged) is None, forged
    stranger = Home(home.root.parent / "stranger")
    stranger.create()
    assert JobTokens(stranger).find_job(db, tokens.get_token(job)) is None


def test_a_token_ends_an_hour_after_its_job(home: Home, db: Database) -> None:
    """What a script left in the background may finish, no more."""
    job, tokens = _job(db), JobTokens(home)
    token = tokens.get_token(job)
    db.execute("UPDATE jobs SET ended_at=? WHERE id=?", (time.time() - GRACE + 60, job.id))
    assert tokens.find_job(db, token) is not None
    db.execute("UPDATE jobs SET ended_at=? WHERE id=?", (time.time() - GRACE - 1, job.id))
    assert tokens.find_job(db, token) is None


def test_a_later_job_of_the_same_name_has_another_token(home: Home, db: Database) -> None:
    """A job that was deleted cannot write into its successor's run."""
    job, tokens = _job(db), JobTokens(home)
    token = tokens.get_token(job)
    job_removal.remove_tree(db, job)
    again = _job(db)
    assert again.name == job.name
    assert tokens.find_job(db, token) is None
    assert tokens.find_job(db, tokens.get_token(again)) is not None
