"""What `prune` frees of jobs that failed or were cancelled."""

from __future__ import annotations

from typing import Any

from tests.api.test_held_places import put
from tests.helpers import Server, eventually, host_job

OUT = {"o": {"jobOutputType": "uri_folder"}}
WRITES = "echo word > ${{outputs.o}}/f; "


def end(server: Server, workspace: str, name: str, body: dict[str, Any]) -> None:
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", body)
    assert answer.status == 201, answer.body
    over = ("Completed", "Failed", "Canceled")
    eventually(
        lambda: server.ask("GET", f"{workspace}/jobs/{name}").body["properties"]["status"] in over, f"the end of {name}"
    )


def outputs(server: Server, workspace: str) -> set[str]:
    """Return the jobs whose outputs have content."""
    store = server.home.path("workspaces", workspace.rpartition("/")[2], "datastores/workspaceblobstore/azureml")
    return {path.relative_to(store).parts[0] for path in store.rglob("*") if path.is_file()}


def prune(server: Server, **how: Any) -> set[str]:
    """Return the jobs whose outputs were pruned."""
    answer = server.ask("POST", "/smalt/v1/prune", how)
    assert answer.status == 200, answer.body
    return {item["name"] for item in answer.body["items"] if item["kind"] == "unfinished output"}


def test_outputs_of_failed_and_cancelled_jobs_go(server: Server, workspace: str) -> None:
    """Not those of completed ones, nor before their time; logs and records stay."""
    end(server, workspace, "failed", host_job(f"{WRITES} echo why; exit 3", outputs=OUT))
    end(server, workspace, "good", host_job(WRITES, outputs=OUT))
    body = host_job(f"{WRITES} sleep 600 & echo here; wait", outputs=OUT)
    assert server.ask("PUT", f"{workspace}/jobs/cut", body).status == 201
    eventually(lambda: "cut" in outputs(server, workspace), "its output")
    assert "cut" not in prune(server)  # it runs
    assert server.ask("POST", f"{workspace}/jobs/cut/cancel").status < 300
    eventually(
        lambda: server.ask("GET", f"{workspace}/jobs/cut").body["properties"]["status"] == "Canceled", "the end of cut"
    )
    assert not prune(server, older_than=3600) & {"failed", "cut"}
    assert prune(server, dry_run=True) >= {"cut"}
    assert outputs(server, workspace) >= {"good", "cut"}
    prune(server)
    assert outputs(server, workspace) == {"good"}
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/failed/stream"))
    assert "why\n" in [message["text"] for message in messages if message["t"] == "log"]


def test_what_others_need_of_a_failed_job_stays(server: Server, workspace: str) -> None:
    """A version keeps what it names, and a failed pipeline its completed steps."""
    end(server, workspace, "named", host_job(f"{WRITES} exit 3", outputs=OUT))
    uri = "azureml://datastores/workspaceblobstore/paths/azureml/named/o"
    put(server, workspace, "data", "d", dataUri=uri, dataType="uri_folder")
    good = {
        "type": "command",
        "command": WRITES,
        "environment": "azureml:host@latest",
        "outputs": {"o": {"type": "uri_folder"}},
    }
    steps = {
        name: {"type": "command", "component": {**good, "command": command}, "outputs": {}}
        for name, command in (("a", WRITES), ("b", f"{WRITES} exit 3"))
    }
    pipeline = {"properties": {"jobType": "Pipeline", "jobs": steps, "settings": {"continue_on_step_failure": True}}}
    end(server, workspace, "p", pipeline)
    before = outputs(server, workspace)
    gone = prune(server)
    assert "named" not in gone
    assert "named" in outputs(server, workspace)
    failed = {name for name in before if name.startswith("p-b")}
    assert failed
    assert outputs(server, workspace) == before - failed
