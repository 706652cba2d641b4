"""Lists of jobs: what chooses among them."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from smalt.entities.syntax.job_states import STATES
from smalt.service.records import database, job_lists, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.job_lists import JobFilter
from tests.helpers import Server, begin_long_job, eventually, host_job


def listed(server: Server, workspace: str, query: str) -> list[str]:
    answer = server.ask("GET", f"{workspace}/jobs?{query}")
    assert answer.status == 200, answer.body
    return [job["name"] for job in answer.body["value"]]


def run(server: Server, workspace: str, name: str, command: str, **more: Any) -> None:
    assert server.ask("PUT", f"{workspace}/jobs/{name}", host_job(command, **more)).status == 201
    path = f"{workspace}/jobs/{name}"
    ends = ("Completed", "Failed")
    eventually(lambda: server.ask("GET", path).body["properties"]["status"] in ends, "the end of the job")


def test_jobs_are_chosen_by_state_experiment_and_tag(server: Server, workspace: str) -> None:
    """Each alone, together, and with pages; a state is written in any case."""
    run(server, workspace, "a", "true", experimentName="one", tags={"k": "1", "only": "a"})
    run(server, workspace, "b", "false", experimentName="one", tags={"k": "2"})
    run(server, workspace, "c", "true", experimentName="two", tags={"k": "1=1"})
    begin_long_job(server, workspace, "d")
    assert listed(server, workspace, "status=completed") == ["c", "a"]
    assert listed(server, workspace, "status=FAILED") == ["b"]
    assert listed(server, workspace, "status=Running") == ["d"]
    assert listed(server, workspace, "status=Paused") == []
    assert listed(server, workspace, "experimentName=one") == ["b", "a"]
    assert listed(server, workspace, "experimentName=one&status=Completed") == ["a"]
    assert listed(server, workspace, "tag=k") == ["c", "b", "a"]
    assert listed(server, workspace, "tag=k=1") == ["a"]
    assert listed(server, workspace, "tag=k=1=1") == ["c"]
    assert listed(server, workspace, "tag=k&status=Completed&$top=1") == ["c"]
    assert listed(server, workspace, "tag=k&status=Completed&$top=1&$skip=1") == ["a"]
    assert server.ask("POST", f"{workspace}/jobs/d/cancel").status == 202


def test_every_state_is_known_and_others_are_refused(server: Server, workspace: str) -> None:
    """With the state that was perhaps meant, else with all of them."""
    for state in STATES:
        assert listed(server, workspace, f"status={state}") == []
    answer = server.ask("GET", f"{workspace}/jobs?status=Runnign")
    assert (answer.status, answer.body["error"]["code"]) == (400, "ValidationError")
    assert "'Runnign' is not a state of jobs; did you mean 'Running'?" in answer.body["error"]["message"]
    answer = server.ask("GET", f"{workspace}/jobs?status=what")
    assert all(state in answer.body["error"]["message"] for state in STATES)


def test_a_command_that_waits_is_listed_as_queued(home: Any) -> None:
    """The list chooses by the state that it shows."""
    db = Database(home.path("smalt.db"))
    place = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    for name, type, is_composite in (("c", "command", False), ("p", "pipeline", True)):
        jobs.add_job(db, place.id, jobs.NewJob(name, type, {}, "e", is_composite=is_composite), "me")
    chosen = {
        state: [job.name for job in job_lists.list_page(db, place.id, JobFilter(status=state))] for state in STATES
    }
    assert {state: names for state, names in chosen.items() if names} == {"Queued": ["c"], "NotStarted": ["p"]}


def test_tags_that_change_and_archived_jobs_are_listed_as_they_are(server: Server, workspace: str) -> None:
    """A tag that was taken away, added, or belongs to a job that was deleted or archived."""
    run(server, workspace, "t", "true", experimentName="e", tags={"old": "1", "kept": "1"})
    url = f"/history/v1.0{workspace}/experiments/e/runs/t"
    assert server.ask("PATCH", url, {"tags": {"old": None, "new": "2"}}).status == 200
    assert [listed(server, workspace, f"tag={tag}") for tag in ("old", "kept", "new=2")] == [[], ["t"], ["t"]]
    server.ask("PATCH", url, {"hidden": True})
    assert listed(server, workspace, "tag=kept") == []
    assert listed(server, workspace, "tag=kept&listViewType=ArchivedOnly&status=Completed") == ["t"]
    assert listed(server, workspace, "tag=kept&listViewType=All&experimentName=e") == ["t"]
    assert server.ask("DELETE", f"{workspace}/jobs/t").status == 200
    assert listed(server, workspace, "tag=kept&listViewType=All") == []


@pytest.mark.parametrize("tags", ['{"a": "1", "b": null}', "null", "[]"])
def test_jobs_of_an_older_home_keep_their_tags(tmp_path: Path, tags: str) -> None:
    """The records are brought to the new form, whatever a body holds."""
    path = tmp_path / "smalt.db"
    with sqlite3.connect(path) as old:
        for step in sorted(database._MIGRATIONS.glob("*.sql"))[:6]:
            old.executescript(step.read_text())
        old.execute("INSERT INTO workspaces VALUES (1, 's/g/w', 's', 'g', 'w', 'w', '{}', 'me', 0)")
        old.execute(
            "INSERT INTO jobs (id, workspace_id, name, root_id, type, status, experiment, body_hash, created_by,"
            " created_at) VALUES (1, 1, 'j', 1, 'command', 'Completed', 'e', '', 'me', 0)"
        )
        old.execute("INSERT INTO job_bodies VALUES (1, ?)", (f'{{"tags": {tags}}}',))
        old.execute("PRAGMA user_version=6")
    db = Database(path)
    found = [[job.name for job in job_lists.list_page(db, 1, JobFilter(tag=tag))] for tag in (("a", "1"), ("b", None))]
    assert found == ([["j"], ["j"]] if "a" in tags else [[], []])
