"""Other spellings are understood, and what is not understood is kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from smalt.entities.jobs.command import CommandJob
from smalt.entities.jobs.inputs import Input
from smalt.entities.jobs.pipeline import PipelineJob
from smalt.exceptions import RefusedError, ValidationException
from smalt.wire import from_rest, to_rest
from smalt.wire.encoding.ids import build_asset_id, build_resource_id, build_workspace_id

WS = build_workspace_id("s", "g", "w")


def job(**properties: Any) -> Any:
    return from_rest({"properties": {"jobType": "Command", "command": "echo", **properties}}, "job")


@pytest.mark.parametrize("key", ["jobInputType", "job_input_type", "JobInputType", "type"])
@pytest.mark.parametrize("word", ["uri_folder", "UriFolder", "URI_FOLDER"])
def test_input_types_in_any_casing(key: str, word: str) -> None:
    """Keys and words compare without case and underscores."""
    read = job(inputs={"x": {key: word, "uri": "https://h/x", "mode": "read_only_mount"}})
    assert read.inputs["x"] == Input(type="uri_folder", path="https://h/x", mode="ro_mount")


@pytest.mark.parametrize("value", [0.3, "0.3"])
def test_literals_are_read_as_text(value: object) -> None:
    """Also where a client sends a number, as batch endpoints' does."""
    assert job(inputs={"lr": {"jobInputType": "Literal", "value": value}}).inputs == {"lr": "0.3"}


def test_a_null_input_is_none() -> None:
    """An optional input that is not given."""
    assert job(inputs={"x": {"jobInputType": "literal", "value": None}, "y": None}).inputs == {}


def test_job_types_and_nulls() -> None:
    """`jobType` in any casing; null is the same as absent."""
    read = from_rest({"properties": {"jobType": "command", "command": "x", "codeId": None, "tags": None}}, "job")
    assert isinstance(read, CommandJob)
    assert read.code is None


def test_unknown_keys_are_kept_where_they_stand() -> None:
    """At the top, in a part, in an input, in a step and in a step's part; and they are sent again."""
    body = {
        "properties": {
            "jobType": "Pipeline",
            "fromTheFuture": {"a": 1},
            "inputs": {"d": {"jobInputType": "uri_file", "uri": "https://h/x", "newKey": True}},
            "jobs": {
                "s": {
                    "componentId": "azureml:c:1",
                    "_source": "DSL",
                    "resources": {"instance_count": 2, "gpu_kind": "h"},
                }
            },
        }
    }
    read = from_rest(body, "job")
    assert isinstance(read, PipelineJob)
    written = to_rest(read)["properties"]
    assert written["fromTheFuture"] == {"a": 1}
    assert written["inputs"]["d"]["newKey"] is True
    assert written["jobs"]["s"]["_source"] == "DSL"
    assert written["jobs"]["s"]["resources"] == {"instance_count": 2, "gpu_kind": "h"}


def test_what_the_service_says_is_read_but_not_sent() -> None:
    """Status, parent and times of a job that came from a server."""
    body = {
        "id": build_resource_id(WS, "jobs", "n"),
        "name": "n",
        "systemData": {"createdAt": "2026-01-01"},
        "properties": {
            "jobType": "Command",
            "command": "x",
            "status": "Running",
            "parentJobName": "p",
            "isArchived": True,
        },
    }
    read = from_rest(body, "job")
    assert isinstance(read, CommandJob)
    assert (read.name, read.status, read.parent_job_name) == ("n", "Running", "p")
    assert read.creation_context is not None
    assert read.creation_context.created_at == datetime(2026, 1, 1)
    assert "created_at: '2026-01-01T00:00:00'" in str(read)
    written = to_rest(read)["properties"]
    assert "status" not in written
    assert written["isArchived"] is True


def test_a_versions_name_comes_from_its_id() -> None:
    """The `name` of a version's resource is the version."""
    body = {
        "id": build_asset_id(WS, "data", "d", "2"),
        "name": "2",
        "properties": {"dataType": "uri_file", "dataUri": "https://h"},
    }
    read: Any = from_rest(body, "data")
    assert (read.name, read.version, read.type) == ("d", "2", "uri_file")


def test_a_component_in_the_place_of_its_id() -> None:
    """smalt's own extension: a step may carry its component."""
    spec = {"type": "command", "command": "echo", "inputs": {}, "outputs": {}}
    read: Any = from_rest({"properties": {"jobType": "Pipeline", "jobs": {"s": {"component": spec}}}}, "job")
    assert read.jobs["s"].component.command == "echo"


def test_where_a_component_came_from_is_not_its_source() -> None:
    """Azure's clients say `_source`, and a data transfer has a `source`."""
    spec = {"type": "data_transfer", "name": "t", "task": "import_data", "_source": "YAML.COMPONENT"}
    body = {"properties": {"componentSpec": {**spec, "source": {"type": "database"}}}}
    read: Any = from_rest(body, "component")
    assert (read.source.type, read.extra["_source"]) == ("database", "YAML.COMPONENT")
    node: dict[str, Any] = {
        "type": "data_transfer",
        "task": "import_data",
        "_source": "YAML.JOB",
        "componentId": "azureml:c:1",
    }
    node["source"] = {"type": "database", "query": "select 1", "connection": "azureml:c"}
    job: Any = from_rest({"properties": {"jobType": "Pipeline", "jobs": {"s": node}}}, "job")
    assert job.jobs["s"].extra["_source"] == "YAML.JOB"


@pytest.mark.parametrize(
    ("properties", "where"),
    [
        ({"jobType": "Nonsense"}, "jobType"),
        ({"jobType": "Command"}, "command"),
        ({"jobType": "Command", "command": 5}, "command"),
        ({"jobType": "Command", "command": "x", "inputs": 5}, "inputs"),
        ({"jobType": "Command", "command": "x", "limits": {"timeout": "soon"}}, "timeout"),
        ({"jobType": "Command", "command": "x", "distribution": {"distributionType": "Telepathy"}}, "Telepathy"),
        ({"jobType": "Pipeline", "jobs": {"s": 5}}, "s"),
        ({"jobType": "Pipeline", "jobs": {"s": {"type": "dance"}}}, "dance"),
    ],
)
def test_what_is_wrong_is_named(properties: dict[str, Any], where: str) -> None:
    """One sentence per problem, with the place."""
    with pytest.raises(ValidationException, match=where):
        from_rest({"properties": properties}, "job")


def test_all_problems_come_at_once() -> None:
    """Not only the first."""
    properties = {"jobType": "Command", "limits": {"timeout": "soon"}, "resources": {"instanceCount": "many"}}
    with pytest.raises(ValidationException) as caught:
        from_rest({"properties": properties}, "job")
    assert len(caught.value.problems) == 3


def test_what_has_no_form_is_refused() -> None:
    """In one sentence, rather than with a traceback."""
    from smalt.entities.schema.entity import Entity

    with pytest.raises(RefusedError, match="cannot send"):
        to_rest(Entity())
