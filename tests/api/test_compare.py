"""A comparison of pipelines says in what their steps differ, and in nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from smalt.cli.jobs import comparison
from tests.helpers import Server, eventually

URL = "https://data.test/"


def run(server: Server, workspace: str, name: str, uri: str, kind: str) -> None:
    """Run a pipeline of a step that reads what is there."""
    step = {
        "type": "command",
        "componentId": component(server, workspace),
        "inputs": {"d": {"job_input_type": kind, "uri": uri}},
    }
    body = {"properties": {"jobType": "Pipeline", "jobs": {"read": step}}}
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", body)
    assert answer.status == 201, answer.body

    def status() -> str:
        return str(server.ask("GET", f"{workspace}/jobs/{name}").body["properties"]["status"])

    eventually(lambda: status() in ("Completed", "Failed"), "the end")
    assert status() == "Completed"


def component(server: Server, workspace: str) -> str:
    url = f"{workspace}/components/read/versions/1"
    spec = {
        "type": "command", "command": "ls -R ${{inputs.d}}", "environment": "azureml:host",
        "inputs": {"d": {"type": "uri_folder"}},
    }  # fmt: skip
    answer = server.ask("PUT", url, {"properties": {"isAnonymous": False, "componentSpec": spec}})
    assert answer.status in (200, 201), answer.body
    return url


def differing(server: Server, workspace: str, *names: str) -> set[str]:
    told: list[dict[str, Any]] = server.ask("POST", f"/smalt/v1{workspace}/compare", {"jobs": names}).body["jobs"]
    return {row["name"] for row in comparison.build_rows(told) if row["differs"] and row["what"] == "step"}


@pytest.mark.parametrize("kind", ["a folder", "a file", "a URL that is mapped"])
def test_a_file_that_was_edited_between_two_runs_is_a_difference(
    server: Server, workspace: str, tmp_path: Path, kind: str
) -> None:
    """The place is the same and the content is not; a run in between that read the same is no difference."""
    file = tmp_path / "data" / "f.txt"
    file.parent.mkdir()
    file.write_text("october")
    uri, type = file.parent.as_uri(), "uri_folder"
    if kind == "a file":
        uri, type = file.as_uri(), "uri_file"
    if kind == "a URL that is mapped":
        answer = server.ask("PATCH", "/smalt/v1/config", {"url-map": {URL: str(file.parent)}})
        assert answer.status == 200, answer.body
        uri, type = f"{URL}f.txt", "uri_file"
    run(server, workspace, "one", uri, type)
    run(server, workspace, "two", uri, type)
    assert differing(server, workspace, "one", "two") == set()
    file.write_text("november, which is longer")
    run(server, workspace, "three", uri, type)
    assert differing(server, workspace, "two", "three") == {"read: inputs.d"}
