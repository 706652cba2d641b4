"""What the steps of one pipeline read of the web."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.data.test_fetch import Web, web
from tests.helpers import Server, eventually

__all__ = ["web"]


def step(command: str, **inputs: Any) -> dict[str, Any]:
    component = {
        "type": "command", "name": "c", "version": "1", "environment": "azureml:host@latest", "command": command,
        "inputs": {"u": {"type": "uri_file"}, **({"after": {"type": "uri_folder"}} if "after" in inputs else {})},
        "outputs": {"o": {"type": "uri_folder"}},
    }  # fmt: skip
    given = {name: {"job_input_type": "literal", "value": value} for name, value in inputs.items()}
    return {"type": "command", "component": component, "inputs": given}


def test_steps_before_and_after_a_kill_read_the_same(
    own_server: Server, workspace: str, tmp_path: Path, web: Web
) -> None:
    """The second step reads what the first one read, whatever the URL gives to the server that starts it."""
    own_server.start()
    gate = tmp_path / "gate"
    waits = f"cat ${{{{inputs.u}}}} > ${{{{outputs.o}}}}/f; until [ -e {gate} ]; do sleep 0.05; done"
    jobs = {
        "a": step(waits, u="${{parent.inputs.u}}"),
        "b": step(
            "cat ${{inputs.after}}/f; echo; cat ${{inputs.u}}",
            u="${{parent.inputs.u}}",
            after="${{parent.jobs.a.outputs.o}}",
        ),
    }
    inputs = {"u": {"jobInputType": "uri_file", "uri": f"{web.url}/iris.csv"}}
    body = {"properties": {"jobType": "Pipeline", "jobs": jobs, "inputs": inputs}}
    assert own_server.ask("PUT", f"{workspace}/jobs/two", body).status == 201
    top = own_server.home.path("workspaces")
    eventually(lambda: [path for path in top.rglob("o/f") if path.read_text() == "5.1,3.5"])
    web.files["/iris.csv"] = (b"new", '"2"')
    own_server.kill()
    own_server.start_again()
    gate.touch()
    path = f"{workspace}/jobs/two"
    over = eventually(
        lambda: (got := own_server.ask("GET", path).body["properties"])["status"] in ("Completed", "Failed") and got
    )
    assert over["status"] == "Completed", over.get("error")
    (log,) = [path for path in top.rglob("std_log.txt") if "two-b" in str(path)]
    assert log.read_text().splitlines() == ["5.1,3.5"] * 2
