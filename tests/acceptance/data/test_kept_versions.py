"""A registered version keeps its content when a later job writes over the place where that is."""

from __future__ import annotations

import struct

import pytest

from smalt.machine.home import Home
from smalt.service.data.files.write_protection import allow_writing, forbid_writing
from tests.acceptance.conftest import ORDINARY, Desk
from tests.helpers import Answer, Server, eventually

HOST = "environment: azureml:host\n"
PLACE = "azureml://datastores/workspaceblobstore/paths/shared/%s/"


def content(desk: Desk, asset: str) -> list[str]:
    reader = f"command: cat ${{{{inputs.i}}}}/*\n{HOST}inputs: {{i: {{type: uri_folder, path: 'azureml:{asset}'}}}}\n"
    return desk.log(reader)


@pytest.mark.parametrize("mode", ["rw_mount", "upload"])
def test_versions_at_one_path_differ(any_desk: Desk, mode: str) -> None:
    """A job with a fixed path and a name, run twice, gives two versions, each with what its run wrote."""
    output = f"outputs: {{o: {{type: uri_folder, mode: {mode}, name: daily-{mode}, path: '{PLACE % mode}'}}}}\n"
    for word in ("one", "two"):
        ran = any_desk.job(f"command: echo {word} >${{{{outputs.o}}}}/f\n{HOST}{output}")
        assert ran.code == 0, ran.err
    assert content(any_desk, f"daily-{mode}:1") == ["one"]
    assert content(any_desk, f"daily-{mode}:2") == ["two"]


@pytest.mark.parametrize("where", ["same", "same/below", "same/.."])
def test_a_place_that_a_version_names_is_written_over(any_desk: Desk, where: str) -> None:
    """By a job whose output is that place, lies in it or holds it; the log says what was done."""
    name = f"named-{len(where)}"
    first, folder = f"{name}/{where}/x".replace("/..", ""), f"{name}/{where}".replace("/same/..", "")
    any_desk.job(
        f"command: echo one >${{{{outputs.o}}}}/f\n{HOST}"
        f"outputs: {{o: {{type: uri_folder, path: '{PLACE % first}'}}}}\n"
    )
    path = (PLACE % f"{name}/same").rstrip("/")
    assert any_desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path {path} -o none").code == 0
    command = "command: find ${{outputs.o}} -type f -exec sh -c 'echo two >{}' ';'\n"
    ran = any_desk.job(f"{command}{HOST}outputs: {{o: {{type: uri_folder, path: '{PLACE % folder}'}}}}\n")
    assert ran.code == 0, ran.err
    assert f"{name}:1 is registered at" in ran.out + ran.err
    reader = f"command: find -L ${{{{inputs.i}}}} -type f -exec cat {{}} ';'\n{HOST}"
    assert any_desk.log(f"{reader}inputs: {{i: {{type: uri_folder, path: 'azureml:{name}:1'}}}}\n") == ["one"]


@pytest.mark.parametrize("type", ["uri_folder", "uri_file"])
def test_a_named_output_at_a_fixed_path_is_made_daily(any_desk: Desk, type: str) -> None:
    """A pipeline that writes to a fixed path and names it makes a version a run; a job may write there unnamed, too."""
    place, below = (PLACE % "daily", "/f") if type == "uri_folder" else (PLACE.rstrip("/") % "daily.txt", "")
    reader = f"command: cat ${{{{inputs.i}}}}{below}\n{HOST}"
    reader += f"inputs: {{i: {{type: {type}, path: 'azureml:each-{type}:%s'}}}}\n"
    for word in ("one", "two"):
        ran = any_desk.job(
            f"type: pipeline\noutputs: {{p: {{type: {type}, name: each-{type}, path: '{place}'}}}}\n"
            f"jobs: {{a: {{command: 'echo {word} >${{{{outputs.o}}}}{below}', environment: azureml:host, "
            f"outputs: {{o: '${{{{parent.outputs.p}}}}'}}}}}}\n"
        )
        assert ran.code == 0, ran.err
    unnamed = f"outputs: {{o: {{type: {type}, path: '{place}'}}}}\n"
    assert any_desk.job(f"command: echo three >>${{{{outputs.o}}}}{below}\n{HOST}{unnamed}").code == 0
    assert [any_desk.log(reader % version) for version in (1, 2)] == [["one"], ["two"]]


def test_nothing_is_added_to_a_version(any_desk: Desk) -> None:
    """A job whose output is a new folder in the place of a version leaves the version as it is."""
    place = PLACE % "whole"
    make = f"command: echo one >${{{{outputs.o}}}}/f\n{HOST}"
    assert any_desk.job(f"{make}outputs: {{o: {{name: whole, path: '{place}'}}}}\n").code == 0
    added = any_desk.job(f"{make}outputs: {{o: {{path: '{place}new/one/'}}}}\n")
    assert added.code == 0, added.err
    reader = f"command: find -L ${{{{inputs.i}}}} -type f -exec basename {{}} ';'\n{HOST}"
    assert any_desk.log(f"{reader}inputs: {{i: {{type: uri_folder, path: 'azureml:whole:1'}}}}\n") == ["f"]
    assert any_desk.log(f"{reader}inputs: {{i: {{type: uri_folder, path: '{place}'}}}}\n") == ["f", "f"]


@pytest.mark.parametrize("label", [":1", "@latest"])
def test_a_pipeline_reads_the_version_that_it_was_submitted_with(any_desk: Desk, label: str) -> None:
    """A step reads the content of its version, also where another job has written over its place meanwhile."""
    name = f"pinned{label[1:]}"
    output = daily(name)
    assert any_desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{output}").code == 0
    go, began = any_desk.folder / "go", any_desk.folder / "began"
    text = f"""\
        type: pipeline
        inputs: {{i: {{type: uri_folder, path: "azureml:{name}{label}"}}}}
        jobs:
          first:
            command: touch {began}; until [ -e {go} ]; do sleep 0.02; done
            environment: azureml:host
            outputs: {{o: {{type: uri_folder}}}}
          second:
            command: "cat ${{{{inputs.i}}}}/f; : {name}"
            environment: azureml:host
            inputs: {{i: "${{{{parent.inputs.i}}}}", after: "${{{{parent.jobs.first.outputs.o}}}}"}}
        """
    submitted = any_desk.smalt(f"job create -f {any_desk.write('pipe.yml', text)} --name reader-{name} -o none")
    assert submitted.code == 0, submitted.err
    eventually(began.exists, "the first step")
    assert any_desk.job(f"command: echo two >${{{{outputs.o}}}}/f\n{output}").code == 0
    go.touch()
    followed = any_desk.smalt(f"job stream -n reader-{name}")
    assert followed.code == 0, followed.err
    assert "second | one" in followed.lines
    assert [content(any_desk, f"{name}:{version}") for version in (1, 2)] == [["one"], ["two"]]


@pytest.mark.parametrize("ends", ["exit 1", "true"])
def test_the_place_of_a_version_is_written_over_while_a_job_reads_it(any_desk: Desk, ends: str) -> None:
    """A job that was reading there fails with a sentence, whatever it read; another attempt reads the version."""
    name = f"again-{ends[:1]}"
    assert any_desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{daily(name)}").code == 0
    tried, go = any_desk.folder / "tried", any_desk.folder / "go"
    wait = f"[ -e {tried} ] || {{ touch {tried}; until [ -e {go} ]; do sleep 0.02; done; {ends}; }}"
    reader = f"command: '{wait}; cat ${{{{inputs.i}}}}/f'\n{HOST}properties: {{smalt.retries: '1'}}\n"
    text = f"{reader}inputs: {{i: {{type: uri_folder, path: 'azureml:{name}:1'}}}}\n"
    path = any_desk.write("retried.yml", text)
    created = any_desk.smalt(f"job create -f {path} --name read-{name} -o none")
    assert created.code == 0, created.err
    eventually(tried.exists, "the first attempt")
    assert any_desk.job(f"command: echo two >${{{{outputs.o}}}}/f\n{daily(name)}").code == 0
    go.touch()
    followed = any_desk.smalt(f"job stream -n read-{name}")
    if ends == "true":
        assert followed.code == 1
        assert "another job wrote over" in followed.err
    else:
        assert (followed.code, followed.lines[-1:]) == (0, ["one"]), followed.err


@pytest.mark.parametrize("killed", ["before", "after"])
@pytest.mark.parametrize("ends", ["exit 1", "true"])
def test_the_place_is_written_over_and_the_server_killed(
    desk: Desk, own_server: Server, monkeypatch: pytest.MonkeyPatch, killed: str, ends: str
) -> None:
    """A job that was reading there fails, and another attempt reads the version, whichever server sees its end."""
    monkeypatch.setenv("SMALT_HOME", str(own_server.home.root))
    desk.server = own_server
    own_server.start()
    assert desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{daily('k')}").code == 0
    tried, go = desk.folder / "tried", desk.folder / "go"
    wait = f"[ -e {tried} ] || {{ touch {tried}; until [ -e {go} ]; do sleep 0.02; done; {ends}; }}"
    reader = f"command: '{wait}; cat ${{{{inputs.i}}}}/f'\n{HOST}properties: {{smalt.retries: '1'}}\n"
    path = desk.write("read.yml", f"{reader}inputs: {{i: {{type: uri_folder, path: 'azureml:k:1'}}}}\n")
    created = desk.smalt(f"job create -f {path} --name reads -o none")
    assert created.code == 0, created.err
    eventually(tried.exists, "the first attempt")
    for when in ("before", "over", "after"):
        if when == "over":
            assert desk.job(f"command: echo two >${{{{outputs.o}}}}/f\n{daily('k')}").code == 0
        elif when == killed:
            own_server.kill()
            own_server.start_again()
    go.touch()
    followed = desk.smalt("job stream -n reads")
    if ends == "true":
        assert followed.code == 1
        assert "another job wrote over" in followed.err
    else:
        assert (followed.code, followed.lines[-1:]) == (0, ["one"]), followed.err


def test_a_job_writes_over_the_version_that_it_reads(any_desk: Desk) -> None:
    """A job whose output goes to where its input lies reads the version, and the version stays."""
    assert any_desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{daily('own')}").code == 0
    text = f"command: sed s/one/two/ ${{{{inputs.i}}}}/f >${{{{outputs.o}}}}/g\n{daily('own')}"
    ran = any_desk.job(f"{text}inputs: {{i: {{type: uri_folder, path: 'azureml:own:1'}}}}\n")
    assert ran.code == 0, ran.err
    assert [content(any_desk, f"own:{version}") for version in (1, 2)] == [["one"], ["one", "two"]]


@pytest.mark.parametrize("path", ["Versions/data/given/1", "LocalUpload/given", "shared/../Versions", "shared/odd"])
def test_no_output_goes_where_versions_are_kept(desk: Desk, path: str) -> None:
    """An output below Versions/ or LocalUpload/ is refused at submission, as is one that a link leads there."""
    store = desk.server.home.path("workspaces/default/datastores/workspaceblobstore")
    assert desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{daily('given')}").code == 0
    (store / "Versions").mkdir(exist_ok=True)
    if not (store / "shared" / "odd").exists():
        (store / "shared" / "odd").symlink_to(store / "Versions")
    place = f"azureml://datastores/workspaceblobstore/paths/{path}/o/"
    step = f"{{command: 'echo >${{{{outputs.o}}}}/f', environment: azureml:host, outputs: {{o: {{path: '{place}'}}}}}}"
    for text in (step, f"type: pipeline\njobs: {{a: {step}}}\n"):
        ran = desk.job(text)
        assert ran.code != 0
        assert (".." in path and "without '..'" in ran.err) or "holds the content of registered versions" in ran.err
        assert not (store / path / "o").exists()


def test_a_place_that_a_job_left_read_only_in_a_linked_home(
    desk: Desk, own_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a canceled job left read-only can be written by the next, also where the home is reached by a link."""
    home = own_server.home.root.with_name("linked")
    home.with_name("real").mkdir()
    home.symlink_to("real")
    own_server.home = Home(home)
    monkeypatch.setenv("SMALT_HOME", str(home))
    desk.server = own_server
    process = own_server.spawn(program=("-c", ORDINARY))
    eventually(lambda: own_server.is_ready(process.pid), "the server")
    text = f"command: echo one >${{{{outputs.o}}}}/f\n{HOST}outputs: {{o: {{path: '{PLACE % 'left'}'}}}}\n"
    assert desk.job(text).code == 0
    forbid_writing(home / "workspaces/default/datastores/workspaceblobstore/shared/left")
    again = desk.job(text.replace("one", "two"))
    assert again.code == 0, again.err


def daily(name: str) -> str:
    """The output of a job with a fixed path and a name."""
    return f"{HOST}outputs: {{o: {{type: uri_folder, name: {name}, path: '{PLACE % name}'}}}}\n"


def test_a_blob_is_written_over(any_desk: Desk) -> None:
    """A blob of a registered output can be written over and deleted by the storage protocol; the version stays."""
    output = f"outputs: {{o: {{type: uri_folder, name: blobs, path: '{PLACE % 'blobs'}'}}}}\n"
    assert any_desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{HOST}{output}").code == 0
    blob = "/default.blob.core.windows.net/workspaceblobstore/shared/blobs/f"
    token = any_desk.server.home.read_token()
    put = any_desk.server.ask_tcp("PUT", blob, headers={"x-ms-blob-type": "BlockBlob"}, token=token)
    assert put.status == 201, put.body
    assert any_desk.server.ask_tcp("DELETE", blob, token=token).status == 202
    assert content(any_desk, "blobs:1") == ["one"]


def test_nothing_is_put_where_versions_are_kept(desk: Desk) -> None:
    """Neither protocol for files writes over a version that was copied aside already."""
    for word in ("one", "two"):
        assert desk.job(f"command: echo {word} >${{{{outputs.o}}}}/f\n{daily('aside')}").code == 0
    path, token = "Versions/data/aside/1/aside/f", desk.server.home.read_token()
    blob = desk.server.ask_tcp(
        "PUT", f"/default.blob.core.windows.net/workspaceblobstore/{path}", {"a": 1},
        headers={"x-ms-blob-type": "BlockBlob"}, token=token,
    )  # fmt: skip
    assert blob.status == 409, blob.body
    assert put(desk, path).status == 409
    assert content(desk, "aside:1") == ["one"]


@pytest.mark.parametrize("where", ["f", "new"])
@pytest.mark.parametrize("how", ["file", "upload", "blob"])
def test_a_file_of_a_version_is_put(any_desk: Desk, how: str, where: str) -> None:
    """A file is written over, or added, where a version is that nothing but the records protects; the version stays."""
    name = f"put-{how}-{where}"
    place = PLACE % name
    any_desk.job(f"command: echo one >${{{{outputs.o}}}}/f\n{HOST}outputs: {{o: {{path: '{place}'}}}}\n")
    assert any_desk.smalt(f"data create -n {name} --version 1 --type uri_folder --path {place} -o none").code == 0
    store = any_desk.server.home.path("workspaces/default/datastores/workspaceblobstore")
    allow_writing(store / "shared" / name)  # as of a version that was registered before outputs were protected
    path = f"shared/{name}/{where}"
    if how == "blob":
        at, headers = f"/default.blob.core.windows.net/workspaceblobstore/{path}", {"x-ms-blob-type": "BlockBlob"}
        token = any_desk.server.home.read_token()
        assert any_desk.server.ask_tcp("PUT", at, {"a": 1}, headers=headers, token=token).status == 201
    elif how == "file":
        assert put(any_desk, path).status == 200
    else:
        assert upload(any_desk, f"{path}.more").status == 200
    assert content(any_desk, f"{name}:1") == ["one"]


def put(desk: Desk, path: str) -> Answer:
    """The answer to a file that is sent by smalt's own route."""
    return desk.server.ask("PUT", f"{workspace(desk)}/datastores/workspaceblobstore/files/{path}", raw=b"two")


def upload(desk: Desk, path: str) -> Answer:
    """The answer to an upload of one file."""
    route = f"{workspace(desk)}/datastores/workspaceblobstore/uploads"
    head = struct.pack(">IQQ", 0, 3, 0)
    assert desk.server.ask("POST", f"{route}/content?target={path}", raw=head + b"two").status == 200
    return desk.server.ask("POST", f"{route}/finish", {"target": path, "files": [["", 3]]})


def workspace(desk: Desk) -> str:
    """The path of the workspace that the command line uses."""
    id = desk.ask("workspace show --query id")
    return f"/smalt/v1{id}"
