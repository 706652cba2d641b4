"""Keys of a job's body that no job of its type has."""

from __future__ import annotations

from typing import Any

import pytest

from tests.helpers import Server

COMMAND: dict[str, Any] = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}
PIPELINE = {"jobType": "Pipeline", "jobs": {"s": {"type": "command", "componentId": "azureml:c:1"}}}


@pytest.mark.parametrize(
    ("body", "wrong", "meant"),
    [
        (COMMAND, "enviromentVariables", "environmentVariables"),
        (COMMAND, "environment_variable", "environmentVariables"),
        (COMMAND, "comand", "command"),
        (COMMAND, "experiment", "experimentName"),
        (PIPELINE, "Input", "inputs"),
        (PIPELINE, "discription", "description"),
        (PIPELINE, "setting", "settings"),
    ],
)
def test_a_key_that_is_a_slip_is_refused(
    server: Server, workspace: str, body: dict[str, Any], wrong: str, meant: str
) -> None:
    """With the key that was meant; a job without it would run and say Completed."""
    answer = server.ask("PUT", f"{workspace}/jobs/slip", {"properties": {**body, wrong: {"a": 1}}})
    assert answer.status == 400
    said = f"{wrong}: a {body['jobType'].lower()} job has no such key; did you mean '{meant}'?"
    assert said in answer.body["error"]["message"]
    assert server.ask("GET", f"{workspace}/jobs/slip").status == 404


def test_another_unknown_key_is_kept_and_told(server: Server, workspace: str) -> None:
    """Later services may have it; the job says in its log that nothing reads it."""
    body = {**COMMAND, "fromTheFuture": [1], "_source": "SDK", "componentId": "azureml:c:1", "parameters": {}}
    answer = server.ask("PUT", f"{workspace}/jobs/kept", {"properties": body})
    assert answer.status == 201, answer.body
    shown = answer.body["properties"]
    assert body.items() <= shown.items()
    assert shown["properties"]["smalt.no_effect"] == "fromTheFuture has no effect: a command job has no such key"
    answer = server.ask("POST", f"/smalt/v1{workspace}/jobs/other/validate", {"properties": body})
    assert answer.body == {"warnings": ["fromTheFuture has no effect: a command job has no such key"]}
