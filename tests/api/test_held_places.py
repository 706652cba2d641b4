"""What a version of any workspace names is kept where it lies, however the version and its jobs spell the place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Answer, Server, eventually, host_job

STORE = "azureml://datastores/workspaceblobstore/paths"
ENDS = ("Completed", "Failed", "Canceled")


def other_than(workspace: str) -> str:
    return f"{workspace}-2"


def run(server: Server, workspace: str, name: str, body: dict[str, Any]) -> dict[str, Any]:
    path = f"{workspace}/jobs/{name}"
    answer = server.ask("PUT", path, body)
    assert answer.status == 201, answer.body
    over: dict[str, Any] = eventually(
        lambda: (got := server.ask("GET", path).body["properties"])["status"] in ENDS and got
    )
    return over


def writes(word: str, uri: str | None = None, to: str = "${{outputs.o}}/f") -> dict[str, Any]:
    given = {"uri": uri} if uri else {}
    return host_job(f"echo {word} > {to}", outputs={"o": {"jobOutputType": "uri_folder", **given}})


def put(server: Server, workspace: str, kind: str, name: str, **properties: Any) -> None:
    answer = server.ask("PUT", f"{workspace}/{kind}/{name}/versions/1", {"properties": properties})
    assert answer.status in (200, 201), answer.body


def store_of(server: Server, workspace: str) -> Path:
    """The folder of a workspace's default datastore."""
    name = workspace.rpartition("/")[2]
    return server.home.path("workspaces", name, "datastores", "workspaceblobstore")


def lead(server: Server, workspace: str, name: str, folder: Path) -> str:
    """Make a datastore of another name that leads to a folder; the beginning of its URIs."""
    folder.mkdir(parents=True, exist_ok=True)
    body = {"properties": {"datastoreType": "LocalPath", "path": str(folder)}}
    answer = server.ask("PUT", f"{workspace}/datastores/{name}", body)
    assert answer.status in (200, 201), answer.body
    return f"azureml://datastores/{name}/paths"


def scoped(workspace: str, path: str) -> str:
    names = workspace.split("/")
    of = f"subscriptions/{names[2]}/resourcegroups/{names[4]}/workspaces/{names[-1]}"
    return f"azureml://{of}/datastores/workspaceblobstore/paths/{path}"


def register(server: Server, workspace: str, how: str, name: str) -> None:
    """Register what the job `name` wrote, in one of the ways in which it can be spelt."""
    store, other = store_of(server, workspace), other_than(workspace)
    spelt = {
        "a dot": f"{STORE}/azureml/./{name}/o",
        "two slashes": f"{STORE}/azureml//{name}//o/",
        "the folder above": f"{STORE}/azureml/{name}/",
        "all jobs": f"{STORE}/azureml",
        "a file of it": f"{STORE}/azureml/{name}/o/f",
        "its own id": scoped(workspace, f"azureml/{name}/o"),
    }
    if how in spelt:
        put(
            server,
            workspace,
            "data",
            "held",
            dataUri=spelt[how],
            dataType="uri_file" if "file" in how else "uri_folder",
        )
    elif how == "a link":
        (store / "ways").mkdir()
        (store / "ways" / name).symlink_to(store / "azureml" / name)
        put(server, workspace, "data", "held", dataUri=f"{STORE}/ways/{name}/o", dataType="uri_folder")
    elif how == "a datastore":
        start = lead(server, workspace, "alias", store / "azureml")
        put(server, workspace, "models", "held", modelUri=f"{start}/{name}/o", modelType="custom_model")
    elif how == "another workspace":
        put(server, other, "data", "held", dataUri=scoped(workspace, f"azureml/{name}/o"), dataType="uri_folder")
    elif how == "a datastore of another workspace":
        start = lead(server, other, "alias", store)
        put(server, other, "data", "held", dataUri=f"{start}/azureml/{name}/o", dataType="uri_folder")
    elif how == "a table":
        folder = store / "tables" / name
        folder.mkdir(parents=True)
        (folder / "MLTable").write_text(
            f"paths:\n  - file: {store}/azureml/{name}/o/f\ntransformations: [read_delimited]\n"
        )
        put(server, workspace, "data", "held", dataUri=f"{STORE}/tables/{name}", dataType="mltable")
    else:
        assert how == "a component"
        default = {"type": "uri_folder", "path": f"{STORE}/azureml/./{name}/o"}
        spec = {
            "type": "command", "command": "ls ${{inputs.d}}", "environment": "azureml:host",
            "inputs": {"d": {"type": "uri_folder", "optional": True, "default": default["path"]}},
        }  # fmt: skip
        put(server, workspace, "components", "held", componentSpec=spec)


@pytest.mark.parametrize(
    "how",
    ["a dot", "two slashes", "the folder above", "all jobs", "a file of it", "its own id", "a link", "a datastore",
     "another workspace", "a datastore of another workspace", "a table", "a component"],
)  # fmt: skip
def test_what_a_version_names_outlives_its_job(server: Server, workspace: str, how: str) -> None:
    """Deleting a job leaves what a version of any kind, in any workspace, names, however it is spelt."""
    assert run(server, workspace, "made", writes("first"))["status"] == "Completed"
    register(server, workspace, how, "made")
    assert server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert (store_of(server, workspace) / "azureml/made/o/f").read_text() == "first\n"
    run(server, workspace, "made", writes("second"))
    assert (store_of(server, workspace) / "azureml/made/o/f").read_text() == "first\n"


def test_what_nobody_names_goes(server: Server, workspace: str) -> None:
    """A version of one job's output keeps nothing of another job, whose name it begins with."""
    for name in ("made", "made-too"):
        run(server, workspace, name, writes("word"))
    put(server, workspace, "data", "held", dataUri=f"{STORE}/azureml//made-too/o", dataType="uri_folder")
    assert server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert sorted(path.name for path in (store_of(server, workspace) / "azureml").iterdir()) == ["made-too"]


def test_what_another_job_wrote_there_outlives_it(server: Server, workspace: str) -> None:
    """Deleting a job leaves what another one wrote to a path in the first one's folder."""
    run(server, workspace, "made", writes("first"))
    run(server, workspace, "guest", writes("guest", f"{STORE}/azureml/made/guest"))
    assert server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert (store_of(server, workspace) / "azureml/made/guest/f").read_text() == "guest\n"


@pytest.mark.parametrize("how", ["a datastore", "another workspace", "a table"])
def test_what_an_unfinished_job_names_is_not_deleted(server: Server, workspace: str, how: str, tmp_path: Path) -> None:
    """A job cannot be deleted while one of any workspace that is not over names what it made, however that is spelt."""
    run(server, workspace, "made", writes("first"))
    store, where, type = store_of(server, workspace), workspace, "uri_folder"
    if how == "a datastore":
        uri = lead(server, workspace, "alias", store / "azureml") + "/made/o"
    elif how == "another workspace":
        where, uri = other_than(workspace), scoped(workspace, "azureml/made/o")
    else:
        (tmp_path / "table").mkdir()
        (tmp_path / "table/MLTable").write_text(
            f"paths:\n  - file: {store}/azureml/made/o/f\ntransformations: [read_delimited]\n"
        )
        uri, type = str(tmp_path / "table"), "mltable"
    reader = host_job(
        f"touch {tmp_path}/began; until [ -e {tmp_path}/go ]; do sleep 0.02; done",
        inputs={"d": {"jobInputType": type, "uri": uri}},
    )
    assert server.ask("PUT", f"{where}/jobs/reader", reader).status == 201
    eventually((tmp_path / "began").exists, "the reader")
    refused = server.ask("DELETE", f"{workspace}/jobs/made")
    assert refused.status == 409, refused.body
    assert "job 'reader' is Running and reads" in refused.body["error"]["message"]
    (tmp_path / "go").touch()
    eventually(lambda: server.ask("GET", f"{where}/jobs/reader").body["properties"]["status"] in ENDS)
    assert server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert not (store / "azureml/made").exists()


def reads(server: Server, workspace: str, asset: str) -> str:
    """What a job reads of a version, all files one behind the other."""
    done = host_job(
        "cat $(find -L ${{inputs.d}} -type f) > ${{outputs.o}}/f",
        inputs={"d": {"jobInputType": "uri_folder", "uri": asset}},
        outputs={"o": {"jobOutputType": "uri_folder"}},
    )
    assert run(server, workspace, "reads", done)["status"] == "Completed"
    return (store_of(server, workspace) / "azureml/reads/o/f").read_text()


@pytest.mark.parametrize("where", ["at it", "above", "below"])
@pytest.mark.parametrize("how", ["its id", "a datastore", "a link"])
def test_a_job_writes_where_another_workspace_has_a_version(
    server: Server, workspace: str, how: str, where: str
) -> None:
    """The version of the other workspace gets a copy of its content before the job writes at, above or below it."""
    run(server, other_than(workspace), "made", writes("first", f"{STORE}/shared/x"))
    put(server, other_than(workspace), "data", "held", dataUri=f"{STORE}/shared/x", dataType="uri_folder")
    path = {"at it": "shared/x", "above": "shared", "below": "shared/x/new"}[where]
    if how == "its id":
        uri = scoped(other_than(workspace), path)
    elif how == "a datastore":
        uri = f"{lead(server, workspace, 'alias', store_of(server, other_than(workspace)))}/{path}"
    else:
        way = store_of(server, workspace) / "way"
        way.parent.mkdir(parents=True, exist_ok=True)
        way.symlink_to(store_of(server, other_than(workspace)))
        uri = f"{STORE}/way/{path}"
    to = "${{outputs.o}}/x/f" if where == "above" else "${{outputs.o}}/f"
    done = run(server, workspace, "over", writes("second", uri, to))
    assert done["status"] == "Completed", done.get("error")
    assert reads(server, other_than(workspace), "azureml:held:1") == "first\n"


@pytest.mark.parametrize("how", ["file", "blob", "upload"])
def test_a_request_writes_where_another_workspace_has_a_version(server: Server, workspace: str, how: str) -> None:
    """A file put, by whatever protocol, through a datastore that leads into another workspace leaves its version."""
    run(server, other_than(workspace), "made", writes("first", f"{STORE}/shared/x"))
    put(server, other_than(workspace), "data", "held", dataUri=f"{STORE}/shared/x", dataType="uri_folder")
    lead(server, workspace, "alias", store_of(server, other_than(workspace)))
    assert written(server, workspace, how, "alias", "shared/x/f") in (200, 201)
    assert reads(server, other_than(workspace), "azureml:held:1") == "first\n"


def written(server: Server, workspace: str, how: str, store: str, path: str) -> int:
    """The status of the answer to a request that writes one file."""
    answer: Answer
    if how == "file":
        answer = server.ask("PUT", f"/smalt/v1{workspace}/datastores/{store}/files/{path}", raw=b"new\n")
    elif how == "blob":
        folder = workspace.rpartition("/")[2]
        headers = {"x-ms-blob-type": "BlockBlob"}
        answer = server.ask_tcp("PUT", f"/{folder}.blob.core.windows.net/{store}/{path}", {"a": 1}, headers=headers)
    else:
        start = f"/smalt/v1{workspace}/datastores/{store}/uploads"
        target = {"target": path.rpartition("/")[0] + "/new"}
        body = {**target, "files": [["", 4]], "folders": []}
        server.ask("POST", f"{start}/content?target={target['target']}", raw=_upload_of(b"new\n"))
        answer = server.ask("POST", f"{start}/finish", body)
    assert answer.status in (200, 201, 409), answer.body
    return answer.status


def _upload_of(data: bytes) -> bytes:
    return len(b"").to_bytes(4, "big") + len(data).to_bytes(8, "big") + (0).to_bytes(8, "big") + data


@pytest.mark.parametrize("path", ["LocalUpload/x", "Versions/x", "", "."])
@pytest.mark.parametrize("how", ["its id", "a datastore"])
def test_no_output_goes_to_what_smalt_keeps_of_another_workspace(
    server: Server, workspace: str, how: str, path: str
) -> None:
    """An output at, in or around the folders where a workspace's versions are kept is refused, whatever leads there."""
    store = store_of(server, other_than(workspace))
    run(server, other_than(workspace), "first", host_job("true"))
    start = scoped(other_than(workspace), "") if how == "its id" else f"{lead(server, workspace, 'alias', store)}/"
    refused = server.ask("PUT", f"{workspace}/jobs/over", writes("word", f"{start}{path}"))
    assert refused.status == 400, refused.body
    assert "cannot be written" in json.dumps(refused.body)


def test_prune_leaves_what_a_version_names(server: Server, workspace: str) -> None:
    """Pruning removes no working folder of a job in which something lies that a version names."""
    for name in ("made", "gone"):
        run(server, workspace, name, host_job("mkdir keep; echo word > keep/f"))
    folder = server.home.path("workspaces", workspace.rpartition("/")[2], "jobs")
    start = lead(server, workspace, "work", folder)
    put(server, workspace, "data", "held", dataUri=f"{start}/made/wd/keep", dataType="uri_folder")
    assert server.ask("POST", "/smalt/v1/prune", {}).status == 200
    assert (folder / "made/wd/keep/f").read_text() == "word\n"
    assert not (folder / "gone").exists()
    assert server.ask("DELETE", f"{workspace}/jobs/made").status == 200
    assert (folder / "made/wd/keep/f").read_text() == "word\n"
