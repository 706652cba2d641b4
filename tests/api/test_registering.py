"""Outputs of jobs that a user registers by hand, as the studio does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import Server, host_job

MAKE = (
    "echo 1 > ${{outputs.folder}}/f; echo 1 > ${{outputs.file}}; echo 1 > ${{outputs.model}}/MLmodel; "
    "echo 1 > ${{outputs.table}}/MLTable"
)
TYPES = {
    "folder": "uri_folder",
    "file": "uri_file",
    "model": "uri_folder",
    "table": "uri_folder",
    "empty": "uri_folder",
}


@pytest.fixture
def made(server: Server, workspace: str) -> str:
    outputs = {name: {"jobOutputType": type} for name, type in TYPES.items()}
    assert server.ask("PUT", f"{workspace}/jobs/makes", host_job(MAKE, outputs=outputs)).status == 201
    assert list(server.stream(f"/smalt/v1{workspace}/jobs/makes/stream"))[-1]["status"] == "Completed"
    return workspace


def register(server: Server, workspace: str, output: str, type: str, name: str = "named") -> tuple[int, str]:
    """Register the output; return the status and the sentence or the warning."""
    is_model = type.endswith("_model")
    kind, uri, key = ("models", "modelUri", "modelType") if is_model else ("data", "dataUri", "dataType")
    body = {"properties": {uri: f"azureml://jobs/makes/outputs/{output}", key: type}}
    told = server.ask("PUT", f"{workspace}/{kind}/{name}/versions/1?next=true", body)
    if told.status >= 400:
        return told.status, told.body["error"]["message"]
    return told.status, told.body["properties"]["properties"].get("smalt.warning", "")


@pytest.mark.parametrize("is_next", [False, True], ids=["first", "next"])
def test_what_is_not_of_its_type_is_refused(server: Server, made: str, is_next: bool) -> None:
    """A file as a folder and the reverse, a folder without the file that makes it a model or a table; as the first
    version and as a later one."""
    if is_next:
        assert register(server, made, "folder", "uri_folder") == (201, "")
        assert register(server, made, "folder", "custom_model") == (201, "")
    assert register(server, made, "file", "uri_folder") == (
        400,
        "data asset 'named' was not registered: it is a file, but its type is uri_folder; make its type uri_file, "
        "or write a folder",
    )
    for output, type, why in (
        ("folder", "uri_file", "it is a folder"),
        ("file", "mltable", "it is a file"),
        ("file", "mlflow_model", "it is a file"),
        ("folder", "mltable", "the folder has no file MLTable"),
        ("folder", "mlflow_model", "the folder has no file MLmodel; make its type custom_model"),
    ):
        status, sentence = register(server, made, output, type)
        assert (status, why in sentence) == (400, True), sentence
    for kind in ("data", "models"):
        assert len(server.ask("GET", f"{made}/{kind}/named/versions").body.get("value", ())) == is_next


@pytest.mark.parametrize(
    ("output", "type"),
    [
        ("folder", "uri_folder"),
        ("file", "uri_file"),
        ("table", "mltable"),
        ("model", "mlflow_model"),
        ("folder", "custom_model"),
        ("file", "custom_model"),
    ],
)
def test_what_is_of_its_type_is_registered(server: Server, made: str, output: str, type: str) -> None:
    """Without a warning."""
    assert register(server, made, output, type) == (201, "")


def test_an_output_that_is_empty_has_a_warning(server: Server, made: str) -> None:
    """As one that is registered when its job ends."""
    warning = "it is empty: nothing was written to azureml://jobs/makes/outputs/empty"
    assert register(server, made, "empty", "uri_folder") == (201, warning)


@pytest.mark.parametrize("name", ["a b", "%20", "-a"])
def test_a_name_that_cannot_be_one_is_told(server: Server, made: str, name: str) -> None:
    """Blanks, too."""
    status, sentence = register(server, made, "folder", "uri_folder", name.replace(" ", "%20"))
    assert (status, "cannot be the name of an asset" in sentence) == (400, True), sentence


WAYS = {"local": "file://{folder}/{name}", "datastore": "azureml://datastores/workspaceblobstore/paths/given/{name}"}


@pytest.mark.parametrize("way", WAYS)
def test_content_at_a_path_is_of_its_type_too(server: Server, workspace: str, tmp_path: Path, way: str) -> None:
    """A path of this machine and one in a datastore are looked at as the output of a job is."""
    place = tmp_path
    if way == "datastore":
        named = workspace.rpartition("/")[2]
        place = server.home.path("workspaces", named, "datastores", "workspaceblobstore", "given")
    (place / "folder").mkdir(parents=True)
    (place / "file").write_text("1")

    def put(name: str, type: str, **more: str) -> tuple[int, str]:
        is_model = type.endswith("_model")
        kind, uri, key = ("models", "modelUri", "modelType") if is_model else ("data", "dataUri", "dataType")
        body = {"properties": {uri: WAYS[way].format(folder=place, name=name), key: type, **more}}
        told = server.ask("PUT", f"{workspace}/{kind}/{way}-{type}/versions/1", body)
        return told.status, told.body["error"]["message"] if told.status >= 400 else ""

    for name, type, why in (
        ("folder", "uri_file", "it is a folder"),
        ("file", "uri_folder", "it is a file"),
        ("folder", "mltable", "the folder has no file MLTable"),
        ("folder", "mlflow_model", "the folder has no file MLmodel; make its type custom_model"),
    ):
        status, sentence = put(name, type)
        assert (status, why in sentence) == (400, True), sentence
    (place / "folder" / "MLTable").write_text("paths: []")
    (place / "folder" / "MLmodel").write_text("flavors: {}")
    assert put("file", "uri_file") == (201, "")
    for type in ("uri_folder", "mltable", "mlflow_model"):
        assert put("folder", type) == (201, "")
    if way == "datastore":
        (place / "folder" / "MLmodel").unlink()
        assert put("folder", "mlflow_model", description="of what is there already")[0] == 200
        assert put("later", "mlflow_model", description="")[0] == 409
