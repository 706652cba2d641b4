from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Answer, Server, host_job

ENVIRONMENT = {"properties": {"image": "python:3.11", "condaFile": "dependencies:\n- python=3.11\n"}}
DATA = {"properties": {"dataType": "uri_folder", "dataUri": "azureml://datastores/workspaceblobstore/paths/d/"}}
MODEL = {"properties": {"modelType": "custom_model", "modelUri": "azureml://datastores/workspaceblobstore/paths/m"}}
COMPONENT = {
    "properties": {
        "isAnonymous": False,
        "componentSpec": {
            "type": "command",
            "name": "c",
            "version": "1",
            "command": "echo hi",
            "environment": "azureml:host@latest",
        },
    }
}
BODIES = [("environments", ENVIRONMENT), ("data", DATA), ("models", MODEL), ("components", COMPONENT)]


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_a_version_comes_back_as_it_was_sent(server: Server, workspace: str, kind: str, body: dict[str, Any]) -> None:
    """201, then 200 for the same again; the id has the service's exact casing; the name is the version."""
    url = f"{workspace}/{kind}/thing/versions/1"
    assert server.ask("PUT", url, body).status == 201
    assert server.ask("PUT", url, body).status == 200
    found = server.ask("GET", url).body
    assert found["id"] == url
    assert found["name"] == "1"
    assert body["properties"].items() <= found["properties"].items()
    assert found["properties"]["provisioningState"] == "Succeeded"


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_unknown_fields_are_kept(server: Server, workspace: str, kind: str, body: dict[str, Any]) -> None:
    """What a newer client sends comes back."""
    url = f"{workspace}/{kind}/thing/versions/1"
    sent = {"properties": {**body["properties"], "brandNew": {"a": [1, None]}}}
    assert server.ask("PUT", url, sent).body["properties"]["brandNew"] == {"a": [1, None]}


@pytest.mark.parametrize(
    ("kind", "body", "change"),
    [
        ("environments", ENVIRONMENT, {"image": "another"}),
        ("data", DATA, {"dataUri": "azureml://datastores/workspaceblobstore/paths/other/"}),
        ("models", MODEL, {"modelUri": "azureml://datastores/workspaceblobstore/paths/n"}),
        ("components", COMPONENT, {"componentSpec": {**COMPONENT["properties"]["componentSpec"], "command": "no"}}),
    ],
)
def test_the_content_of_a_version_cannot_change(
    server: Server, workspace: str, kind: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    """409 for other content; tags and descriptions of the same content may change."""
    url = f"{workspace}/{kind}/thing/versions/1"
    server.ask("PUT", url, body)
    refused = server.ask("PUT", url, {"properties": {**body["properties"], **change}})
    assert refused.status == 409
    assert "create another version" in refused.body["error"]["message"]
    described = {"properties": {**body["properties"], "description": "new", "tags": {"a": "b"}}}
    assert server.ask("PUT", url, described).body["properties"]["description"] == "new"


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_the_container_counts_versions(server: Server, workspace: str, kind: str, body: dict[str, Any]) -> None:
    """latestVersion is the newest, nextVersion the next number; without any version it is 404."""
    assert server.ask("GET", f"{workspace}/{kind}/thing").status == 404
    for version in ("1", "7", "named"):
        server.ask("PUT", f"{workspace}/{kind}/thing/versions/{version}", body)
    properties = server.ask("GET", f"{workspace}/{kind}/thing").body["properties"]
    assert (properties["latestVersion"], properties["nextVersion"]) == ("named", "8")
    for alias in ("versions/azureml_default", "labels/latest"):
        assert server.ask("GET", f"{workspace}/{kind}/thing/{alias}").body["name"] == "named"


def test_archived_versions_and_containers_are_in_their_own_lists(server: Server, workspace: str) -> None:
    """listViewType ActiveOnly, ArchivedOnly and All; archiving is GET, then PUT with isArchived."""
    for version in ("1", "2"):
        server.ask("PUT", f"{workspace}/data/d/versions/{version}", DATA)
    fetched = server.ask("GET", f"{workspace}/data/d/versions/1").body
    fetched["properties"]["isArchived"] = True
    assert server.ask("PUT", f"{workspace}/data/d/versions/1", fetched).status == 200
    assert _names(server, f"{workspace}/data/d/versions") == ["2"]
    assert _names(server, f"{workspace}/data/d/versions?listViewType=ArchivedOnly") == ["1"]
    assert _names(server, f"{workspace}/data/d/versions?listViewType=All") == ["2", "1"]
    server.ask("PUT", f"{workspace}/data/d", {"properties": {"isArchived": True}})
    assert _names(server, f"{workspace}/data") == []
    assert _names(server, f"{workspace}/data?listViewType=All") == ["d"]


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_an_asset_that_is_archived_as_a_whole_has_no_latest(
    server: Server, workspace: str, kind: str, body: dict[str, Any]
) -> None:
    """All its versions are hidden; each is still found by its number, none is added, and restoring gives all back."""
    one = f"{workspace}/{kind}/thing"
    for version in ("1", "2", "3"):
        assert server.ask("PUT", f"{one}/versions/{version}", body).status == 201
    fetched = server.ask("GET", f"{one}/versions/3").body
    fetched["properties"]["isArchived"] = True
    assert server.ask("PUT", f"{one}/versions/3", fetched).status == 200
    assert server.ask("GET", f"{one}/labels/latest").body["name"] == "2"
    server.ask("PUT", one, {"properties": {"isArchived": True}})
    assert server.ask("GET", one).body["properties"]["latestVersion"] is None
    for where in ("labels/latest", "versions/azureml_default"):
        answer = server.ask("GET", f"{one}/{where}")
        assert answer.status == 404
        assert "is archived; restore it with 'smalt " in answer.body["error"]["message"]
    assert _names(server, f"{one}/versions") == []
    assert _names(server, f"{one}/versions?listViewType=ArchivedOnly") == ["3", "2", "1"]
    assert server.ask("GET", f"{one}/versions/1").status == 200
    refused = server.ask("PUT", f"{one}/versions/9", body)
    assert refused.status == 409
    assert "restore it with" in refused.body["error"]["message"]
    server.ask("PUT", one, {"properties": {"isArchived": False}})
    assert server.ask("GET", f"{one}/labels/latest").body["name"] == "2"
    assert _names(server, f"{one}/versions") == ["2", "1"]


def test_a_new_job_does_not_find_the_latest_of_an_archived_asset(
    server: Server, workspace: str, tmp_path: Path
) -> None:
    """It is refused as it is submitted; one that names the version runs."""
    (tmp_path / "in.csv").write_text("a")
    data = {"properties": {"dataType": "uri_file", "dataUri": f"file://{tmp_path / 'in.csv'}"}}
    server.ask("PUT", f"{workspace}/data/raw/versions/1", data)
    server.ask("PUT", f"{workspace}/data/raw", {"properties": {"isArchived": True}})

    def submit(name: str, uri: str) -> Answer:
        inputs = {"d": {"jobInputType": "uri_file", "uri": uri}}
        return server.ask("PUT", f"{workspace}/jobs/{name}", host_job("cat ${{inputs.d}}", inputs=inputs))

    refused = submit("label", "azureml:raw@latest")
    assert refused.status in (400, 404)
    assert "is archived" in str(refused.body)
    assert submit("version", "azureml:raw:1").status == 201
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/version/stream"))
    assert messages[-1]["status"] == "Completed"


def test_lists_come_in_pages(server: Server, workspace: str) -> None:
    """nextLink is absolute, keeps the query, and is absent at the end."""
    for number in range(5):
        server.ask("PUT", f"{workspace}/data/d{number}/versions/1", DATA)
    first = server.ask_tcp("GET", f"{workspace}/data?listViewType=ActiveOnly&$top=2&api-version=x").body
    assert [one["name"] for one in first["value"]] == ["d0", "d1"]
    assert first["nextLink"].startswith(f"http://127.0.0.1:{server.port}/subscriptions/")
    second = server.ask_tcp("GET", first["nextLink"].partition(str(server.port))[2]).body
    third = server.ask_tcp("GET", second["nextLink"].partition(str(server.port))[2]).body
    assert [one["name"] for one in [*second["value"], *third["value"]]] == ["d2", "d3", "d4"]
    assert "nextLink" not in third


def test_models_have_flavors(server: Server, workspace: str) -> None:
    """Clients read it, so it is an object even where none was sent."""
    assert server.ask("PUT", f"{workspace}/models/m/versions/1", MODEL).body["properties"]["flavors"] == {}


def test_what_is_wrong_in_a_body_is_told_at_once(server: Server, workspace: str) -> None:
    """400 in the ARM shape, each problem a detail; nothing is kept."""
    body = {"properties": {"componentSpec": {"type": "command", "comand": "x", "environment": 3}}}
    answer = server.ask("PUT", f"{workspace}/components/c/versions/1", body)
    assert answer.status == 400
    assert answer.body["error"]["code"] == "ValidationError"
    assert len(answer.body["error"]["details"]) >= 2
    assert server.ask("GET", f"{workspace}/components/c").status == 404


def test_names_and_versions_have_an_alphabet(server: Server, workspace: str) -> None:
    """A name that could be a path, or is too long, is refused."""
    for name in ("..", "a b", "ä", "x" * 256, "-a"):
        assert server.ask("PUT", f"{workspace}/data/{name}/versions/1", DATA).status == 400
        assert server.ask("PUT", f"{workspace}/data/d/versions/{name}", DATA).status == 400


def test_local_data_becomes_content_of_the_home(server: Server, workspace: str, tmp_path: Path) -> None:
    """A file:// asset is copied, so that the original may change."""
    (tmp_path / "in.csv").write_text("a,b\n")
    body = {"properties": {"dataType": "uri_file", "dataUri": f"file://{tmp_path / 'in.csv'}"}}
    uri = server.ask("PUT", f"{workspace}/data/d/versions/1", body).body["properties"]["dataUri"]
    assert uri.startswith("azureml://datastores/workspaceblobstore/paths/LocalUpload/")
    (tmp_path / "in.csv").write_text("changed")
    place = server.ask("POST", f"/smalt/v1{workspace}/resolve", {"uri": "azureml:d@latest"}).body
    assert Path(place["local"]).read_text() == "a,b\n"


def test_a_submissions_assets_come_in_one_request(server: Server, workspace: str) -> None:
    """All or none, idempotent; the ids are those of single PUTs."""
    items = [
        {"kind": kind, "name": f"n-{kind}", "version": str(version), "body": body}
        for kind, body in BODIES
        for version in (1, 2)
    ]
    ids = [f"{workspace}/{item['kind']}/{item['name']}/versions/{item['version']}" for item in items]
    for _ in range(2):
        assert server.ask("POST", f"/smalt/v1{workspace}/assets", {"items": items}).body == {"ids": ids}
    assert all(server.ask("GET", id).status == 200 for id in ids)
    wrong = [{**items[0], "name": "fresh"}, {"kind": "wishes"}, 3]
    refused = server.ask("POST", f"/smalt/v1{workspace}/assets", {"items": wrong})
    assert refused.status == 400
    assert [detail["message"].partition(":")[0] for detail in refused.body["error"]["details"]] == [
        "items.1",
        "items.2",
    ]
    assert server.ask("GET", f"{workspace}/environments/fresh").status == 404


def test_code_is_there_once(server: Server, workspace: str, tmp_path: Path) -> None:
    """A folder's snapshot is named by its content, and found by its hash under any name."""
    (tmp_path / "main.py").write_text("print(1)")
    first = server.ask("POST", f"/smalt/v1{workspace}/snapshots", {"path": str(tmp_path)}).body
    assert server.ask("POST", f"/smalt/v1{workspace}/snapshots", {"path": str(tmp_path)}).body == first
    assert first["files"] == 1
    found = server.ask("GET", f"{workspace}/codes/any/versions?hash={first['hash']}&hashVersion=202208").body
    assert [one["id"] for one in found["value"]] == [first["codeId"]]
    assert server.ask("GET", f"{workspace}/codes/any/versions?hash=none").body == {"value": []}
    assert server.ask("GET", first["codeId"]).body["properties"]["isAnonymous"] is True


def test_code_can_be_sent_content_by_content(server: Server, workspace: str) -> None:
    """A manifest is answered with what is missing, and once that was sent with the code's id."""
    content = b"print(2)\n"
    import hashlib

    sha = hashlib.sha256(content).hexdigest()
    manifest = [{"path": "main.py", "sha256": sha, "size": len(content), "executable": False}]
    url = f"/smalt/v1{workspace}/snapshots"
    assert server.ask_tcp("POST", url, {"manifest": manifest}).body == {"missing": [sha]}
    assert server.ask("PUT", f"/smalt/v1/blobs/{sha}", raw=b"something else").status >= 400
    assert server.ask("PUT", f"/smalt/v1/blobs/{sha}", raw=content).status == 200
    assert server.ask_tcp("POST", url, {"manifest": manifest}).body["codeId"].startswith(f"{workspace}/codes/")


def _names(server: Server, url: str) -> list[str]:
    return [one["name"] for one in server.ask("GET", url).body["value"]]


def test_every_workspace_has_the_host_and_the_catalogues_environments(server: Server, workspace: str) -> None:
    """They are found without being created, by version, label and container; one's own come first."""
    for name in ("host", "sklearn-1.5"):
        container = server.ask("GET", f"{workspace}/environments/{name}").body["properties"]
        url = f"{workspace}/environments/{name}/versions"
        found = server.ask("GET", f"{url}/{container['latestVersion']}").body
        assert found["id"] == f"{url}/{container['latestVersion']}"
        assert server.ask("GET", f"{workspace}/environments/{name}/labels/latest").body == found
        assert server.ask("GET", url).body["value"] == [found]
        assert server.ask("GET", f"{url}/77").body["name"] == "77"  # a job may name any
        assert server.ask("GET", f"{workspace}/environments/{name}/labels/nosuch").status == 404
    assert "scikit-learn" in found["properties"]["condaFile"]
    server.ask("PUT", f"{workspace}/environments/sklearn-1.5/versions/mine", ENVIRONMENT)
    assert server.ask("GET", f"{workspace}/environments/sklearn-1.5").body["properties"]["latestVersion"] == "mine"
