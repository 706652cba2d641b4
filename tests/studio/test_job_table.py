"""The table of jobs: what is searched, sorted and counted by the server; and the changes that it shows by itself."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import Any

import pytest

from smalt import MLClient
from smalt.exceptions import Unavailable
from smalt.machine.home import Home
from smalt.service.records import job_search, jobs, workspaces
from smalt.service.records.database import Database
from smalt.service.records.job_search import SORTS, JobSearch
from smalt.service.records.metric_terms import parse_term
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


def test_repeated_values_count_once(server: Server, workspace: str) -> None:
    """As a link of a page may have gathered them."""
    assert server.ask("PUT", workspace, {"properties": {}}).status in (200, 201)
    assert table(server, workspace, "&".join(["status=Failed", "tag=k", "owner=me"] * 1200)) == (0, [])


@pytest.mark.parametrize(
    "query",
    [
        "sort=colour",
        "sort=metric.",
        "view=hidden",
        "status=Runnign",
        "skip=-1",
        "limit=many",
        "since=x",
        "where=<3",
        "where=loss<",
        "where=loss<x",
        "where=loss<nan",
        "where=",
        "where=" + "a" * 400,
        "&".join(["where=a"] * 11),
        "search=" + "a" * 50_100,
        "search=" + "a%20" * 400,
        "&".join(f"tag={number}" for number in range(1200)),
        "&".join(f"experiment={number}" for number in range(201)),
    ],
)
def test_what_a_query_cannot_mean_is_refused(server: Server, workspace: str, query: str) -> None:
    """With what it may be."""
    begin = server.ask("PUT", workspace, {"properties": {}})
    assert begin.status in (200, 201)
    answer = server.ask("GET", f"/smalt/v1{workspace}/jobs?{query}")
    assert (answer.status, answer.body["error"]["code"]) == (400, "ValidationError")


def test_metrics_filter_and_sort(home: Home) -> None:
    """All conditions hold for the last value of the job's own metric; NaN meets none; jobs without it come last."""
    db = Database(home.path("smalt.db"))
    place = workspaces.ensure_workspace(db, "s", "g", "w", "me")
    tracked = home.path("mlflow.db")
    for name in ("a", "b", "c", "nan", "none"):
        jobs.add_job(db, place.id, jobs.NewJob(name, "command", {}, "e"), "me")
    with contextlib.closing(sqlite3.connect(tracked)) as connection:
        connection.execute("CREATE TABLE latest_metrics (key, value, is_nan, run_uuid, PRIMARY KEY (key, run_uuid))")
        rows = [("loss", 0.1, 0, "a"), ("loss", 0.2, 0, "b"), ("loss", 3, 0, "c"), ("loss", 0, 1, "nan")]
        rows += [("auc", 0.9, 0, "b"), ("auc", 0.5, 0, "c"), ("loss", 0.0, 0, "another run")]
        connection.executemany("INSERT INTO latest_metrics VALUES (?,?,?,?)", rows)
        connection.commit()

    def find(
        *conditions: str, sort: str = "name", descending: bool = False, skip: int = 0, limit: int = 9
    ) -> tuple[int, list[str]]:
        search = JobSearch(metrics=[parse_term(text) for text in conditions])
        with db.open_reader(tracked) as reader:
            total, found = job_search.search_jobs(
                reader, place.id, search, sort, descending=descending, skip=skip, limit=limit
            )
        return total, [job.name for job in found]

    assert find("loss<0.2") == (1, ["a"])
    assert find("loss <= 2e-1") == (2, ["a", "b"])
    assert find("loss") == (4, ["a", "b", "c", "nan"])
    assert find("loss!=0.1", "auc>0.6") == (1, ["b"])
    assert find("loss=3")[1] == ["c"]
    assert find(sort="metric.loss") == (5, ["a", "b", "c", "none", "nan"])
    assert find(sort="metric.loss", descending=True, limit=2) == (5, ["c", "b"])
    for sort in (*SORTS, "metric.loss"):
        for descending in (True, False):
            whole = find("loss<=3", sort=sort, descending=descending)
            assert (whole[0], sorted(whole[1])) == (3, ["a", "b", "c"])
            for skip in range(5):  # each page counts all, one behind the last as well
                page = find("loss<=3", sort=sort, descending=descending, skip=skip, limit=2)
                assert page == (3, whole[1][skip : skip + 2])
    assert find("loss<=3", sort="created", descending=True)[1] == ["c", "b", "a"]
    assert find("loss<=3", sort="metric.loss", descending=True)[1] == ["c", "b", "a"]
    tracked.unlink()
    assert (find("loss"), find(sort="metric.loss")[0]) == ((0, []), 5)
    sqlite3.connect(tracked).close()
    assert find("loss<1") == (0, [])
    tracked.write_bytes(b"no database" * 200)
    with pytest.raises(Unavailable, match=r"the metrics in .*mlflow.db cannot be read"):
        find("loss<1")


def test_the_list_of_the_command_line_has_these_filters(server: Server, workspace: str) -> None:
    """Conditions, order and type; the whole job comes, as without them."""
    for name in ("a", "b"):
        run_job(server, workspace, name, experimentName="filters", tags={"k": name})
    client = MLClient(None, "sub", "group", workspace.rpartition("/")[2], home=server.home)
    assert [job.name for job in client.jobs.list(sort="name", experiment_name="filters")] == ["a", "b"]
    assert [job.tags["k"] for job in client.jobs.list(sort="-name", max_results=1, job_type="Command")] == ["b"]
    assert list(client.jobs.list(where="loss<1")) == list(client.jobs.list(sort="name", job_type="sweep")) == []


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
