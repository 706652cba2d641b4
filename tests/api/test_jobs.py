from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from smalt.client.jobs.event_stream import follow_events
from tests.helpers import Server, begin_long_job, eventually, host_job


def test_a_put_is_accepted_once(server: Server, workspace: str) -> None:
    """201, then 200 with the same job for the same body, and 409 for another."""
    url = f"{workspace}/jobs/once"
    assert server.ask("PUT", url, host_job("true")).status == 201
    again = server.ask("PUT", url, host_job("true"))
    assert (again.status, again.body["name"]) == (200, "once")
    other = server.ask("PUT", url, host_job("false"))
    assert other.status == 409
    assert "once" in other.body["error"]["message"]


AZURE = {"User-Agent": "azure-ai-ml/1.35.2 azsdk-python-mgmt"}


def test_azures_client_is_told_what_it_can_read(server: Server, workspace: str, tmp_path: Path) -> None:
    """It stops listing at a file:// without a host, and at outputs that are values; sent back it is the same job."""
    tmp_path.joinpath("in").touch()
    uri = f"file://{tmp_path}/in"
    url = f"{workspace}/jobs/local"
    job = host_job(
        "true", inputs={"d": {"jobInputType": "uri_file", "uri": uri}}, outputs={"o": {"jobOutputType": "string"}}
    )
    assert server.ask("PUT", url, job).status == 201
    told = server.ask_tcp("GET", url, headers=AZURE).body
    assert told["properties"]["inputs"]["d"]["uri"] == f"file://localhost{tmp_path}/in"
    assert told["properties"]["outputs"]["o"]["jobOutputType"] == "uri_folder"
    assert server.ask_tcp("PUT", url, told, headers=AZURE).status == 200
    mine = server.ask("GET", url).body["properties"]
    assert (mine["inputs"]["d"]["uri"], mine["outputs"]["o"]["jobOutputType"]) == (uri, "string")


def test_no_job_has_a_local_service(server: Server, workspace: str) -> None:
    """Azure's client would look for such a job in Docker on its own machine; also not where one is sent."""
    local = {"Local": {"jobServiceType": "Local", "endpoint": "http://127.0.0.1:1"}}
    server.ask("PUT", f"{workspace}/jobs/own", host_job("true", services=local))
    for answer in (
        server.ask("GET", f"{workspace}/jobs/own"),
        server.ask("PUT", f"{workspace}/jobs/own", host_job("true")),
    ):
        assert answer.status == 200
        assert "Local" not in answer.body["properties"]["services"]


@pytest.mark.parametrize("command", ["true", "exit 3"])
def test_what_get_answered_is_the_same_job_when_it_is_put(server: Server, workspace: str, command: str) -> None:
    """With the status, services, times and error that the service added; another run is a conflict, another
    description of the same run a change."""
    url = f"{workspace}/jobs/answered"
    sent = host_job(command, tags={"k": "v"}, properties={"own": "1"}, outputs={"o": {"jobOutputType": "uri_folder"}})
    server.ask("PUT", url, sent)
    early = server.ask("GET", url).body
    over(server, workspace, "answered")
    late = server.ask("GET", url).body
    for body in (early, late):
        again = server.ask("PUT", url, body)
        assert (again.status, again.body) == (200, late)
    for key, value in {"command": "false", "environmentVariables": {"A": "1"}}.items():
        other = {**late, "properties": {**late["properties"], key: value}}
        assert server.ask("PUT", url, other).status == 409
    for key, value in {"tags": {}, "description": "x", "displayName": "y", "isArchived": True}.items():
        other = {**late, "properties": {**late["properties"], key: value}}
        assert server.ask("PUT", url, other).body["properties"][key] == value
    for key, value in {"tags": {"k": 1}, "description": [], "displayName": {"x": 1}, "isArchived": "x"}.items():
        other = {**late, "properties": {**late["properties"], key: value}}
        assert server.ask("PUT", url, other).status == 400
    less = {key: value for key, value in late["properties"].items() if key != "outputs"}
    assert server.ask("PUT", url, {"properties": less}).status == 409


def test_the_longest_name_of_a_job_is_that_of_its_folder(server: Server, workspace: str) -> None:
    """A job of 250 letters runs; one of more is refused, as no file system has a folder for its artifacts."""
    longest = "n" * 250
    assert server.ask("PUT", f"{workspace}/jobs/{longest}", host_job("true")).status == 201
    assert over(server, workspace, longest)["status"] == "Completed"
    for count in (251, 255):
        refused = server.ask("PUT", f"{workspace}/jobs/{'n' * count}", host_job("true"))
        assert refused.status == 400
        assert "use at most 250 letters" in refused.body["error"]["message"]


def test_a_job_comes_back_as_the_service_shows_it(server: Server, workspace: str) -> None:
    """What was sent, with status, services, properties, experiment and display name as clients need them."""
    sent = host_job("echo $A", environmentVariables={"A": "1"}, tags={"k": "v"}, experimentName="exp", unknown=[1])
    server.ask("PUT", f"{workspace}/jobs/shown", sent)
    over(server, workspace, "shown")
    found = server.ask("GET", f"{workspace}/jobs/shown").body
    assert found["id"] == f"{workspace}/jobs/shown"
    properties = found["properties"]
    page = properties["services"].pop("Studio")
    assert page["jobServiceType"] == "Studio"
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/studio/[\w.-]+/jobs/shown", page["endpoint"])
    assert {**sent["properties"], "status": "Completed", "displayName": "shown", "services": {}}.items() <= (
        properties.items()
    )
    assert set(properties["properties"]) == {"StartTimeUtc", "EndTimeUtc", "smalt.no_effect"}


def test_a_failed_job_tells_why(server: Server, workspace: str) -> None:
    """Its error is in the job, in the tree and in the run's details."""
    server.ask("PUT", f"{workspace}/jobs/bad", host_job("exit 7"))
    assert over(server, workspace, "bad")["status"] == "Failed"
    tree = server.ask("GET", f"/smalt/v1{workspace}/jobs/bad/tree").body["jobs"]
    details = server.ask("GET", f"/history/v1.0{workspace}/runs/bad/details").body
    for error in (
        server.ask("GET", f"{workspace}/jobs/bad").body["properties"]["error"],
        tree[0]["error"],
        details["error"]["error"],
    ):
        assert error["message"] == "the command exited with code 7"


def test_a_pipelines_steps_are_jobs_too(server: Server, workspace: str) -> None:
    """Children are listed by the tree and the run history, and each can be asked for by its name."""
    server.ask("PUT", f"{workspace}/jobs/pipe", pipeline("echo a", "echo b"))
    over(server, workspace, "pipe")
    tree = server.ask("GET", f"/smalt/v1{workspace}/jobs/pipe/tree").body["jobs"]
    assert [(row["node"], row["parent"], row["status"]) for row in tree] == [
        (None, None, "Completed"),
        ("s0", "pipe", "Completed"),
        ("s1", "pipe", "Completed"),
    ]
    children = server.ask("GET", f"/history/v1.0{workspace}/runs/pipe/children").body["value"]
    assert [child["runId"] for child in children] == [row["name"] for row in tree[1:]]
    child = server.ask("GET", f"{workspace}/jobs/{tree[1]['name']}").body["properties"]
    assert (child["jobType"], child["parentJobName"]) == ("Command", "pipe")
    assert [job["name"] for job in server.ask("GET", f"{workspace}/jobs").body["value"]] == ["pipe"]


def test_jobs_are_listed_newest_first_page_by_page(server: Server, workspace: str) -> None:
    """$skip pages, jobType and tag filters."""
    for number in range(5):
        body = host_job("true", tags={"parity": str(number % 2), "n": str(number)})
        server.ask("PUT", f"{workspace}/jobs/j{number}", body)
    page = server.ask("GET", f"{workspace}/jobs?listViewType=ActiveOnly&$top=2").body
    assert names(page) == ["j4", "j3"]
    page = server.ask("GET", page["nextLink"].partition(str(server.port))[2]).body
    assert names(page) == ["j2", "j1"]
    page = server.ask("GET", page["nextLink"].partition(str(server.port))[2]).body
    assert names(page) == ["j0"]
    assert "nextLink" not in page
    assert names(server.ask("GET", f"{workspace}/jobs?tag=parity=1").body) == ["j3", "j1"]
    assert names(server.ask("GET", f"{workspace}/jobs?tag=n").body) == ["j4", "j3", "j2", "j1", "j0"]
    assert names(server.ask("GET", f"{workspace}/jobs?jobType=Command").body) == ["j4", "j3", "j2", "j1", "j0"]
    assert names(server.ask("GET", f"{workspace}/jobs?jobType=Pipeline").body) == []


def test_cancel_is_an_operation_that_can_be_polled(server: Server, workspace: str) -> None:
    """202 with an absolute Location and a short interval while it goes on, 200 when it is over."""
    begin_long_job(server, workspace, "long")
    answer = server.ask_tcp("POST", f"{workspace}/jobs/long/cancel")
    assert answer.status == 202
    assert answer.headers["x-ms-retry-after-ms"] == "150"
    assert "retry-after" not in answer.headers
    place = answer.headers["location"].partition(str(server.port))[2]
    eventually(lambda: server.ask_tcp("GET", place).status == 200, "the end of the cancel")
    assert over(server, workspace, "long")["status"] == "Canceled"
    assert server.ask("POST", f"{workspace}/jobs/long/cancel").status == 200
    assert server.ask("POST", f"{workspace}/jobs/none/cancel").status == 404


def test_a_finished_job_can_be_deleted(server: Server, workspace: str) -> None:
    """With its files; an unfinished one, and a step of another, cannot."""
    server.ask("PUT", f"{workspace}/jobs/gone", pipeline("echo a"))
    over(server, workspace, "gone")
    child = server.ask("GET", f"/smalt/v1{workspace}/jobs/gone/tree").body["jobs"][1]["name"]
    logs = eventually(lambda: list(server.home.root.rglob(f"dcid.{child}")))
    assert server.ask("DELETE", f"{workspace}/jobs/{child}").status == 409
    assert server.ask("DELETE", f"{workspace}/jobs/gone").status == 200
    assert not logs[0].exists()
    assert server.ask("GET", f"{workspace}/jobs/gone").status == 404
    assert server.ask("DELETE", f"{workspace}/jobs/gone").status == 204
    begin_long_job(server, workspace, "long")
    assert server.ask("DELETE", f"{workspace}/jobs/long").status == 409
    server.ask("POST", f"{workspace}/jobs/long/cancel")


def test_the_run_history_archives_and_describes(server: Server, workspace: str) -> None:
    """PATCH merges: hidden, display name, description, tags."""
    server.ask("PUT", f"{workspace}/jobs/run", host_job("true", tags={"a": "1", "b": "2"}, experimentName="e"))
    url = f"/history/v1.0{workspace}/experiments/e/runs/run"
    change = {"displayName": "D", "description": "d", "tags": {"a": "9", "b": None}, "hidden": True}
    assert server.ask("PATCH", url, change).body["hidden"] is True
    shown = server.ask("GET", f"{workspace}/jobs/run").body["properties"]
    assert (shown["displayName"], shown["description"], shown["tags"], shown["isArchived"]) == (
        "D",
        "d",
        {"a": "9"},
        True,
    )
    assert names(server.ask("GET", f"{workspace}/jobs").body) == []
    assert names(server.ask("GET", f"{workspace}/jobs?listViewType=ArchivedOnly").body) == ["run"]
    server.ask("PATCH", url, {"hidden": False})
    assert names(server.ask("GET", f"{workspace}/jobs").body) == ["run"]
    same = host_job("true", tags={"a": "1", "b": "2"}, experimentName="e")
    assert server.ask("PUT", f"{workspace}/jobs/run", same).status == 200


def test_the_run_history_tells_outputs_and_logs(server: Server, workspace: str) -> None:
    """rundata has the outputs with their types, details the URLs of logs, and both lead to the files."""
    body = host_job("echo said; echo x > ${{outputs.o}}/f", outputs={"o": {"jobOutputType": "uri_folder"}})
    server.ask("PUT", f"{workspace}/jobs/out", body)
    over(server, workspace, "out")
    data = server.ask("POST", f"/history/v1.0{workspace}/rundata", {"runId": "out", "selectRunMetadata": True}).body
    output = data["runMetadata"]["outputs"]["o"]
    assert output["type"] == "uri_folder"
    resolved = server.ask(
        "POST", f"/data/v1.0{workspace}/dataversion/batchGetResolvedUris", {"values": [output["assetId"]]}
    ).body["values"]
    assert resolved[output["assetId"]]["uri"].endswith("/datastores/workspaceblobstore/paths/azureml/out/o")
    logs = server.ask_tcp("GET", f"/history/v1.0{workspace}/runs/out/details").body["logFiles"]
    log = logs["user_logs/std_log.txt"].partition(str(server.port))[2]
    assert server.ask_tcp("GET", log).body == b"said\n"
    place = server.ask("POST", f"/smalt/v1{workspace}/resolve", {"uri": "azureml://jobs/out/outputs/o/paths/f"}).body
    assert Path(place["local"]).read_text() == "x\n"
    assert place["datastore"] == "workspaceblobstore"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "properties"),
        ({"properties": {}}, "jobType"),
        ({"properties": {"jobType": "Labeling"}}, "Labeling"),
        ({"properties": {"jobType": "Command"}}, "command"),
        ({"properties": {"jobType": "Command", "command": "x", "environmentId": "azureml:none:1"}}, "none"),
        ({"properties": {"jobType": "Pipeline", "jobs": 3}}, "jobs"),
    ],
)
def test_a_job_that_cannot_run_is_refused(server: Server, workspace: str, body: dict[str, Any], said: str) -> None:
    """400 with what is wrong; nothing is recorded."""
    answer = server.ask("PUT", f"{workspace}/jobs/wrong", body)
    assert answer.status == 400
    assert said in json.dumps(answer.body["error"])
    assert server.ask("GET", f"{workspace}/jobs/wrong").status == 404


def test_a_stream_tells_all_until_the_end(server: Server, workspace: str) -> None:
    """Jobs as they change, their logs, and at last the end; what a job logged comes before the news of its end."""
    server.ask("PUT", f"{workspace}/jobs/told", pipeline("echo first", "echo second; exit 3"))
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/told/stream"))
    assert messages[-1] == {"t": "end", "status": "Failed"}
    assert last(messages, "s0")["status"] == "Completed"
    assert last(messages, "s1")["error"]["message"] == "the command exited with code 3"
    for node, text in (("s0", "first\n"), ("s1", "second\n")):
        name = last(messages, node)["name"]
        logged = [index for index, one in enumerate(messages) if one["t"] == "log" and one["name"] == name]
        assert "".join(messages[index]["text"] for index in logged) == text
        assert max(logged) < messages.index(last(messages, node))
    assert all(one["file"] == "user_logs/std_log.txt" for one in messages if one["t"] == "log")


def test_a_stream_of_a_job_that_is_over_tells_its_whole_log(server: Server, workspace: str) -> None:
    """More than one piece, and text that is not UTF-8, arrive whole."""
    server.ask("PUT", f"{workspace}/jobs/done", host_job("seq 100000; printf 'caf\\303\\251 \\377'"))
    over(server, workspace, "done")
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/done/stream"))
    text = "".join(one["text"] for one in messages if one["t"] == "log")
    assert text == "".join(f"{number}\n" for number in range(1, 100001)) + "café \ufffd"
    assert messages[-1] == {"t": "end", "status": "Completed"}


def test_a_stream_that_begins_after_the_end_tells_a_pipelines_end_after_its_steps(
    server: Server, workspace: str
) -> None:
    """As the stream of one that runs does: a pipeline is named before its steps, and its end and error come last."""
    inner = pipeline("exit 3")["properties"]["jobs"]
    spec = {"type": "pipeline", "name": "inner", "version": "1", "jobs": inner}
    component = f"{workspace}/components/inner/versions/1"
    assert server.ask("PUT", component, {"properties": {"componentSpec": spec}}).status == 201
    body = pipeline("echo first", "echo second")
    body["properties"]["jobs"]["nested"] = {"type": "pipeline", "componentId": component}
    assert server.ask("PUT", f"{workspace}/jobs/late", body).status == 201
    over(server, workspace, "late")
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/late/stream"))
    told = [one for one in messages if one["t"] == "job"]
    assert (told[0]["name"], told[0]["status"], told[0]["parent"]) == ("late", "NotStarted", None)
    named: set[str] = set()
    ended: set[str] = set()
    for one in told:
        assert one["parent"] is None or (one["parent"] in named and one["parent"] not in ended), one
        named.add(one["name"])
        if one["status"] in ("Completed", "Failed", "Canceled"):
            ended.add(one["name"])
    assert len(ended) == len(named) == 5
    assert [one["node"] for one in told[-2:]] == ["nested", None]
    assert follow_events(lambda: (json.dumps(one).encode() for one in messages), lambda event: None) == (
        "Failed",
        told[-1]["error"]["message"],
    )


def test_lines_arrive_while_the_job_runs(server: Server, workspace: str, tmp_path: Path) -> None:
    """The first line is there before the job ends."""
    go = tmp_path / "go"
    server.ask("PUT", f"{workspace}/jobs/live", host_job(f"echo early; while [ ! -e {go} ]; do sleep 0.01; done"))
    stream = server.stream(f"/smalt/v1{workspace}/jobs/live/stream")
    seen = next(one for one in stream if one["t"] == "log" and one["file"].startswith("user_logs"))
    assert seen["text"] == "early\n"
    assert server.ask("GET", f"{workspace}/jobs/live").body["properties"]["status"] == "Running"
    go.touch()
    assert list(stream)[-1] == {"t": "end", "status": "Completed"}


def test_a_stream_of_one_step_tells_of_that_step_only(server: Server, workspace: str) -> None:
    """The others of its pipeline are left out."""
    server.ask("PUT", f"{workspace}/jobs/two", pipeline("echo a", "echo b"))
    over(server, workspace, "two")
    name = server.ask("GET", f"/smalt/v1{workspace}/jobs/two/tree").body["jobs"][2]["name"]
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))
    assert {one.get("name", name) for one in messages} == {name}
    assert [one["text"] for one in messages if one["t"] == "log"] == ["b\n"]


def test_a_watcher_that_leaves_is_forgotten(server: Server, workspace: str) -> None:
    """Closing the connection ends the stream; the job goes on."""
    begin_long_job(server, workspace, "left")
    stream = server.stream(f"/smalt/v1{workspace}/jobs/left/stream")
    next(stream)
    stream.close()
    assert server.ask("GET", f"{workspace}/jobs/left").body["properties"]["status"] in (
        "Queued",
        "Preparing",
        "Running",
    )
    server.ask("POST", f"{workspace}/jobs/left/cancel")
    over(server, workspace, "left")


def test_prune_frees_what_finished_jobs_left(own_server: Server) -> None:
    """A dry run tells and keeps; then working folders go, records, logs and outputs stay."""
    workspace = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w"
    own_server.start()
    own_server.ask("PUT", f"{workspace}/jobs/old", host_job("echo kept; echo y > outputs/z"))
    begin_long_job(own_server, workspace, "busy")
    over(own_server, workspace, "old")
    folder = own_server.home.path("workspaces", "w", "jobs")
    told = own_server.ask("POST", "/smalt/v1/prune", {"older_than": 0, "dry_run": True}).body
    assert [item["name"] for item in told["items"] if item["kind"] == "job folder"] == ["old"]
    assert told["freed"] > 0
    assert (folder / "old").exists()
    assert own_server.ask("POST", "/smalt/v1/prune", {"older_than": 0}).body["freed"] >= told["freed"]
    assert not (folder / "old").exists()
    assert (folder / "busy").exists()
    messages = list(own_server.stream(f"/smalt/v1{workspace}/jobs/old/stream"))
    assert "kept\n" in [one.get("text") for one in messages]
    assert own_server.ask("POST", "/smalt/v1/prune", {"older_than": "x"}).status == 400


def pipeline(*commands: str) -> dict[str, Any]:
    """Steps s0, s1, … one after the other."""
    jobs: dict[str, Any] = {}
    for index, command in enumerate(commands):
        step: dict[str, Any] = {
            "type": "command",
            "component": {
                "type": "command",
                "name": f"c{index}",
                "version": "1",
                "command": f"touch ${{{{outputs.o}}}}/x; {command}" + (" # ${{inputs.before}}" if index else ""),
                "environment": "azureml:host@latest",
                "outputs": {"o": {"type": "uri_folder"}},
            },
        }
        if index:
            step["component"]["inputs"] = {"before": {"type": "uri_folder"}}
            step["inputs"] = {
                "before": {"job_input_type": "literal", "value": f"${{{{parent.jobs.s{index - 1}.outputs.o}}}}"}
            }
        jobs[f"s{index}"] = step
    return {"properties": {"jobType": "Pipeline", "jobs": jobs, "settings": {}}}


def names(page: dict[str, Any]) -> list[str]:
    return [job["name"] for job in page["value"]]


def last(messages: list[dict[str, Any]], node: str) -> dict[str, Any]:
    return [one for one in messages if one["t"] == "job" and one["node"] == node][-1]


def over(server: Server, workspace: str, job: str) -> dict[str, Any]:
    """The job's properties once it is over."""
    return until(server, workspace, job, "Completed", "Failed", "Canceled")


def until(server: Server, workspace: str, job: str, *statuses: str) -> dict[str, Any]:
    def reached() -> dict[str, Any] | None:
        properties: dict[str, Any] = server.ask("GET", f"{workspace}/jobs/{job}").body["properties"]
        return properties if properties["status"] in statuses else None

    return eventually(reached, f"{job} {' or '.join(statuses)}") or {}
