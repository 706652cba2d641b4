"""Datastores of clouds, with real servers and real jobs."""

from __future__ import annotations

import contextlib
import json
import os
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import Server, eventually, host_job
from tests.remote.conftest import ACCOUNT, Cloud

pytestmark = pytest.mark.integration


@pytest.fixture
def registered(server: Server, cloud: Cloud, workspace: str, request: pytest.FixtureRequest) -> str:
    """The workspace, with the cloud as the datastore `far`; what a test writes there begins with its name."""
    assert server.ask("PUT", f"{workspace}/datastores/far", {"properties": cloud.datastore}).status == 201
    return workspace


def run(server: Server, workspace: str, name: str, command: str, **more: Any) -> tuple[str, str]:
    """The status of a job, and all that its logs say."""
    answer = server.ask("PUT", f"{workspace}/jobs/{name}", host_job(command, **more))
    assert answer.status == 201, answer.body
    messages = list(server.stream(f"/smalt/v1{workspace}/jobs/{name}/stream"))
    said = "".join(message["text"] for message in messages if message["t"] == "log")
    errors = [str(message["error"]) for message in messages if message.get("error")]
    return messages[-1]["status"], "\n".join([said, *errors])


def uri(kind: str, path: str, mode: str, **more: str) -> dict[str, str]:
    return {"jobInputType": kind, "uri": path, "mode": mode, **more}


def out(path: str, mode: str, **more: str) -> dict[str, str]:
    return {"jobOutputType": "uri_folder", "uri": path, "mode": mode, **more}


@pytest.mark.parametrize("mode", ["ReadOnlyMount", "Download", "Direct", "EvalMount", "EvalDownload"])
def test_a_job_reads_a_folder_and_a_file(server: Server, registered: str, cloud: Cloud, mode: str) -> None:
    """In each mode, by the datastore's path; what changed between two jobs is seen by the second."""
    cloud.files.pipe_file(f"box/{mode}/sub/x.txt", b"one")
    cloud.files.pipe_file(f"box/{mode}/y.txt", b"why")
    base = f"azureml://datastores/far/paths/{mode}"
    inputs = {"d": uri("uri_folder", base, mode), "f": uri("uri_file", f"{base}/y.txt", mode)}
    command = "cat ${{inputs.d}}/sub/x.txt ${{inputs.d}}/y.txt ${{inputs.f}}"
    status, said = run(server, registered, "first", command, inputs=inputs)
    assert status == "Completed", said
    assert "onewhywhy" in said
    cloud.files.pipe_file(f"box/{mode}/sub/x.txt", b"two")
    status, said = run(server, registered, "second", command, inputs=inputs)
    assert "twowhywhy" in said


def test_a_job_is_not_given_what_it_could_write_to(server: Server, registered: str) -> None:
    """An input of mode rw_mount would be a copy that nobody sends back: refused before the command runs."""
    inputs = {"d": uri("uri_folder", "azureml://datastores/far/paths/x", "ReadWriteMount")}
    assert run(server, registered, "j", "echo ran", inputs=inputs)[0] == "Failed"
    error = json.dumps(server.ask("GET", f"{registered}/jobs/j").body["properties"])
    assert "cannot be an input of mode rw_mount; make it ro_mount" in error


def test_a_uri_is_resolved_when_its_step_starts(server: Server, registered: str, cloud: Cloud) -> None:
    """The second step names by its URI what the first one makes there, over what was there before."""
    cloud.files.pipe_file("box/late/it", b"old")
    path, log = "azureml://datastores/far/paths/late", "azureml://datastores/workspaceblobstore/paths/late"
    one = {
        "type": "command", "command": "echo new > ${{outputs.o}}/it; echo 1 > ${{outputs.done}}/x",
        "environment": "azureml:host@latest", "outputs": {"o": out(path, "Upload"), "done": out(log, "ReadWriteMount")},
    }  # fmt: skip
    two = {
        "type": "command", "command": "cat ${{inputs.d}}/it", "environment": "azureml:host@latest",
        "inputs": {
            "d": uri("uri_folder", path, "ReadOnlyMount"),
            "after": {"jobInputType": "literal", "value": "${{parent.jobs.one.outputs.done}}"},
        },
    }  # fmt: skip
    pipeline = {"properties": {"jobType": "Pipeline", "jobs": {"one": one, "two": two}}}
    answer = server.ask("PUT", f"{registered}/jobs/p", pipeline)
    assert answer.status == 201, answer.body
    messages = list(server.stream(f"/smalt/v1{registered}/jobs/p/stream"))
    said = "".join(message["text"] for message in messages if message["t"] == "log")
    assert messages[-1]["status"] == "Completed", said
    assert "new\n" in said
    assert "old" not in said


def test_a_job_reads_by_the_clouds_own_url(server: Server, registered: str, cloud: Cloud) -> None:
    """The datastore that names the same account and container logs in for it."""
    cloud.files.pipe_file("box/url/x y.txt", b"by url")
    inputs = {"d": uri("uri_folder", f"{cloud.url}/url", "ReadOnlyMount")}
    status, said = run(server, registered, "j", "cat ${{inputs.d}}/*", inputs=inputs)
    assert status == "Completed", said
    assert "by url" in said


@pytest.mark.parametrize("mode", ["ReadWriteMount", "Upload", "Direct"])
def test_an_output_is_sent_when_the_step_ends(server: Server, registered: str, cloud: Cloud, mode: str) -> None:
    """And is, with a name, a data asset that another job reads."""
    file = {"jobOutputType": "uri_file", "uri": f"azureml://datastores/far/paths/file-{mode}/a.txt", "mode": mode}
    path = f"azureml://datastores/far/paths/out-{mode}/${{{{name}}}}"
    outputs = {"o": out(path, mode, assetName=f"made-{mode}"), "f": file}
    command = (
        "mkdir ${{outputs.o}}/sub; echo made > ${{outputs.o}}/sub/it; echo more > ${{outputs.o}}/more;"
        " touch ${{outputs.o}}/_SUCCESS; echo file > ${{outputs.f}}"
    )
    status, said = run(server, registered, "maker", command, outputs=outputs)
    assert status == "Completed", said
    assert cloud.files.cat_file(f"box/out-{mode}/maker/sub/it") == b"made\n"
    assert cloud.files.cat_file(f"box/file-{mode}/a.txt") == b"file\n"
    assert "uploaded 3 files (10 bytes) to datastore far" in said
    asset = server.ask("GET", f"{registered}/data/made-{mode}/versions/1").body["properties"]
    assert asset["dataUri"].startswith("azureml://datastores/far/paths/")
    inputs = {"d": uri("uri_folder", f"azureml:made-{mode}:1", "ReadOnlyMount")}
    said = run(server, registered, "reader", "cd ${{inputs.d}}; cat */it more; wc -c _SUCCESS", inputs=inputs)[1]
    assert "made\nmore\n0 _SUCCESS" in said


def test_steps_that_read_and_write_there_are_reused(server: Server, registered: str, cloud: Cloud) -> None:
    """The same content is the same step; other content, or an output that was changed since, makes it run."""
    cloud.files.pipe_file("box/reuse/in/x", b"one")
    step = {
        "type": "command", "environment": "azureml:host@latest",
        "command": "cat ${{inputs.d}}/x > ${{outputs.o}}/y; cat ${{inputs.d}}/x > ${{outputs.o}}/z",
        "inputs": {"d": uri("uri_folder", "azureml://datastores/far/paths/reuse/in", "ReadOnlyMount")},
        "outputs": {"o": out("azureml://datastores/far/paths/reuse/out", "ReadWriteMount")},
    }  # fmt: skip
    pipeline = {"properties": {"jobType": "Pipeline", "jobs": {"s": step}}}

    def origin(name: str) -> Any:
        assert server.ask("PUT", f"{registered}/jobs/{name}", pipeline).status == 201
        messages = list(server.stream(f"/smalt/v1{registered}/jobs/{name}/stream"))
        assert messages[-1]["status"] == "Completed", messages
        shown = server.ask("GET", f"{registered}/jobs/{name}-s").body["properties"]
        return shown["properties"].get("azureml.reusedrunid")

    assert origin("one") is None
    assert origin("two") == "one-s"
    cloud.files.pipe_file("box/reuse/in/x", b"another")
    assert origin("three") is None
    assert cloud.files.cat_file("box/reuse/out/y") == b"another"
    assert origin("four") == "three-s"
    cloud.files.rm_file("box/reuse/out/z")
    assert origin("five") is None
    assert cloud.files.cat_file("box/reuse/out/z") == b"another"


def test_what_is_missing_is_told_before_anything_runs(server: Server, registered: str) -> None:
    """A path without anything fails the job in one sentence."""
    inputs = {"d": uri("uri_folder", "azureml://datastores/far/paths/nothing/here", "ReadOnlyMount")}
    assert run(server, registered, "j", "true", inputs=inputs)[0] == "Failed"
    error = server.ask("GET", f"{registered}/jobs/j").body["properties"]
    assert "datastore far has no 'nothing/here'" in json.dumps(error)


def test_listings_and_files(server: Server, registered: str, cloud: Cloud) -> None:
    """In the order of whole paths; files come and go by the server's own routes."""
    far = f"/smalt/v1{registered}/datastores/far"
    for name in ("a/x/y", "a-b", "a.c"):
        cloud.files.pipe_file(f"box/list/{name}", b"1")
    listed = server.ask("GET", f"{far}/list?path=list").body["value"]
    assert [(item["path"], item["is_dir"]) for item in listed] == [
        ("list/a-b", False), ("list/a.c", False), ("list/a", True),
    ]  # fmt: skip
    listed = server.ask("GET", f"{far}/list?path=list&recursive=true").body["value"]
    assert [item["path"] for item in listed] == ["list/a-b", "list/a.c", "list/a/x/y"]
    assert server.ask("GET", f"{far}/list?path=nothing").status == 404
    assert server.ask("PUT", f"{far}/files/list/sent", raw=b"sent").status == 200
    assert cloud.files.cat_file("box/list/sent") == b"sent"
    assert server.ask("GET", f"{far}/files/list/sent").body == b"sent"


@pytest.mark.parametrize("cloud", ["azurite", "moto"], indirect=True)
def test_secrets_are_sealed_and_told_to_who_asks(server: Server, registered: str, cloud: Cloud) -> None:
    """No answer but that of listSecrets has them, nor has any file of the home, also when a job failed on it; an update
    without them keeps them. (The emulator of Google's storage wants none.)"""
    place = f"{registered}/datastores/far"
    body = server.ask("GET", place).body
    assert cloud.secret not in json.dumps([body, server.ask("GET", f"{registered}/datastores").body])
    assert server.ask("PUT", place, {"properties": {**body["properties"], "description": "again"}}).status == 200
    assert cloud.secret in server.ask("POST", f"{place}/listSecrets").body.values()
    assert "value" in server.ask("GET", f"/smalt/v1{place}/list").body
    inputs = {"d": uri("uri_folder", "azureml://datastores/far/paths/no", "ReadOnlyMount")}
    status, said = run(server, registered, "j", "true", inputs=inputs)
    assert status == "Failed"
    job = json.dumps(server.ask("GET", f"{registered}/jobs/j").body)
    assert cloud.secret not in said + job
    for file in server.home.root.rglob("*"):
        if file.is_file():
            assert cloud.secret.encode() not in file.read_bytes(), file


def test_who_is_not_let_in_is_told_so(server: Server, cloud: Cloud, workspace: str) -> None:
    """A wrong key, and a server that does not answer: one sentence without secrets, in reasonable time."""
    wrong = json.loads(json.dumps(cloud.datastore))
    secrets = wrong["credentials"].get("secrets", {})
    for name in ("key", "secretAccessKey"):
        if name in secrets:
            secrets[name] = "d3Jvbmcta2V5"
    gone = {**cloud.datastore, "endpoint": cloud.datastore["endpoint"].replace("127.0.0.1:", "127.0.0.1:1")[:18]}
    for name, properties, says in (("wrong", wrong, "denies access"), ("gone", gone, "cannot be reached")):
        if name == "wrong" and "key" not in secrets:
            continue  # moto takes any key
        assert server.ask("PUT", f"{workspace}/datastores/{name}", {"properties": properties}).status == 201
        answer = server.ask("GET", f"/smalt/v1{workspace}/datastores/{name}/list")
        assert answer.status in (403, 507), answer.body
        assert says in answer.body["error"]["message"]
        assert "d3Jvbmcta2V5" not in json.dumps(answer.body)
        assert not cloud.secret or cloud.secret not in json.dumps(answer.body)
    for file in server.home.root.rglob("*"):
        if file.is_file():
            assert b"d3Jvbmcta2V5" not in file.read_bytes(), file


def test_a_sas_token_and_an_open_container(server: Server, azurite: Cloud, workspace: str) -> None:
    """A container is read with a shared access signature, or, where everybody may, without anything."""
    from azure.storage.blob import BlobServiceClient, ContainerSasPermissions, generate_container_sas

    endpoint = azurite.datastore["endpoint"]
    service = BlobServiceClient(endpoint, credential=azurite.secret)
    service.create_container("open", public_access="container")
    service.get_blob_client("open", "a/x").upload_blob(b"open")
    azurite.files.pipe_file("box/sas/x", b"sas")
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    may = ContainerSasPermissions(read=True, list=True)
    sas = generate_container_sas(ACCOUNT, "box", account_key=azurite.secret, permission=may, expiry=later)
    login = {"credentialsType": "Sas", "secrets": {"secretsType": "Sas", "sasToken": f"?{sas}"}}
    nobody = {"credentialsType": "None"}
    for name, container, credentials in (("sas", "box", login), ("anyone", "open", nobody), ("shut", "box", nobody)):
        properties = {**azurite.datastore, "containerName": container, "credentials": credentials}
        assert server.ask("PUT", f"{workspace}/datastores/{name}", {"properties": properties}).status == 201
    far = f"/smalt/v1{workspace}/datastores"
    assert server.ask("GET", f"{far}/sas/files/sas/x").body == b"sas"
    assert server.ask("GET", f"{far}/anyone/files/a/x").body == b"open"
    refused = server.ask("PUT", f"{far}/sas/files/sas/y", raw=b"y")
    assert refused.status == 403
    assert sas not in str(refused.body)
    assert "remote-login environment" in server.ask("GET", f"{far}/shut/list").body["error"]["message"]


def test_a_data_lake(server: Server, azurite: Cloud, workspace: str) -> None:
    """Read by the blob endpoint that every account has; what is a folder to a hierarchical namespace is not a file."""
    from azure.storage.blob import BlobServiceClient

    service = BlobServiceClient(azurite.datastore["endpoint"], credential=azurite.secret)
    for name in ("lake/dir", "lake/dir/empty"):
        service.get_blob_client("box", name).upload_blob(b"", metadata={"hdi_isfolder": "true"})
    azurite.files.pipe_file("box/lake/dir/x", b"gen2")
    lake = {**azurite.datastore, "datastoreType": "AzureDataLakeGen2", "filesystem": "box"}
    del lake["containerName"]
    assert server.ask("PUT", f"{workspace}/datastores/lake", {"properties": lake}).status == 201
    inputs = {"d": uri("uri_folder", "azureml://datastores/lake/paths/lake", "ReadOnlyMount")}
    outputs = {"o": out("azureml://datastores/lake/paths/made", "ReadWriteMount")}
    command = "cd ${{inputs.d}}; find . -type f; cat dir/x | tee ${{outputs.o}}/y"
    status, said = run(server, workspace, "j", command, inputs=inputs, outputs=outputs)
    assert status == "Completed", said
    assert "./dir/x\ngen2" in said
    assert "empty" not in said
    assert azurite.files.cat_file("box/made/y") == b"gen2"


def test_a_jobs_input_stays_while_it_runs(own_server: Server, azurite: Cloud, workspace: str, tmp_path: Path) -> None:
    """Though the cache is too small for what the next job reads; once nobody uses it, it makes room."""
    for name in ("a/1", "a/2", "b/1", "c/1"):
        azurite.files.pipe_file(f"box/stays/{name}", name.encode() * 10_000)
    own_server.start()
    own_server.ask("PATCH", "/smalt/v1/config", {"remote-cache-max-bytes": 70_000})
    own_server.ask("PUT", f"{workspace}/datastores/far", {"properties": azurite.datastore})
    trees, go_on = own_server.home.path("cache", "remote", "trees"), tmp_path / "on"
    os.mkfifo(go_on)

    def reads(name: str) -> dict[str, Any]:
        return {"d": uri("uri_folder", f"azureml://datastores/far/paths/stays/{name}", "ReadOnlyMount")}

    command = f"touch {tmp_path}/begun; cat {go_on}; cat ${{{{inputs.d}}}}/* | wc -c"
    own_server.ask("PUT", f"{workspace}/jobs/long", host_job(command, inputs=reads("a")))
    eventually((tmp_path / "begun").exists, "the first job")
    _age(trees)
    status, said = run(own_server, workspace, "next", "true", inputs=reads("b"))
    assert status == "Completed"
    assert "beyond its limit" in said
    go_on.write_text("")
    messages = list(own_server.stream(f"/smalt/v1{workspace}/jobs/long/stream"))
    assert messages[-1]["status"] == "Completed"
    assert "60000" in "".join(message["text"] for message in messages if message["t"] == "log").split()
    _age(trees)
    assert run(own_server, workspace, "last", "true", inputs=reads("c"))[0] == "Completed"
    assert sorted(json.loads(about.read_text())["path"] for about in trees.glob("*/about.json")) == [
        "stays/b", "stays/c",
    ]  # fmt: skip


def _age(trees: Path) -> None:
    """As if all had been asked for long ago, the first one first."""
    for number, tree in enumerate(sorted(trees.iterdir(), key=lambda tree: tree.stat().st_mtime)):
        os.utime(tree, (1e9 + number,) * 2)


def test_a_server_killed_while_it_fetches(own_server: Server, azurite: Cloud, workspace: str) -> None:
    """The job goes on with the next server, and of what was on its way nothing is left."""
    for number in range(200):
        azurite.files.pipe_file(f"box/killed/{number:03}", b"x" * 20_000)
    process = own_server.start()
    own_server.ask("PUT", f"{workspace}/datastores/far", {"properties": azurite.datastore})
    inputs = {"d": uri("uri_folder", "azureml://datastores/far/paths/killed", "ReadOnlyMount")}
    own_server.ask("PUT", f"{workspace}/jobs/j", host_job("cat ${{inputs.d}}/* | wc -c", inputs=inputs))
    incoming = own_server.home.path("cache", "remote", "incoming")
    eventually(lambda: any(file.is_file() for file in incoming.rglob("*")), "the first file")
    process.kill()
    process.wait()
    assert not own_server.home.path("cache", "remote", "trees").exists()
    eventually(lambda: own_server.home.path("server.json").exists() and _answers(own_server), "the next server")
    messages = list(own_server.stream(f"/smalt/v1{workspace}/jobs/j/stream"))
    assert messages[-1]["status"] == "Completed"
    assert "4000000" in "".join(message["text"] for message in messages if message["t"] == "log").split()
    assert list(incoming.iterdir()) == []
    assert own_server.ask("POST", "/smalt/v1/doctor", {}).body["troubles"] == []


def _answers(server: Server) -> bool:
    with contextlib.suppress(OSError):
        return server.ask("GET", "/smalt/v1/status").status == 200
    return False
