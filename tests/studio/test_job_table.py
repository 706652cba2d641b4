"""The table of jobs: what is searched, sorted and counted by the server; and the changes that it shows by itself."""

from __future__ import annotations

from typing import Any

import pytest

from smalt.machine.home import Home
from smalt.service.records import job_search, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.job_search import SORTS, JobSearch
from tests.helpers import Server, begin_long_job, eventually, host_job
from tests.studio.pipelines import build_pipeline, make_step, run_pipeline


def run_job(server: Server, workspace: str, name: str, command: str = "true", **more: Any) -> None:
    assert server.ask("PUT", f"{workspace}/jobs/{name}", host_job(command, **more)).status == 201
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))[-1]["t"] == "end"


def table(server: Server, workspace: str, query: str = "") -> tuple[int, list[str]]:
    answer = server.ask("GET", f"/smalt/v1{workspace}/jobs?{query}")
    assert answer.status == 200, answer.body
    return answer.body["total"], [row["name"] for row in answer.body["jobs"]]


def test_jobs_are_found_by_words_and_values(server: Server, workspace: str) -> None:
    """All words in any of three fields; one of the values of each parameter; all tags; pages with the whole number."""
    run_job(server, workspace, "iris-1", experimentName="flowers", tags={"k": "1"})
    run_job(server, workspace, "iris-2", "exit 3", experimentName="flowers", displayName="50% done", tags={"k": "2"})
    run_job(server, workspace, "taxi", experimentName="city")
    expected = {
        "": ["taxi", "iris-2", "iris-1"],
        "search=IRIS": ["iris-2", "iris-1"],
        "search=flowers 2": ["iris-2"],
        "search=0%25": ["iris-2"],
        "search=_": [],
        "status=Failed": ["iris-2"],
        "status=failed&status=Completed": ["taxi", "iris-2", "iris-1"],
        "experiment=city&experiment=none": ["taxi"],
        "type=command&experiment=flowers": ["iris-2", "iris-1"],
        "owner=nobody": [],
        "tag=k": ["iris-2", "iris-1"],
        "tag=k=1": ["iris-1"],
        "tag=k=1&tag=k=2": [],
        "since=9999999999": [],
        "until=9999999999&sort=name": ["iris-2", "iris-1", "taxi"],
        "sort=created": ["iris-1", "iris-2", "taxi"],
        "sort=-experiment": ["iris-2", "iris-1", "taxi"],
    }
    assert {query: table(server, workspace, query)[1] for query in expected} == expected
    assert table(server, workspace, "limit=1&skip=1") == (3, ["iris-2"])
    assert table(server, workspace, "skip=9") == (3, [])


def test_a_row_says_what_a_list_shows(server: Server, workspace: str) -> None:
    """Times, the sentence of an error, and the steps of a pipeline."""
    assert run_pipeline(server, workspace, "p", {"a": make_step("exit 7"), "b": make_step("exit 7")}) == "Failed"
    row = server.ask("GET", f"/smalt/v1{workspace}/jobs").body["jobs"][0]
    assert (row["name"], row["type"], row["status"], row["steps"]["total"]) == ("p", "pipeline", "Failed", 2)
    assert row["steps"]["over"] == 2
    assert row["created"] <= row["start"] <= row["end"]
    assert "failed" in row["error"]


def test_archived_jobs_are_apart(server: Server, workspace: str) -> None:
    """Shown only where they are asked for; the counts follow."""
    for name in ("a", "b"):
        run_job(server, workspace, name, experimentName=name)
    server.ask("PATCH", f"/history/v1.0{workspace}/runs/a", {"hidden": True})
    names = {view: table(server, workspace, f"view={view}")[1] for view in ("active", "archived", "all")}
    assert names == {"active": ["b"], "archived": ["a"], "all": ["b", "a"]}
    counts = server.ask("GET", f"/smalt/v1{workspace}/job-counts").body
    assert [(one["name"], one["jobs"], one["states"]) for one in counts["experiments"]] == [("b", 1, {"Completed": 1})]
    assert (counts["types"], counts["states"]) == ({"command": 1}, {"Completed": 1})
    assert len(server.ask("GET", f"/smalt/v1{workspace}/job-counts?view=all").body["experiments"]) == 2


@pytest.mark.parametrize("query", ["sort=colour", "view=hidden", "status=Runnign", "skip=-1", "limit=many", "since=x"])
def test_what_a_query_cannot_mean_is_refused(server: Server, workspace: str, query: str) -> None:
    """With what it may be."""
    begin = server.ask("PUT", workspace, {"properties": {}})
    assert begin.status in (200, 201)
    answer = server.ask("GET", f"/smalt/v1{workspace}/jobs?{query}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "ValidationError")


def test_every_sort_and_a_waiting_command(home: Home) -> None:
    """Each key in both directions; a command that waits is Queued, as everywhere."""
    db = Database(home.path("smalt.db"))
    place = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    for name, is_composite in (("c", False), ("p", True)):
        jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "e", is_composite=is_composite), "me")
    for key in SORTS:
        for descending in (True, False):
            found = job_search.search_jobs(db, place.id, JobSearch(), key, descending=descending, skip=0, limit=9)
            assert found[0] == len(found[1]) == 2
    queued = job_search.search_jobs(
        db, place.id, JobSearch(statuses=["Queued"]), "created", descending=True, skip=0, limit=9
    )
    assert [job.name for job in queued[1]] == ["c"]
    assert {one.status for one in job_search.count_jobs(db, place.id, "active")} == {"Queued", "NotStarted"}


def test_changes_come_by_themselves(server: Server, workspace: str) -> None:
    """A reader of the workspace is told of a new job, its states and its archiving; one that returns goes on there."""
    server.ask("PUT", workspace, {"properties": {}})
    path = f"/smalt/v1{workspace}/changes"
    reader = server.stream(path)
    start = next(reader)
    assert start["t"] == "start"
    run_job(server, workspace, "a")
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1]["status"] != "Completed":
        seen += next(reader).get("jobs", [])
    assert {row["name"] for row in seen} == {"a"}
    server.ask("PATCH", f"/history/v1.0{workspace}/runs/a", {"hidden": True})
    assert [row["archived"] for row in next(reader)["jobs"]] == [True]
    reader.close()
    again = server.stream(f"{path}?after={start['after']}")
    assert next(again)["after"] == start["after"]
    assert [row["name"] for row in next(again)["jobs"]] == ["a"]
    again.close()


def test_changes_of_one_job_are_of_its_tree(server: Server, workspace: str) -> None:
    """Steps come too, each as in the graph; other jobs do not."""
    body = build_pipeline({"s": make_step("true")})
    begin_long_job(server, workspace, "other")
    assert server.ask("PUT", f"{workspace}/jobs/p", body).status == 201
    reader = server.stream(f"/smalt/v1{workspace}/changes?job=p&after=0")
    rows: dict[str, dict[str, Any]] = {}
    while rows.get("p", {}).get("status") not in ("Completed", "Failed"):
        rows |= {row["name"]: row for row in next(reader).get("jobs", [])}
    reader.close()
    assert server.ask("POST", f"{workspace}/jobs/other/cancel").status == 202
    assert len(rows) == 2
    node = next(row for row in rows.values() if row["node"] == "s")
    assert (node["parent"], node["status"], node["composite"], node["attempts"]) == ("p", "Completed", False, 1)
    eventually(lambda: server.ask("GET", f"{workspace}/jobs/other").body["properties"]["status"] == "Canceled")
