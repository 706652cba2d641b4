"""A body that says one key twice is refused, whichever of the two was meant."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.helpers import Server

JOB: dict[str, Any] = {"jobType": "Command", "command": "true", "environmentId": "azureml:host@latest"}


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ('{"command": "true", "command": "false"}', "properties.command"),
        ('{"command": "true", "inputs": {"a": {"value": "1", "value": "2"}}}', "properties.inputs.a.value"),
        ('{"jobs": [{"x": 1}, {"y": {"z": 1, "z": 1}}]}', "properties.jobs[1].y.z"),
    ],
)
def test_a_key_given_twice_is_refused(server: Server, workspace: str, properties: str, path: str) -> None:
    """400 with its path; nothing is recorded."""
    answer = server.ask("PUT", f"{workspace}/jobs/twice", raw=f'{{"properties": {properties}}}'.encode())
    assert answer.status == 400
    assert f"{path}: the key is given twice; give it once" in json.dumps(answer.body)
    assert server.ask("GET", f"{workspace}/jobs/twice").status == 404


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"environment_id": "azureml:other:1"}, "environment_id"),
        ({"resources": {"instanceCount": 1, "instance_count": 2}}, "resources.instance_count"),
        ({"inputs": {"a": {"jobInputType": "literal", "job_input_type": "uri_file", "value": "x"}}}, "inputs.a.job_in"),
        ({"outputs": {"o": {"assetName": "x", "asset_name": "y"}}}, "outputs.o.asset_name"),
        ({"displayName": "a", "DisplayName": "b"}, "DisplayName"),
    ],
)
def test_two_spellings_of_a_key_are_refused(server: Server, workspace: str, more: dict[str, Any], path: str) -> None:
    """Where they say different things."""
    url = f"{workspace}/jobs/spelt"
    answer = server.ask("PUT", url, {"properties": {**JOB, **more}})
    assert answer.status == 400
    said = json.dumps(answer.body)
    assert path in said
    assert "two spellings of one key" in said
    assert server.ask("GET", url).status == 404


def test_the_same_said_in_two_spellings_is_taken(server: Server, workspace: str) -> None:
    """And a job may be spelt in either way as a whole."""
    both = {**JOB, "displayName": "a", "display_name": "a"}
    assert server.ask("PUT", f"{workspace}/jobs/both", {"properties": both}).status == 201
    other = {"job_type": "command", "command": "true", "environment_id": "azureml:host@latest"}
    told = {"experiment_name": "mine", "display_name": "shown"}
    assert server.ask("PUT", f"{workspace}/jobs/other", {"properties": {**other, **told}}).status == 201
    found = server.ask("GET", f"{workspace}/jobs/other").body["properties"]
    assert (found["experimentName"], found["displayName"]) == ("mine", "shown")


def test_components_and_assets_are_read_so_too(server: Server, workspace: str) -> None:
    """Of data the path, of a component what its specification says."""
    data = {"dataType": "uri_file", "dataUri": "file:///etc/hostname", "data_uri": "file:///etc/hosts"}
    assert server.ask("PUT", f"{workspace}/data/d/versions/1", {"properties": data}).status == 400
    environment = {"environment": "azureml:host@latest", "Environment": "azureml:other:1"}
    spec = {"type": "command", "name": "c", "version": "1", "command": "true", **environment}
    answer = server.ask("PUT", f"{workspace}/components/c/versions/1", {"properties": {"componentSpec": spec}})
    assert answer.status == 400, answer.body


@pytest.mark.parametrize(
    "properties",
    [
        "{" + ",".join(f'"k{number}": 1' for number in range(400_000)) + ', "k0": 2}',
        "{" + ",".join(f'"k{number % 200_000}": 1' for number in range(400_000)) + "}",
        '{"jobs": [' + ",".join('{"b": 1, "b": 2}' for _ in range(200_000)) + "]}",
    ],
    ids=["one of many keys", "every key", "in every object"],
)
def test_a_large_body_with_repetitions_is_refused_in_linear_time(
    server: Server, workspace: str, properties: str
) -> None:
    """With the first ten; looked for in quadratic time, each of these would take from ten minutes to days."""
    answer = server.ask("PUT", f"{workspace}/jobs/large", raw=f'{{"properties": {properties}}}'.encode())
    assert answer.status == 400
    assert 1 <= json.dumps(answer.body["error"]["details"]).count("the key is given twice") <= 10
